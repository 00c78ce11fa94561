"""A coordinator describes a program; each rule is said at its field, and only their own programs are within reach."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from integration.admin.models import AuditEntry, CoordinatorLimit
from integration.admin.permissions import Role
from integration.clock import real_now
from integration.outbox import Message, Task
from integration.scheduling.models import Plan, PodMember, Program, ProgramLeader, ProgramMember
from tests.admin.conftest import Site
from tests.attendance.build import build_person, build_series

NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)
FORM = {
    "name": "Onboarding",
    "outcome": "New colleagues answer customers alone",
    "metric": "days to first call",
    "baseline": "60 days",
    "format": "learning pod",
    "starts_on": "2026-03-09",
    "weeks": "6",
    "minutes": "30",
    "pod_size": "4",
    "holidays": "2026-04-06",
    "participation_target": "70",
    "sessions_target": "4",
    "onboarding_target": "20",
    "attendance_detail": "present",
    "agenda": "Check-in",
    "leaders": "alan@pods.example",
    "members": "chosen",
    "chosen": "grace@pods.example\nlinus@pods.example",
}


@pytest.fixture(autouse=True)
def people(site: Site) -> None:
    with site.tools.database.transaction() as session:
        for name in ("Grace", "Alan", "Linus"):
            build_person(session, name).department = "Sales" if name == "Linus" else "Support"


def ada(site: Site):
    return site.browser("ada@pods.example", Role.COORDINATOR)


def program_of(site: Site) -> Program | None:
    whole = selectinload(Program.members), selectinload(Program.leaders).joinedload(ProgramLeader.person)
    with site.tools.database.reading() as session:
        return session.scalar(select(Program).options(*whole))


def test_ada_describes_a_program_and_finds_it_in_her_list(site: Site):
    browser = ada(site)
    assert "No programs yet" in browser.get("/admin/programs").text

    answer = browser.post("/admin/programs/new", data=FORM)

    program = program_of(site)
    assert program is not None
    assert (answer.status_code, answer.location) == (303, f"/admin/programs/{program.id}")
    assert (program.attendance_detail, program.participation_target, program.holidays) == (
        "present",
        0.7,
        ["2026-04-06"],
    )
    assert [each.person.name for each in program.leaders] == ["Alan"]
    assert len(program.members) == 2
    assert "Onboarding" in browser.get("/admin/programs?q=onb").text
    assert "No program has this name" in browser.get("/admin/programs?q=excel").text
    page = browser.get(answer.location).text
    assert "New colleagues answer customers alone" in page
    assert "linus@pods.example" in browser.get(f"{answer.location}/people").text
    with site.tools.database.reading() as session:
        entries = session.scalars(select(AuditEntry)).all()
    assert [(each.actor, each.action, each.thing_id) for each in entries] == [
        ("ada@pods.example", "program.create", program.id)
    ]


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", " ", "Fill this in"),
        ("weeks", "99", "Use 1 to 52."),
        ("minutes", "5", "Use 10 to 180."),
        ("pod_size", "many", "Not a valid integer value."),
        ("starts_on", "tomorrow", "Not a valid date value."),
        ("holidays", "Christmas", "Christmas"),
        ("participation_target", "400", "Use 0 to 100."),
        ("leaders", "mallory@elsewhere.example", "mallory@elsewhere.example"),
        ("chosen", "", "List at least one address."),
        ("chosen", "nobody@pods.example", "Nobody on the roster has this address: nobody@pods.example."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(site: Site, field, typed, said):
    answer = ada(site).post("/admin/programs/new", data={**FORM, field: typed})

    assert answer.status_code == 400
    assert said in answer.text
    assert "New colleagues answer customers alone" in answer.text
    assert program_of(site) is None


def test_a_second_program_of_the_same_name_is_refused_on_the_form(site: Site):
    browser = ada(site)
    browser.post("/admin/programs/new", data=FORM)

    again = browser.post("/admin/programs/new", data=FORM)

    assert again.status_code == 400
    assert "There is a program &#39;Onboarding&#39; already." in again.text


def test_departments_take_part_as_a_whole(site: Site):
    browser = ada(site)
    assert "Sales" in browser.get("/admin/programs/new").text

    browser.post("/admin/programs/new", data={**FORM, "members": "departments", "departments": ["Support"]})

    program = program_of(site)
    assert program is not None
    assert len(program.members) == 2


def test_a_change_is_kept_and_written_down_with_what_stood_there_before(site: Site):
    browser = ada(site)
    shown = browser.post("/admin/programs/new", data=FORM).location
    assert "2026-04-06" in browser.get(f"{shown}/edit").text

    changed = {**FORM, "weeks": "8", "leaders": "grace@pods.example", "members": "none", "chosen": ""}
    assert browser.post(f"{shown}/edit", data=changed).status_code == 303
    refused = browser.post(f"{shown}/edit", data={**changed, "minutes": "500"})

    program = program_of(site)
    assert program is not None
    assert (program.weeks, program.minutes) == (8, 30)
    assert [each.person.name for each in program.leaders] == ["Grace"]
    assert refused.status_code == 400
    with site.tools.database.reading() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.before, entry.after) == ({"weeks": 6}, {"weeks": 8})


def test_a_coordinator_with_limits_reaches_the_program_she_made_and_no_other(site: Site):
    others = ada(site).post("/admin/programs/new", data=FORM).location
    with site.tools.database.transaction() as session:
        theirs = session.scalars(select(Program)).one()
        elsewhere = Program(
            name="Excel", outcome="", metric="", baseline="", starts_on=theirs.starts_on, created_at=NOW
        )
        session.add(elsewhere)
        session.flush()
        session.add(CoordinatorLimit(mail="grace@pods.example", program_id=elsewhere.id))
    grace = site.browser("grace@pods.example", Role.COORDINATOR)

    own = grace.post("/admin/programs/new", data={**FORM, "name": "Python"}).location

    assert grace.get(own).status_code == 200
    for address in (others, f"{others}/edit", f"{others}/people"):
        assert grace.get(address).status_code == 404
    assert grace.post(f"{others}/plan").status_code == 404
    assert "Onboarding" not in grace.get("/admin/programs").text


def test_asking_for_a_plan_twice_leads_to_the_same_page(site: Site):
    browser = ada(site)
    shown = browser.post("/admin/programs/new", data=FORM).location

    first, second = browser.post(f"{shown}/plan"), browser.post(f"{shown}/plan")

    assert (first.status_code, first.location) == (303, second.location)
    page = browser.get(first.location).text
    assert "The plan is being drafted" in page
    assert "hx-get" in page
    with site.tools.database.reading() as session:
        assert len(session.scalars(select(Plan)).all()) == 1
        assert [each.task for each in session.scalars(select(Message))] == ["plan.draft"]


def test_a_coordinator_takes_somebody_out_after_seeing_who_is_mailed_and_back_in(site: Site):
    with site.tools.database.transaction() as session:
        barbara = build_person(session, "Barbara")
        series = build_series(session, [barbara], name="Pod of Barbara")
        series.invited_at = real_now()
        for each in series.occurrences:
            each.starts_at = each.starts_at.replace(year=2099)
            each.ends_at = each.ends_at.replace(year=2099)
        series.occurrences[0].is_exception = True
        program = series.pod.program
        session.add(ProgramMember(program=program, participant=barbara.participant))
        session.add(PodMember(pod=series.pod, participant=barbara.participant, joined_at=real_now()))
        session.flush()
        people = f"/admin/programs/{program.id}/people"
        removal = f"{people}/{barbara.id}/removal"
    grace = site.browser("grace@pods.example", Role.COORDINATOR)

    assert removal in grace.get(people).text
    asked = grace.get(removal).text
    assert "Pod of Barbara" in asked
    assert "2 mails are sent:" in asked
    assert "Barbara (barbara@pods.example): a cancellation" in asked
    assert (
        "Barbara (barbara@pods.example): cancellations of meetings that were moved or answered on their own" in asked
    )
    assert "no longer takes part" in grace.post(removal, follow_redirects=True).text
    assert "Nothing was changed." in grace.post(removal, follow_redirects=True).text
    assert "Nobody here has this address" in grace.get(f"{people}/addition?mail=nobody@x.example").text
    back = grace.get(f"{people}/addition?mail=BARBARA@pods.example").text
    assert "They come back into Pod of Barbara" in back
    assert "2 mails are sent:" in back
    assert "the invitation, to Barbara" in back
    assert "1 of them is about a meeting that was moved or answered on its own." in back
    added = {"mail": "barbara@pods.example"}
    assert "Barbara takes part." in grace.post(f"{people}/addition", data=added, follow_redirects=True).text
    assert "takes part already" in grace.post(f"{people}/addition", data=added, follow_redirects=True).text
    with site.tools.database.reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [message.task for message in session.scalars(select(Message))] == [Task.SERIES_PUSH]
    assert [(each.before, each.after) for each in entries] == [
        ({"person": barbara.id, "pods": ["Pod of Barbara"]}, {"mails": 2}),
        (None, {"person": barbara.id, "pods": ["Pod of Barbara"], "mails": 2}),
    ]


def test_a_coordinator_of_another_program_takes_nobody_out(site: Site):
    with site.tools.database.transaction() as session:
        barbara = build_person(session, "Barbara")
        own, other = build_series(session, [], name="Own"), build_series(session, [], name="Other", organizer_id="x")
        session.flush()
        session.add(CoordinatorLimit(mail="eve@pods.example", program_id=own.pod.program_id))
        people = f"/admin/programs/{other.pod.program_id}/people"
        removal = f"{people}/{barbara.id}/removal"
    eve = site.browser("eve@pods.example", Role.COORDINATOR)

    assert [eve.get(removal).status_code, eve.post(removal).status_code] == [404, 404]
    assert eve.post(f"{people}/addition", data={"mail": "barbara@pods.example"}).status_code == 404
