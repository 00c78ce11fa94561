"""What a coordinator reads on the command line: plan, apply, undo, and every way to get one of them wrong."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections import Counter

import pytest
from rich.console import Console
from sqlalchemy import select

from integration.errors import Conflict, InputRefused, NotThere
from integration.formats import day
from integration.language import speaking
from integration.outbox import Message
from integration.scheduling import commands
from integration.scheduling.jobs import cancel_series, push_series
from integration.scheduling.models import Plan, Series
from integration.scheduling.plan import undo_plan
from integration.scheduling.troubles import record_trouble
from tests.scheduling.conftest import FIRST_DAY, Office

FOUR = ("Ada", "Grace", "Alan", "Linus")
NOBODY = "redis://127.0.0.1:1"  # nobody answers: nothing on this path may need the doorbell


class Screen(Console):
    """A terminal wide enough that no line is broken, and what stands on it."""

    def __init__(self) -> None:
        super().__init__(file=io.StringIO(), width=400)

    def read(self) -> str:
        """What was printed since it was last read."""
        assert isinstance(self.file, io.StringIO)
        text = self.file.getvalue()
        self.file.truncate(0)
        self.file.seek(0)
        return text


@pytest.fixture
def screen() -> Screen:
    return Screen()


def yes() -> bool:
    return True


def never_asked() -> bool:
    raise AssertionError("there was nothing to confirm")


def applied(office: Office, screen: Screen) -> int:
    plan_id = office.planned(*FOUR)
    commands.apply(office.tools, plan_id, screen, wait=False)
    screen.read()
    return plan_id


def series_ids(office: Office) -> list[int]:
    with office.tools.database.reading() as session:
        return list(session.scalars(select(Series.id)))


def wishes(office: Office) -> list[str]:
    with office.tools.database.reading() as session:
        return sorted(session.scalars(select(Message.task)))


def pods(
    office: Office, *words: str, typed: str = "", redis_url: str = NOBODY, **more: str
) -> subprocess.CompletedProcess[str]:
    settings = office.tools.settings
    environ = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": office.tools.database.engine.url.render_as_string(hide_password=False),
        "REDIS_URL": redis_url,
        "ORGANIZER_MAILBOXES": ",".join(settings.organizer_mailboxes),
        "CLOCK_FILE": str(settings.clock_file),
        "GRAPH_BASE_URL": settings.graph_base_url,
        **more,
    }
    command = [sys.executable, "-m", "integration.cli", *words]
    return subprocess.run(command, env=environ, input=typed, capture_output=True, text=True, timeout=60)


def test_a_plan_is_shown_with_people_dates_and_the_command_that_applies_it(office, screen):
    office.settle(*FOUR)
    office.program(*FOUR)

    plan_id = commands.plan_program(office.tools, "Onboarding", screen)

    shown = screen.read()
    assert "This will create 1 series, invite 4 people, change 0. 0 people have no common slot." in shown
    assert "Tuesday 10:30 Europe/Zurich" in shown
    assert "4: 10 March 2026 to 31 March 2026" in shown
    assert "Mails per person: 1 (the invitation)." in shown
    assert f"Apply it with: pods apply {plan_id}" in shown
    assert (series_ids(office), wishes(office)) == ([], [])


def test_a_program_is_found_by_its_number_too(office, screen):
    office.settle(*FOUR)
    program_id = office.program(*FOUR)

    commands.plan_program(office.tools, str(program_id), screen)

    assert "invite 4 people" in screen.read()


@pytest.mark.parametrize("key", ["Onbording", "77", ""])
def test_a_wrong_program_is_named_and_nothing_is_planned(office, screen, key):
    office.settle(*FOUR)
    office.program(*FOUR)

    with pytest.raises(NotThere, match=f"no program '{key}'"):
        commands.plan_program(office.tools, key, screen)

    with office.tools.database.reading() as session:
        assert session.scalars(select(Plan)).all() == []


def test_a_plan_with_problems_names_the_people_and_the_nearest_compromises(office, screen):
    office.settle("Ada", "Grace")
    office.settle("Alan", time_zone="America/Los_Angeles")
    office.program("Ada", "Grace", "Alan")

    commands.plan_program(office.tools, "Onboarding", screen)

    shown = screen.read()
    assert "1 person has no common slot" in shown
    assert shown.count("would be without Alan") == 5


def test_linus_alone_is_named(office, screen):
    office.settle("Linus")
    office.program("Linus")

    commands.plan_program(office.tools, "Onboarding", screen)

    assert f"{office.mails('Linus')[0]} is alone and has no pod." in screen.read()


@pytest.mark.parametrize("order", ["show", "apply", "undo"])
def test_a_wrong_plan_is_named_and_nothing_is_asked(office, screen, order):
    orders = {
        "show": lambda: commands.show_plan(office.tools, 77, screen),
        "apply": lambda: commands.apply(office.tools, 77, screen),
        "undo": lambda: commands.undo(office.tools, 77, screen, confirm=never_asked),
    }

    with pytest.raises(NotThere, match="no plan 77"):
        orders[order]()

    assert (screen.read(), wishes(office)) == ("", [])


def test_applying_says_how_to_take_it_back(office, screen):
    plan_id = office.planned(*FOUR)

    progress = commands.apply(office.tools, plan_id, screen, wait=False)

    assert progress == commands.Progress(series=1, invited=0, in_trouble=0)
    assert f"1 series will be created by the workers. Take it back with: pods undo {plan_id}" in screen.read()
    assert wishes(office) == ["series.push"]


def test_applying_twice_says_so_and_invites_once(office, screen):
    plan_id = applied(office, screen)
    (series_id,) = series_ids(office)
    push_series(office.tools, series_id)

    progress = commands.apply(office.tools, plan_id, screen)

    shown = screen.read()
    assert progress == commands.Progress(series=1, invited=1, in_trouble=0)
    assert f"Plan {plan_id} was applied already: 2 Mar 2026, 07:00 UTC. Nothing new is created." in shown
    assert "1 of 1 series is invited to." in shown
    assert series_ids(office) == [series_id]
    assert office.meeting_mails() == Counter({(name, "meetingRequest"): 1 for name in FOUR})


def test_whoever_watches_is_told_what_keeps_a_series_from_going_on(office, screen):
    plan_id = applied(office, screen)
    record_trouble(office.tools.database, series_ids(office)[0], "Outlook made the series without a Teams link.")

    progress = commands.apply(office.tools, plan_id, screen)

    assert progress == commands.Progress(series=1, invited=0, in_trouble=1)
    assert "Onboarding: Pod 01: Outlook made the series without a Teams link." in screen.read()


def test_watching_a_plan_ends_when_somebody_else_undoes_it(office, screen):
    plan_id = applied(office, screen)
    with office.tools.database.transaction() as session:
        undo_plan(session, session.get_one(Plan, plan_id), now=office.tools.clock.now())

    assert commands.progress_of(office.tools, plan_id).is_over


def test_a_plan_that_was_undone_is_not_applied_again(office, screen):
    plan_id = applied(office, screen)
    commands.undo(office.tools, plan_id, screen, confirm=yes)

    with pytest.raises(Conflict, match=f"Plan {plan_id} was undone") as refusal:
        commands.apply(office.tools, plan_id, screen)

    assert "Make a new plan" in refusal.value.remedy


def test_undoing_before_anybody_was_invited_costs_no_mail(office, screen):
    plan_id = applied(office, screen)

    undoing = commands.undo(office.tools, plan_id, screen, confirm=yes)

    assert undoing is not None
    assert (undoing.series, undoing.cancellations) == (1, {})
    assert "This cancels 1 series: 0 people get a cancellation mail." in screen.read()
    assert wishes(office) == ["series.cancel", "series.push"]


def test_undoing_after_the_invitation_says_whom_it_tells_and_tells_them_once(office, screen):
    plan_id = applied(office, screen)
    (series_id,) = series_ids(office)
    push_series(office.tools, series_id)
    office.wait_until(office.occurrence(series_id, 1).ends_at)

    commands.undo(office.tools, plan_id, screen, confirm=yes)
    cancel_series(office.tools, series_id)

    shown = screen.read()
    assert "This cancels 1 series: 4 people get a cancellation mail." in shown
    assert "1 session is past; what is known of it stays." in shown
    assert [office.meeting_mails()[name, "meetingCancelled"] for name in FOUR] == [1, 1, 1, 1]
    assert office.occurrence(series_id, 1).cancelled_at is None


def test_a_no_undoes_nothing(office, screen):
    plan_id = applied(office, screen)

    assert commands.undo(office.tools, plan_id, screen, confirm=lambda: False) is None

    assert office.series(series_ids(office)[0]).cancel_wanted_at is None
    assert "The workers cancel them now." not in screen.read()


def test_a_plan_that_was_never_applied_is_not_undone_and_nobody_is_asked(office, screen):
    plan_id = office.planned(*FOUR)

    with pytest.raises(Conflict, match=f"Plan {plan_id} was not applied"):
        commands.undo(office.tools, plan_id, screen, confirm=never_asked)

    assert screen.read() == ""


def test_undoing_twice_says_so_and_asks_nobody(office, screen):
    plan_id = applied(office, screen)
    commands.undo(office.tools, plan_id, screen, confirm=yes)
    before = wishes(office)
    screen.read()

    assert commands.undo(office.tools, plan_id, screen, confirm=never_asked) is None

    assert f"Plan {plan_id} was undone already: 2 Mar 2026, 07:00 UTC." in screen.read()
    assert wishes(office) == before


def test_a_program_gets_everybody_on_the_roster_unless_some_are_named(office, screen):
    office.settle(*FOUR)
    draft = office.draft(name="Excel")

    commands.create(office.tools, draft, screen, members=office.mails("Ada", "Grace"), leaders=office.mails("Alan"))
    assert "Excel, 2 people." in screen.read()
    commands.create(office.tools, office.draft(name="Python"), screen)
    assert "Python, 4 people." in screen.read()
    with pytest.raises(InputRefused, match="pod_size is 1"):
        commands.create(office.tools, office.draft(name="Alone", pod_size=1), screen)

    commands.list_programs(office.tools, screen)
    listed = screen.read()
    assert ("Excel" in listed, "Python" in listed, "Alone" in listed) == (True, True, False)
    assert day(FIRST_DAY) in listed
    with speaking("de"):
        commands.list_programs(office.tools, screen)
    listed = screen.read()
    assert ("Programm" in listed, "Lernpods" in listed, "9. März 2026" in listed) == (True, True, True)


def test_from_the_shell_a_mistake_is_its_message_its_remedy_and_an_exit_of_one(office):
    office.settle(*FOUR)
    office.program(*FOUR)

    unknown_program, unknown_plan = pods(office, "plan", "Onbording"), pods(office, "undo", "77", "--yes")

    assert (unknown_program.returncode, unknown_plan.returncode) == (1, 1)
    assert unknown_program.stderr == (
        "Error: There is no program 'Onbording'.\nLook at the list of those that are there.\n"
    )
    assert unknown_plan.stderr.startswith("Error: There is no plan 77.\n")
    assert pods(office, "apply", "first").returncode == 2, "a plan is a number"


def test_from_the_shell_a_plan_is_applied_and_undone_although_redis_is_away(office):
    plan_id = office.planned(*FOUR)

    first, second = pods(office, "apply", str(plan_id), "--no-wait"), pods(office, "apply", str(plan_id), "--no-wait")
    refused = pods(office, "undo", str(plan_id), typed="n\n")

    assert (first.returncode, second.returncode, refused.returncode) == (0, 0, 0)
    assert "1 series will be created" in first.stdout
    assert "Nothing new is created" in second.stdout
    assert "The workers cancel them now." not in refused.stdout
    assert "The workers cancel them now." in pods(office, "undo", str(plan_id), typed="y\n").stdout
    assert wishes(office) == ["series.cancel", "series.push"]


def test_a_german_terminal_shows_plan_progress_and_undoing_in_german(office, screen):
    office.settle(*FOUR)
    office.program(*FOUR)

    with speaking("de"):
        plan_id = commands.plan_program(office.tools, "Onboarding", screen)
        shown = screen.read()
        commands.apply(office.tools, plan_id, screen, wait=False)
        push_series(office.tools, series_ids(office)[0])
        commands.apply(office.tools, plan_id, screen)
        applied_twice = screen.read()
        commands.undo(office.tools, plan_id, screen, confirm=yes)

    for text in (
        "Damit werden 1 Terminserie angelegt, 4 Personen eingeladen und 0 geändert.",
        "Dienstag 10:30 Europe/Zurich",
        "4: 10. März 2026 bis 31. März 2026",
        "E-Mails je Person: 1 (die Einladung).",
        f"Nichts wurde verschickt. Anwenden mit: pods apply {plan_id}",
    ):
        assert text in shown
    assert f"1 Terminserie wird von den Workern angelegt. Zurücknehmen mit: pods undo {plan_id}" in applied_twice
    assert f"Plan {plan_id} wurde bereits angewendet: 02.03.2026, 07:00 UTC." in applied_twice
    assert "1 von 1 Terminserie ist eingeladen." in applied_twice
    assert "4 Personen bekommen eine Absage per E-Mail." in screen.read()
