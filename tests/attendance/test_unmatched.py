"""Records that lead to nobody: a coordinator says who it was, and the same is recognised next time."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from integration.attendance.jobs import collect_attendance
from integration.attendance.models import Recognition, UnmatchedRecord
from integration.attendance.recognitions import recognitions_of, revoke
from integration.attendance.unmatched import assign, record_of, set_aside, take_back
from integration.errors import Conflict, NotThere
from integration.people.models import Participant, Person
from integration.scheduling.models import Occurrence
from tests.attendance.build import at
from tests.attendance.conftest import PodInTeams

NUMBER = "+41 44 555 12 34"
EVE = "eve@pods.example"


def records(pod: PodInTeams, *, occurrence: int = 1) -> list[UnmatchedRecord]:
    with pod.tools.database.reading() as session:
        wanted = select(UnmatchedRecord).where(UnmatchedRecord.occurrence_id == pod.occurrence_ids[occurrence - 1])
        return list(session.scalars(wanted.order_by(UnmatchedRecord.id)))


def person(pod: PodInTeams, name: str) -> Person:
    with pod.tools.database.reading() as session:
        return session.scalars(select(Person).where(Person.name == name)).one()


def it_was(pod: PodInTeams, name: str | None, *, occurrence: int = 1, record: int = 0) -> bool:
    """Eve says who a record was; None: none of ours."""
    record_id = records(pod, occurrence=occurrence)[record].id
    with pod.tools.database.transaction() as session:
        row = record_of(session, pod.occurrence_ids[occurrence - 1], record_id)
        if name is None:
            return set_aside(session, row, by=EVE, at=at(100))
        chosen = session.scalars(select(Person).where(Person.name == name)).one()
        return assign(session, row, chosen.participant, by=EVE, at=at(100))


def undo(pod: PodInTeams, *, record: int = 0) -> None:
    record_id = records(pod)[record].id
    with pod.tools.database.transaction() as session:
        take_back(session, record_of(session, pod.occurrence_ids[0], record_id), at=at(101))


def test_the_telephone_was_grace_and_her_two_stays_are_united(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 5)
    pod.stays(NUMBER, 4, 25, kind="phone")
    pod.look(36)
    assert pod.attended() == {"Ada": True, "Grace": None, "Alan": None}
    assert pod.attendance()["Grace"].seconds == 5 * 60
    assert it_was(pod, "Grace") is True
    found = pod.attendance()
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    assert (found["Grace"].seconds, found["Grace"].provenance, found["Grace"].reason) == (25 * 60, "measured", None)
    assert pod.occurrence().unknown_count == 0


def test_next_week_her_number_is_known_and_nobody_is_asked(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays(NUMBER, 0, 30, kind="phone")
    pod.look(36)
    it_was(pod, "Grace")
    pod.stays("Ada", 0, 30, occurrence=2)
    pod.stays(NUMBER, 0, 30, kind="phone", occurrence=2)
    pod.look(36, occurrence=2)
    assert pod.attended(2) == {"Ada": True, "Grace": True, "Alan": False}
    assert pod.attendance(2)["Grace"].matched_by == "recognised"
    assert records(pod, occurrence=2) == []


def test_an_undo_gives_the_doubt_back_and_forgets_the_number(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays(NUMBER, 0, 30, kind="phone")
    pod.look(36)
    it_was(pod, "Grace")
    undo(pod)
    assert pod.attended() == {"Ada": True, "Grace": None, "Alan": None}
    with pod.tools.database.reading() as session:
        assert session.scalars(select(Recognition)).all() == []
    it_was(pod, "Alan")
    assert pod.attended() == {"Ada": True, "Grace": False, "Alan": True}


def test_none_of_ours_is_a_guest_and_leaves_no_doubt(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays(NUMBER, 0, 30, kind="phone")
    pod.look(36)
    it_was(pod, None)
    assert pod.attended() == {"Ada": True, "Grace": False, "Alan": False}
    assert pod.occurrence().guests == 1
    assert [row.verdict for row in records(pod)] == ["none of ours"]


def test_what_was_said_stays_when_another_report_comes(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 12)
    pod.stays(NUMBER, 0, 12, kind="phone")
    pod.look(18)
    pod.look(36)
    it_was(pod, "Grace")
    pod.stays("Ada", 40, 55)
    pod.stays(NUMBER, 40, 55, kind="phone")
    pod.look_until_done()
    assert pod.attendance()["Grace"].seconds == (12 + 15) * 60
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}


def test_a_display_name_is_known_in_its_pod_only(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Gracie", 0, 30, kind="anonymous")
    pod.look(36)
    it_was(pod, "Grace")
    with pod.tools.database.reading() as session:
        (learnt,) = session.scalars(select(Recognition))
        series = session.get_one(Occurrence, pod.occurrence_ids[0]).series
        assert (learnt.kind, learnt.value, learnt.pod_id) == ("name", "gracie", series.pod_id)


def test_a_starred_number_and_a_hidden_name_are_not_learnt_as_numbers(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("+41 44 555 ** **", 0, 30, kind="phone")
    pod.stays("somebody", 0, 30, kind="masked")
    pod.look(36)
    kinds = {row.kind: number for number, row in enumerate(records(pod))}
    it_was(pod, "Grace", record=kinds["phone"])
    it_was(pod, "Alan", record=kinds["masked"])
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": True}
    with pod.tools.database.reading() as session:
        assert [(each.kind, each.person.name) for each in session.scalars(select(Recognition))] == [("name", "Grace")]


def test_revoking_on_her_page_holds_from_the_next_session(pod: PodInTeams) -> None:
    for week in (1, 2):
        pod.stays("Ada", 0, 30, occurrence=week)
        pod.stays(NUMBER, 0, 30, kind="phone", occurrence=week)
    pod.look(36)
    it_was(pod, "Grace")
    grace = person(pod, "Grace")
    with pod.tools.database.transaction() as session:
        (known,) = recognitions_of(session, grace)
        with pytest.raises(NotThere):
            revoke(session, person(pod, "Alan").id, known.id)
        revoke(session, grace.id, known.id)
    pod.look(36, occurrence=2)
    assert pod.attended(2)["Grace"] is None
    assert pod.attended(1)["Grace"] is True


def test_who_was_not_invited_and_a_room_cannot_be_chosen(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Room", 0, 30, kind="room")
    pod.look(36)
    with pytest.raises(Conflict, match="several people"):
        it_was(pod, "Grace")
    with pod.tools.database.transaction() as session:
        row = session.scalars(select(UnmatchedRecord)).one()
        row.kind = "phone"
        stranger = Person(participant=Participant(), name="Linus", mail="linus@pods.example")
        session.add(stranger)
        session.flush()
        with pytest.raises(Conflict, match="Linus was not invited"):
            assign(session, row, stranger.participant, by=EVE, at=at(100))


@pytest.mark.parametrize("detail", ["present"])
def test_where_no_minutes_are_kept_the_reports_are_read_again(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 5)
    pod.stays(NUMBER, 6, 12, kind="phone")
    pod.look_until_done()
    assert pod.attended()["Grace"] is None
    assert it_was(pod, "Grace") is False
    assert pod.attended()["Grace"] is None
    collect_attendance(pod.tools, pod.occurrence_ids[0])
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}  # five minutes and six are above ten
    undo(pod)
    collect_attendance(pod.tools, pod.occurrence_ids[0])
    assert pod.attended()["Grace"] is None
    assert {row.seconds for row in pod.attendance().values()} == {None}


@pytest.mark.parametrize("detail", ["counts only"])
def test_where_only_counts_are_kept_nothing_can_be_said_of_a_record(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays(NUMBER, 0, 30, kind="phone")
    pod.look(36)
    with pytest.raises(Conflict, match="not kept"):
        it_was(pod, "Grace")
