"""People say who came: corrections with who and why, requests that are decided, and check-ins that are confirmed."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from integration.admin.models import AuditEntry
from integration.admin.permissions import Role
from integration.attendance.checkins import Door, check_in, check_ins_of, confirm, door_of
from integration.attendance.corrections import ask_for_correction, correct_count, correct_person
from integration.attendance.layers import lay_over
from integration.attendance.models import Attendance, CheckIn, CorrectionRequest, CountCorrection
from integration.attendance.outcomes import record_outcome, record_unknown
from integration.attendance.provenances import people_by_provenance, provenance_of
from integration.attendance.views_checkins import code_address
from integration.db import Database
from integration.errors import Conflict, InputRefused
from integration.people.models import Person
from integration.scheduling.models import Occurrence, PodMember
from tests.admin.conftest import Site, environ_out_of_reach
from tests.admin.conftest import site as site
from tests.attendance.build import at, build_person, build_series
from tests.attendance.test_declaring import attended, only_ada_came


@pytest.fixture
def environ(tmp_path: Path, database_url: str) -> dict[str, str]:
    environ = environ_out_of_reach(tmp_path, database_url, now=at(10))  # ten minutes into the first session
    return {**environ, "PUBLIC_URL": "https://pods.example"}


@pytest.fixture
def clock(environ: dict[str, str]) -> Path:
    return Path(environ["CLOCK_FILE"])


def move(clock: Path, minutes: float) -> None:
    moment = at(minutes)
    clock.write_text(moment.isoformat(), encoding="ascii")


def build(session, *, detail: str = "minutes") -> Occurrence:
    """Ada facilitates; Grace and Alan are in her pod. Eve coordinates and is in no roster."""
    people = [build_person(session, name) for name in ("Ada", "Grace", "Alan")]
    series = build_series(session, people, detail=detail)
    for person in people:
        session.add(PodMember(pod=series.pod, participant=person.participant, joined_at=at(-60)))
    series.invited_at = at(-60)
    series.occurrences[0].facilitator_id = people[0].participant_id
    session.flush()
    return series.occurrences[0]


@pytest.fixture
def occurrence_id(site: Site, request: pytest.FixtureRequest) -> int:
    with site.tools.database.transaction() as session:
        return build(session, detail=getattr(request, "param", "minutes")).id


def measured(site: Site, occurrence_id: int) -> None:
    with site.tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, occurrence_id)
        record_outcome(session, occurrence, only_ada_came(occurrence), at=at(40))
        lay_over(session, occurrence, calls=(), at=at(40))


def said(site: Site, occurrence_id: int) -> dict[str, tuple[bool | None, str]]:
    with site.tools.database.reading() as session:
        rows = session.execute(
            select(Person.name, Attendance.attended, Attendance.provenance)
            .join(Attendance, Attendance.participant_id == Person.participant_id)
            .where(Attendance.occurrence_id == occurrence_id)
        )
        return {row[0]: (row[1], row[2]) for row in rows}


def participant_id(site: Site, name: str) -> int:
    with site.tools.database.reading() as session:
        return session.scalars(select(Person.participant_id).where(Person.name == name)).one()


def browser(site: Site, name: str, *roles: Role):
    return site.browser(f"{name.lower()}@pods.example", *roles, name=name)


def path_of(site: Site, occurrence_id: int, name: str | None = None) -> str:
    person = participant_id(site, name) if name else None
    return code_address(occurrence_id, site.tools, person).removeprefix("https://pods.example")


def test_eve_corrects_and_grace_sees_who_and_why(site: Site, clock: Path, occurrence_id: int) -> None:
    measured(site, occurrence_id)
    move(clock, 60)
    eve = browser(site, "Eve", Role.COORDINATOR)
    address = f"/admin/occurrences/{occurrence_id}/attendance"
    form = {"participant": participant_id(site, "Grace"), "attended": "yes"}
    assert eve.post(address, data={**form, "why": "  "}).status_code == 400
    assert said(site, occurrence_id)["Grace"] == (False, "measured")
    assert eve.post(address, data={**form, "why": "She sat beside me."}).status_code == 303
    assert said(site, occurrence_id)["Grace"] == (True, "corrected")
    page = eve.get(address).text
    assert "was not there → was there" in page
    pod = re.search(r'href="(/me/pods/\d+)"', browser(site, "Grace").get("/me/").text)
    assert pod is not None
    hers = unescape(browser(site, "Grace").get(pod[1]).text)
    assert "eve@pods.example" in hers
    assert "She sat beside me." in hers
    with site.tools.database.reading() as session:
        assert session.scalar(select(AuditEntry.actor).where(AuditEntry.action == "attendance.correct"))


def test_what_is_missing_in_what_is_known_stands_beside_it(site: Site, occurrence_id: int) -> None:
    measured(site, occurrence_id)
    with site.tools.database.transaction() as session:
        session.get_one(Occurrence, occurrence_id).attendance_reason = "A report cannot be read again."
    page = browser(site, "Ada").get(f"/me/sessions/{occurrence_id}").text
    assert "1 of 3" in page
    assert "A report cannot be read again." in page


def test_the_facilitator_corrects_their_own_session_and_nobody_elses(
    site: Site, clock: Path, occurrence_id: int
) -> None:
    measured(site, occurrence_id)
    move(clock, 60)
    form = {"participant": participant_id(site, "Alan"), "attended": "yes", "why": "In the room."}
    assert browser(site, "Grace").post(f"/me/sessions/{occurrence_id}", data=form).status_code == 404
    assert browser(site, "Ada").post(f"/me/sessions/{occurrence_id}", data=form).status_code == 303
    assert said(site, occurrence_id)["Alan"] == (True, "corrected")
    assert "In the room." in browser(site, "Ada").get(f"/me/sessions/{occurrence_id}").text
    assert browser(site, "Ada").get(f"/me/sessions/{occurrence_id + 1}").status_code == 404


def test_grace_asks_eve_sees_it_on_today_and_accepts_with_one_click(
    site: Site, clock: Path, occurrence_id: int
) -> None:
    measured(site, occurrence_id)
    move(clock, 60)
    grace, eve = browser(site, "Grace"), browser(site, "Eve", Role.COORDINATOR)
    address = f"/me/sessions/{occurrence_id}/correction"
    assert grace.post(address, data={"attended": "yes", "why": ""}).status_code == 400
    assert grace.post(address, data={"attended": "no", "why": "x"}).status_code == 400  # that stands there already
    assert grace.post(address, data={"attended": "yes", "why": "I was in the room."}).status_code == 303
    assert grace.post(address, data={"attended": "yes", "why": "I was in room 5."}).status_code == 303
    assert said(site, occurrence_id)["Grace"] == (False, "measured")
    today = eve.get("/admin/").text
    (accept,) = re.findall(r'action="(/admin/corrections/\d+/accept)"', today)
    assert "I was in room 5." in today
    assert eve.get(accept).status_code == 405
    assert eve.post(accept).status_code == 303
    assert eve.post(accept).status_code == 409
    assert said(site, occurrence_id)["Grace"] == (True, "corrected")
    assert "/accept" not in eve.get("/admin/").text


def test_a_refusal_needs_a_reason_and_alan_reads_it(site: Site, clock: Path, occurrence_id: int) -> None:
    measured(site, occurrence_id)
    move(clock, 60)
    alan, eve = browser(site, "Alan"), browser(site, "Eve", Role.COORDINATOR)
    alan.post(f"/me/sessions/{occurrence_id}/correction", data={"attended": "yes", "why": "I was there."})
    with site.tools.database.reading() as session:
        request_id = session.scalars(select(CorrectionRequest.id)).one()
    refuse = f"/admin/corrections/{request_id}/refuse"
    assert eve.post(refuse, data={"why": ""}).status_code == 400
    assert eve.post(refuse, data={"why": "You were on holiday."}).status_code == 303
    pod = re.search(r'href="(/me/pods/\d+)"', alan.get("/me/").text)
    assert pod is not None
    assert "You were on holiday." in alan.get(pod[1]).text
    assert said(site, occurrence_id)["Alan"] == (False, "measured")


@pytest.mark.parametrize("occurrence_id", ["counts only"], indirect=True)
def test_counts_are_corrected_without_names(site: Site, clock: Path, occurrence_id: int) -> None:
    move(clock, 60)
    eve = browser(site, "Eve", Role.COORDINATOR)
    address = f"/admin/occurrences/{occurrence_id}/attendance"
    for count in ("4", "", "-1", "many"):
        assert eve.post(address, data={"count": count, "why": "I counted."}).status_code == 400, count
    assert eve.post(address, data={"count": "2", "why": "I counted."}).status_code == 303
    with site.tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, occurrence_id)
        assert (occurrence.attended_count, occurrence.unknown_count, occurrence.held) == (2, 0, True)
        assert provenance_of(session, occurrence) == "corrected"
        assert people_by_provenance(session, [occurrence])["corrected"] == 3
        assert session.scalar(select(func.count()).select_from(Attendance)) == 0
    page = eve.get(address).text
    assert "I counted." in page
    assert "Grace" not in page
    assert path_of(site, occurrence_id).startswith("/check-in/")
    assert "no names" in browser(site, "Grace").get(path_of(site, occurrence_id)).text


def test_a_check_in_takes_two_taps_and_is_no_fact_before_it_is_confirmed(site: Site, occurrence_id: int) -> None:
    grace, address = browser(site, "Grace"), path_of(site, occurrence_id)
    page = grace.get(address)
    assert "I am here" in page.text
    with site.tools.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(CheckIn)) == 0
    action = re.search(r'action="(/me/sessions/\d+/check-in)"', page.text)
    assert action is not None
    for _twice in range(2):
        assert grace.post(action[1], data={"present": "yes"}).status_code == 303
    assert "You said that you are here." in grace.get(address).text
    assert said(site, occurrence_id) == {}
    grace.post(action[1], data={"present": "no"})
    assert "I am here" in grace.get(address).text
    grace.post(action[1], data={"present": "yes"})
    ada = browser(site, "Ada")
    assert "checked> Grace" in ada.get(f"/me/sessions/{occurrence_id}").text
    assert browser(site, "Grace").post(f"/me/sessions/{occurrence_id}/check-ins").status_code == 404
    done = ada.post(f"/me/sessions/{occurrence_id}/check-ins", data={"present": [participant_id(site, "Grace")]})
    assert done.status_code == 303
    assert said(site, occurrence_id) == {
        "Ada": (False, "declared"), "Grace": (True, "declared"), "Alan": (False, "declared"),
    }  # fmt: skip
    assert grace.post(action[1], data={"present": "no"}).status_code == 409
    assert said(site, occurrence_id)["Grace"] == (True, "declared")


def test_a_personal_link_works_without_signing_in_and_for_nobody_else(site: Site, occurrence_id: int) -> None:
    stranger, address = site.browser(), path_of(site, occurrence_id, "Alan")
    assert "Sign in" in stranger.get(path_of(site, occurrence_id)).text
    page = stranger.get(address)
    assert (page.status_code, "Alan" in page.text) == (200, True)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert stranger.post(address, data={"present": "yes"}).status_code == 303
    stranger.post(path_of(site, occurrence_id), data={"present": "yes"})
    with site.tools.database.reading() as session:
        rows = session.scalars(select(CheckIn)).all()
    assert [each.participant_id for each in rows] == [participant_id(site, "Alan")]
    assert stranger.get("/check-in/forged").status_code == 404
    assert stranger.get(address + "/code").status_code == 404
    assert browser(site, "Mallory").get(path_of(site, occurrence_id)).status_code == 200


def test_it_is_taken_in_its_hours_only(site: Site, clock: Path, occurrence_id: int) -> None:
    stranger, address = site.browser(), path_of(site, occurrence_id, "Alan")
    for minutes, status in ((-16, 409), (-15, 303), (90, 303), (90.1, 409), (7 * 24 * 60, 409)):
        move(clock, minutes)
        assert stranger.post(address, data={"present": "yes"}).status_code == status, minutes
    move(clock, 120)
    assert "open from 15 minutes before" in stranger.get(address).text


def test_the_code_is_shown_as_a_picture_of_the_link(site: Site, occurrence_id: int) -> None:
    page = site.browser().get(path_of(site, occurrence_id) + "/code").text
    assert "<svg" in page
    assert f"https://pods.example{path_of(site, occurrence_id)}" in page
    assert " style=" not in page


def test_what_teams_saw_stays_and_what_it_could_not_see_is_filled(database: Database) -> None:
    with database.transaction() as session:
        occurrence = build(session)
        ada, grace, alan = (each.participant for each in occurrence.invited)
        record_outcome(session, occurrence, only_ada_came(occurrence), at=at(40))
        confirm(session, occurrence, [grace.id], by=ada, at=at(50))
        assert attended(session, occurrence) == [True, True, False]
        rows = {row.participant_id: row.provenance for row in session.scalars(select(Attendance))}
        assert rows == {ada.id: "measured", grace.id: "declared", alan.id: "measured"}
        with pytest.raises(Conflict, match="confirmed already"):
            confirm(session, occurrence, [alan.id], by=ada, at=at(51))
        with pytest.raises(Conflict, match="confirmed already"):
            check_in(session, occurrence, alan, present=True, at=at(52))


def test_an_unknown_session_becomes_known_by_a_confirmation(database: Database) -> None:
    with database.transaction() as session:
        occurrence = build(session)
        ada, grace, _alan = (each.participant for each in occurrence.invited)
        record_unknown(session, occurrence, reason="No sign of a meeting.", at=at(24 * 60))
        confirm(session, occurrence, [ada.id, grace.id], by="eve@pods.example", at=at(25 * 60))
        assert (occurrence.attendance, occurrence.held, occurrence.held_provenance) == ("declared", True, "declared")
        assert (occurrence.attended_count, occurrence.unknown_count) == (2, 0)
        assert provenance_of(session, occurrence) == "declared"


def test_what_cannot_be_is_refused_by_name(database: Database) -> None:
    with database.transaction() as session:
        occurrence = build(session)
        stranger = build_person(session, "Mallory").participant
        ada = occurrence.invited[0].participant
        with pytest.raises(Conflict, match="not invited"):
            check_in(session, occurrence, stranger, present=True, at=at(5))
        with pytest.raises(InputRefused, match="Only who was invited"):
            confirm(session, occurrence, [stranger.id], by=ada, at=at(5))
        with pytest.raises(Conflict, match="has not begun"):
            confirm(session, occurrence, [ada.id], by=ada, at=at(-5))
        with pytest.raises(Conflict, match="not over"):
            correct_person(session, occurrence, ada, attended=True, by=ada, why="Yes.", at=at(5))
        with pytest.raises(Conflict, match="No attendance of single people"):
            ask_for_correction(session, occurrence, ada, attended=True, why="Yes.", at=at(60))
        with pytest.raises(Conflict, match="not only how many"):
            correct_count(session, occurrence, 2, by=ada, why="Yes.", at=at(60))
        assert check_ins_of(session, occurrence, now=at(5)).said == {}
        occurrence.cancelled_at = at(-60)
        assert door_of(occurrence, now=at(5)) is Door.CANCELLED


def test_a_later_look_leaves_counts_that_people_corrected(database: Database) -> None:
    with database.transaction() as session:
        occurrence = build(session, detail="counts only")
        record_outcome(session, occurrence, only_ada_came(occurrence), at=at(40))
        correct_count(session, occurrence, 3, by="eve@pods.example", why="I counted.", at=at(60))
        assert (occurrence.attended_count, occurrence.attendance) == (3, "measured")
        (kept,) = session.scalars(select(CountCorrection))
        assert (kept.earlier_attended, kept.corrected_by_mail) == (1, "eve@pods.example")


def test_two_check_ins_at_once_are_one(database: Database) -> None:
    with database.transaction() as session:
        occurrence_id = build(session).id
    with database.transaction() as first:
        occurrence = first.get_one(Occurrence, occurrence_id)
        raced = []

        @event.listens_for(first, "before_flush")
        def race(session, *_args: object) -> None:
            if not raced and not database.is_sqlite:  # there a second writer waits for the first
                raced.append(True)
                with database.transaction() as second:
                    other = second.get_one(Occurrence, occurrence_id)
                    check_in(second, other, other.invited[1].participant, present=True, at=at(4))

        check_in(first, occurrence, occurrence.invited[1].participant, present=True, at=at(5))
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(CheckIn)) == 1
