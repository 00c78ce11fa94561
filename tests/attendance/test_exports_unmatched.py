"""Records that an upload leaves unidentified: a coordinator says who it was, as with those of reports of Teams."""

from __future__ import annotations

import pytest

from integration.attendance.jobs import collect_attendance
from tests.attendance.conftest import PodInTeams
from tests.attendance.export_words import Attendee
from tests.attendance.test_exports import call, german, imports, no_trace_of_minutes, rows
from tests.attendance.test_unmatched import NUMBER, it_was, records, undo

UPLOADED = "measured (uploaded)"


def by_phone(pod: PodInTeams, minutes: tuple[float, float], **others: tuple[float, float]) -> bytes:
    """An export of Ada, of the others, and of somebody who called."""
    [voice] = call(pod, Alan=minutes)
    return german([*call(pod, Ada=(0, 30), **others), Attendee(NUMBER, "", voice.stays)])


def test_the_telephone_of_an_upload_was_grace_and_her_two_stays_are_united(pod: PodInTeams) -> None:
    imports(pod, by_phone(pod, (4, 25), Grace=(0, 5)))
    assert pod.attended() == {"Ada": True, "Grace": None, "Alan": None}
    assert it_was(pod, "Grace") is True
    assert rows(pod) == {"Ada": (True, 1800, UPLOADED), "Grace": (True, 1500, UPLOADED), "Alan": (False, 0, UPLOADED)}
    assert pod.attendance()["Grace"].matched_by == "address"
    undo(pod)
    assert pod.attended() == {"Ada": True, "Grace": None, "Alan": None}


def test_it_is_remembered_for_the_next_report_and_the_next_upload(pod: PodInTeams) -> None:
    imports(pod, by_phone(pod, (0, 30)))
    it_was(pod, "Grace")
    pod.stays("Ada", 0, 30, occurrence=2)
    pod.stays(NUMBER, 0, 30, kind="phone", occurrence=2)
    pod.look(36, occurrence=2)
    assert pod.attended(2) == {"Ada": True, "Grace": True, "Alan": False}
    assert pod.attendance(2)["Grace"].matched_by == "recognised"
    assert records(pod, occurrence=2) == []


def test_none_of_ours_leaves_no_doubt_and_importing_again_changes_nothing(pod: PodInTeams) -> None:
    content = by_phone(pod, (0, 30))
    imports(pod, content)
    it_was(pod, None)
    assert (pod.attended(), pod.occurrence().guests) == ({"Ada": True, "Grace": False, "Alan": False}, 1)
    assert imports(pod, content, minute=300)[0] == "again"
    assert [row.verdict for row in records(pod)] == ["none of ours"]


def test_a_look_at_the_reports_keeps_the_record_of_the_upload_and_what_was_said_of_it(pod: PodInTeams) -> None:
    pod.stays("Ada", 40, 55)
    pod.stays("Grace", 40, 44)
    imports(pod, by_phone(pod, (0, 30)), minute=36)
    [before] = records(pod)
    pod.look(100)
    assert [row.id for row in records(pod)] == [before.id]
    it_was(pod, "Alan")
    collect_attendance(pod.tools, pod.occurrence_ids[0])
    assert pod.attended() == {"Ada": True, "Grace": False, "Alan": True}
    assert [(row.id, row.verdict) for row in records(pod)] == [(before.id, "one of ours")]


@pytest.mark.parametrize("detail", ["present"])
def test_without_minutes_it_can_be_said_at_once_too(pod: PodInTeams) -> None:
    imports(pod, by_phone(pod, (16.5, 23), Grace=(0, 5)))
    assert pod.attended() == {
        "Ada": True,
        "Grace": None,
        "Alan": False,
    }  # six and a half minutes make only hers whole
    assert it_was(pod, "Grace") is True
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    assert pod.attendance()["Grace"].matched_by == "assigned"
    undo(pod)
    assert pod.attended()["Grace"] is None
    it_was(pod, None)
    assert (pod.attended()["Grace"], pod.occurrence().guests) == (False, 1)
    assert no_trace_of_minutes(pod) == []


@pytest.mark.parametrize("detail", ["present"])
def test_without_minutes_somebody_known_already_is_recognised(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays(NUMBER, 0, 30, kind="phone")
    pod.look(36)
    it_was(pod, "Grace")
    pod.look(40)
    content = german([*call(pod, Ada=(45, 60)), Attendee(NUMBER, "", call(pod, Alan=(45, 60))[0].stays)])
    assert imports(pod, content) == ("new", False)
    pod.look(250)
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    assert [row.verdict for row in records(pod)] == ["one of ours"]
