"""`pods program add` and `pods program remove`: what follows is said first, in the language of the terminal."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest
from sqlalchemy import select

from integration.errors import NotThere
from integration.language import speaking
from integration.scheduling import commands
from integration.scheduling.jobs import pull_series, push_series
from integration.scheduling.models import ProgramMember
from tests.scheduling.conftest import Office
from tests.scheduling.test_commands import FOUR, Screen, never_asked, pods, screen, wishes, yes  # noqa: F401
from tests.scheduling.test_pull import move


def members(office: Office) -> int:
    with office.tools.database.reading() as session:
        return len(session.scalars(select(ProgramMember)).all())


def invited(office: Office) -> int:
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    return series_id


def test_alan_is_taken_out_and_comes_back_and_only_he_is_mailed(office, screen):  # noqa: F811
    series_id, (alan,) = invited(office), office.mails("Alan")
    before = office.meeting_mails()

    commands.remove_person(office.tools, "Onboarding", alan, screen, confirm=yes)
    push_series(office.tools, series_id)

    out = office.meeting_mails() - before
    assert screen.read() == (f"Pod: Pod 01. They get 1 mail; nobody else is mailed.\n{alan} no longer takes part.\n")
    assert (members(office), out) == (3, Counter({("Alan", "meetingCancelled"): 1}))

    commands.add_people(office.tools, "Onboarding", [alan], screen, confirm=yes)
    push_series(office.tools, series_id)

    assert screen.read() == (f"{alan}: Pod: Pod 01. They get 1 mail; nobody else is mailed.\n{alan} takes part.\n")
    assert office.meeting_mails() - before - out == Counter({("Alan", "meetingRequest"): 1})
    assert members(office) == 4


def test_the_mails_are_named_before_anything_is_done_and_a_no_changes_nothing(office, screen):  # noqa: F811
    series_id, (alan,) = invited(office), office.mails("Alan")
    move(office, series_id, 2, datetime.fromisoformat("2026-03-18T14:00"))
    pull_series(office.tools, series_id)
    before, said = wishes(office), []

    def no() -> bool:
        said.append((screen.read(), members(office)))
        return False

    commands.remove_person(office.tools, "Onboarding", alan, screen, confirm=no)

    apart = "1 of them is about a meeting that was moved or answered on its own."
    assert said == [(f"Pod: Pod 01. They get 2 mails; nobody else is mailed. {apart}\n", 4)]
    assert (screen.read(), members(office), wishes(office)) == ("", 4, before)

    commands.remove_person(office.tools, "Onboarding", alan, screen, confirm=yes)
    screen.read()
    left = wishes(office)
    commands.add_people(office.tools, "Onboarding", [alan], screen, confirm=no)

    assert said[1:] == [(f"{alan}: Pod: Pod 01. They get 2 mails; nobody else is mailed. {apart}\n", 3)]
    assert (screen.read(), members(office), wishes(office)) == ("", 3, left)


def test_twice_changes_nothing_the_second_time_and_asks_nobody(office, screen):  # noqa: F811
    invited(office)
    (alan,) = office.mails("Alan")
    commands.add_people(office.tools, "Onboarding", [alan], screen, confirm=never_asked)
    assert (screen.read(), members(office)) == (f"{alan} takes part already.\n", 4)

    commands.remove_person(office.tools, "Onboarding", alan, screen, confirm=yes)
    screen.read()
    before = wishes(office)
    commands.remove_person(office.tools, "Onboarding", alan, screen, confirm=never_asked)
    assert (screen.read(), members(office), wishes(office)) == (f"{alan} does not take part.\n", 3, before)


def test_somebody_new_waits_for_the_next_plan_and_nobody_is_asked(office, screen):  # noqa: F811
    invited(office)
    office.settle("Barbara")
    (barbara,) = office.mails("Barbara")

    commands.add_people(office.tools, "Onboarding", [barbara], screen, confirm=never_asked)

    assert screen.read() == f"{barbara}: Nobody is mailed.\n{barbara} takes part.\n"
    assert members(office) == 5


@pytest.mark.parametrize("order", ["add", "remove", "add beside somebody known"])
def test_somebody_unknown_is_named_and_nothing_is_done(office, screen, order):  # noqa: F811
    invited(office)
    office.settle("Barbara")
    mails = [*office.mails("Barbara"), "nobody@pods.example"] if "known" in order else ["nobody@pods.example"]

    orders = {
        "remove": lambda: commands.remove_person(office.tools, "Onboarding", mails[0], screen, confirm=never_asked),
        "add": lambda: commands.add_people(office.tools, "Onboarding", mails, screen, confirm=never_asked),
    }

    with pytest.raises(NotThere, match=r"no person 'nobody@pods\.example'"):
        orders[order.split()[0]]()

    assert members(office) == 4


def test_a_german_terminal_says_all_of_it_in_german(office, screen):  # noqa: F811
    series_id, (alan,) = invited(office), office.mails("Alan")
    move(office, series_id, 2, datetime.fromisoformat("2026-03-18T14:00"))
    pull_series(office.tools, series_id)

    with speaking("de"):
        commands.remove_person(office.tools, "Onboarding", alan, screen, confirm=yes)
        out = screen.read()
        commands.add_people(office.tools, "Onboarding", [alan], screen, confirm=yes)

    costs = "Sie bekommen 2 E-Mails; sonst bekommt niemand eine."
    apart = "1 davon gilt einer Sitzung, die für sich verschoben oder beantwortet wurde."
    assert out == f"Lernpod: Pod 01. {costs} {apart}\n{alan} nimmt nicht mehr teil.\n"
    assert screen.read() == f"{alan}: Lernpod: Pod 01. {costs} {apart}\n{alan} nimmt teil.\n"


def test_from_the_shell_it_asks_and_a_mistake_is_named_in_german(office):
    invited(office)
    (alan,) = office.mails("Alan")

    refused = pods(office, "program", "remove", "Onboarding", alan, typed="n\n")
    done = pods(office, "program", "remove", "Onboarding", alan, "--yes")
    back = pods(office, "program", "add", "Onboarding", alan, typed="y\n")
    wrong = pods(office, "program", "remove", "Onboarding", "nobody@pods.example", LANG="de_DE.UTF-8")

    assert [answer.returncode for answer in (refused, done, back, wrong)] == [0, 0, 0, 1]
    assert "Go on? [y/N]" in refused.stdout
    assert "no longer takes part" not in refused.stdout
    assert "no longer takes part" in done.stdout.replace("\n", " ")
    assert "takes part." in back.stdout.replace("\n", " ")
    assert (
        wrong.stderr
        == "Fehler: Person 'nobody@pods.example' gibt es nicht.\nSehen Sie in der Liste nach, was da ist.\n"
    )
