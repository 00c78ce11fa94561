"""Fewer accounts than people: whoever was there says who shared the room, and the room's time is theirs, declared."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from integration.attendance.jobs import collect_attendance
from integration.attendance.models import SharedDeclaration
from integration.attendance.outcomes import attendance_of, correct_attendance
from integration.attendance.sharing import declare_shared, sharing_of
from integration.errors import Conflict
from integration.people.models import Person
from integration.scheduling.models import Invited, Occurrence
from tests.attendance.build import at
from tests.attendance.conftest import PodInTeams


def asked_about(pod: PodInTeams) -> tuple[bool, list[str]] | None:
    """Whether a room was there, and who is missing; None: there is nothing to ask."""
    with pod.tools.database.reading() as session:
        found = sharing_of(session, session.get_one(Occurrence, pod.occurrence_ids[0]))
        return None if found is None else (found.has_room, [each.name for each in found.candidates])


def ada_names(pod: PodInTeams, names: Sequence[str]) -> bool:
    with pod.tools.database.transaction() as session:
        people = {each.name: each.participant for each in session.scalars(select(Person))}
        occurrence = session.get_one(Occurrence, pod.occurrence_ids[0])
        who = [people[name].id for name in names]
        return declare_shared(session, occurrence, who, by=people["Ada"], at=at(100))


def accepted(pod: PodInTeams, *names: str) -> None:
    with pod.tools.database.transaction() as session:
        for row in session.scalars(select(Invited)):
            row.response = "accepted" if row.participant.name in names else "none"


def test_who_is_named_was_there_as_long_as_the_room_and_who_is_not_was_not(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Room", 2, 28, kind="room")
    pod.look(36)
    assert asked_about(pod) == (True, ["Grace", "Alan"])
    assert ada_names(pod, ["Grace"]) is True
    rows = pod.attendance()
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    assert (rows["Grace"].provenance, rows["Grace"].seconds, rows["Grace"].matched_by) == (
        "declared",
        26 * 60,
        "declared",
    )
    assert (rows["Ada"].provenance, rows["Alan"].provenance) == ("measured", "declared")
    assert pod.occurrence().held is True


def test_the_answer_may_change_and_the_latest_counts(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Room", 0, 30, kind="room")
    pod.look(36)
    for names in (["Grace"], ["Grace"], ["Alan"], []):
        ada_names(pod, names)
    assert pod.attended() == {"Ada": True, "Grace": False, "Alan": False}
    assert pod.occurrence().guests == 1  # it was others who sat there
    with pod.tools.database.reading() as session:
        assert len(session.scalars(select(SharedDeclaration)).all()) == 3  # the same answer twice is one


def test_a_room_shorter_than_the_threshold_makes_nobody_attend(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Room", 0, 8, kind="room")
    pod.stays("+41 44 555 12 34", 0, 5, kind="phone")
    pod.look(36)
    ada_names(pod, ["Grace"])
    assert pod.attended()["Grace"] is False


def test_what_was_said_stays_when_another_report_comes(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 12)
    pod.stays("Room", 0, 12, kind="room")
    pod.look(18)
    pod.look(36)
    ada_names(pod, ["Grace"])
    pod.stays("Ada", 40, 50)
    pod.stays("Room", 40, 50, kind="room")
    pod.look_until_done()
    assert pod.attendance()["Grace"].seconds == 22 * 60
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}


def test_a_correction_ends_what_the_facilitator_can_say_of_that_person(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Room", 0, 30, kind="room")
    pod.look(36)
    ada_names(pod, ["Grace", "Alan"])
    with pod.tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, pod.occurrence_ids[0])
        for name in ("Grace", "Alan"):
            person = session.scalars(select(Person).where(Person.name == name)).one()
            wrong = attendance_of(session, occurrence, person.participant)
            correct_attendance(session, wrong, attended=False, by=person.participant, why="I was ill.", at=at(110))
    with pytest.raises(Conflict, match="Nobody is missing"):
        ada_names(pod, ["Grace"])
    assert pod.attended() == {"Ada": True, "Grace": False, "Alan": False}


def test_fewer_accounts_than_acceptances_is_asked_about_and_mere_silence_is_not(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    accepted(pod, "Ada")
    pod.look(36)
    assert asked_about(pod) is None
    accepted(pod, "Ada", "Grace")
    assert asked_about(pod) == (False, ["Grace", "Alan"])
    ada_names(pod, ["Grace"])
    assert pod.attendance()["Grace"].seconds == 30 * 60  # she sat at Ada's screen
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}


@pytest.mark.parametrize("detail", ["present"])
def test_where_no_minutes_are_kept_the_room_is_read_again(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Room", 0, 30, kind="room")
    pod.look(36)
    assert ada_names(pod, ["Grace"]) is False
    collect_attendance(pod.tools, pod.occurrence_ids[0])
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    assert pod.attendance()["Grace"].provenance == "declared"
    assert pod.attendance()["Grace"].seconds is None


@pytest.mark.parametrize("detail", ["counts only"])
def test_where_only_counts_are_kept_nobody_is_named(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Room", 0, 30, kind="room")
    pod.look(36)
    assert asked_about(pod) is None
