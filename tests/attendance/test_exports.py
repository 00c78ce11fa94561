"""Exports become facts: of the right session, once, united with the reports of Teams, and no more than is kept."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, inspect, select, text

from integration.attendance.exports import Done, Reading, import_export, only_one, preview, readings
from integration.attendance.exports_file import read_export
from integration.attendance.exports_times import Order
from integration.attendance.layers import Said, both, together_of
from integration.attendance.models import Attendance, AttendanceExport
from integration.attendance.outcomes import correct_attendance
from integration.errors import Conflict
from integration.outbox import Task
from integration.scheduling.models import Occurrence, Series
from tests.attendance.build import WEEK, at
from tests.attendance.conftest import PodInTeams
from tests.attendance.export_words import TONGUES, Attendee, Stay, as_file, people, sections
from tests.attendance.test_exports_same_facts import facts, seen_by_the_organizer

ZURICH = ("Europe/Zurich",)
BOTH = (Order.DAY_FIRST, Order.MONTH_FIRST)
MINUTE = timedelta(minutes=1)


def call(pod: PodInTeams, **stays: tuple[float, float] | Sequence[tuple[float, float]]) -> list[Attendee]:
    """People by name with when they were there, in minutes after the planned start, on a wall in Zurich."""
    start = datetime(2026, 3, 4, 10, 0)  # noqa: DTZ001
    found = []
    for name, spans in stays.items():
        several = [spans] if isinstance(spans[0], (int, float)) else spans
        moments = tuple(Stay(start + a * MINUTE, start + b * MINUTE) for a, b in several)  # type: ignore[misc]
        found.append(Attendee(name, pod.account(name).mail, moments))
    return found


def german(call: Sequence[Attendee], **how: Any) -> bytes:
    return as_file(sections(TONGUES["German"], call, **how))


def imports(pod: PodInTeams, content: bytes, *, minute: float = 200, pick: int = 0) -> tuple[Done, bool]:
    file = read_export(content)
    with pod.tools.database.transaction() as session:
        found = readings(session, file, orders=BOTH, zones=ZURICH, programs=None)
        return import_export(session, content, file, found[pick], at=at(minute))


def rows(pod: PodInTeams) -> dict[str, tuple[bool | None, int | None, str]]:
    return {name: (row.attended, row.seconds, row.provenance) for name, row in pod.attendance().items()}


def found(pod: PodInTeams, content: bytes, *, zones: Sequence[str] = ZURICH) -> list[Reading]:
    with pod.tools.database.reading() as session:
        return readings(session, read_export(content), orders=BOTH, zones=zones, programs=None)


def test_an_upload_says_who_came_and_that_it_was_uploaded(pod: PodInTeams) -> None:
    assert imports(pod, german(call(pod, Ada=(0, 30), Grace=(5, 30)))) == (Done.NEW, True)
    assert rows(pod) == {
        "Ada": (True, 1800, "measured (uploaded)"),
        "Grace": (True, 1500, "measured (uploaded)"),
        "Alan": (False, 0, "measured (uploaded)"),
    }
    occurrence = pod.occurrence()
    assert (occurrence.attendance, occurrence.held, occurrence.held_provenance) == (
        "measured", True, "measured (uploaded)",
    )  # fmt: skip
    assert pod.asked(Task.OCCURRENCE_ASK) == 1


def test_importing_twice_changes_nothing_in_the_same_form_or_another(pod: PodInTeams) -> None:
    who = call(pod, Ada=(0, 30), Grace=(5, 30))
    imports(pod, german(who))
    before = tables(pod)
    assert imports(pod, german(who), minute=300) == (Done.AGAIN, True)
    assert imports(pod, as_file(people(TONGUES["Polish"], who)), minute=300) == (Done.AGAIN, True)
    assert tables(pod) == before


def test_the_whole_report_replaces_the_list_that_was_downloaded_during_the_call(pod: PodInTeams) -> None:
    imports(pod, german(call(pod, Ada=(0, 8), Grace=(5, 8))))
    assert imports(pod, german(call(pod, Ada=(0, 30), Grace=(5, 8))), minute=300) == (Done.REPLACED, True)
    assert rows(pod)["Ada"] == (True, 1800, "measured (uploaded)")
    assert rows(pod)["Grace"] == (False, 180, "measured (uploaded)")
    assert pod.occurrence().held is False


def test_a_later_report_of_the_same_call_wins(pod: PodInTeams) -> None:
    imports(pod, german(call(pod, Ada=(0, 30), Alan=(0, 30))))
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    pod.look(250)
    assert rows(pod) == {
        "Ada": (True, 1800, "measured"),
        "Grace": (True, 1800, "measured"),
        "Alan": (False, 0, "measured"),
    }


def test_an_upload_is_united_with_the_report_of_another_call(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 12)
    pod.stays("Grace", 0, 6)
    imports(pod, german(call(pod, Grace=(15, 25), Alan=(15, 30))))
    pod.look(250)
    assert rows(pod) == {
        "Ada": (True, 720, "measured"),
        "Grace": (True, 960, "measured (uploaded)"),
        "Alan": (True, 900, "measured (uploaded)"),
    }
    assert pod.occurrence().together_seconds == (6 + 10) * 60


def test_an_upload_after_the_reports_is_united_with_them_at_once_and_at_every_look(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 12)
    pod.stays("Grace", 0, 12)
    pod.look_until_done()
    assert imports(pod, german(call(pod, Alan=(15, 30))), minute=2_000) == (Done.NEW, True)
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": True}
    for minute in (2_010, 2_020):
        pod.look(minute)
        assert rows(pod)["Alan"] == (True, 900, "measured (uploaded)")
        assert rows(pod)["Ada"] == (True, 720, "measured")


@pytest.mark.parametrize("detail", ["present"])
def test_without_minutes_an_upload_after_the_reports_asks_for_them_again(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 12)
    pod.stays("Grace", 0, 12)
    pod.look_until_done()
    assert imports(pod, german(call(pod, Alan=(16.5, 30))), minute=2_000) == (Done.NEW, False)
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    assert pod.asked(Task.OCCURRENCE_COLLECT) >= 1
    pod.look(2_010)
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": True}


def test_a_correction_outlives_an_upload(pod: PodInTeams) -> None:
    imports(pod, german(call(pod, Ada=(0, 30), Grace=(5, 8))))
    with pod.tools.database.transaction() as session:
        wrong = session.get_one(Attendance, pod.attendance()["Grace"].id)
        correct_attendance(session, wrong, attended=True, by="office@pods.example", why="In the room.", at=at(210))
    imports(pod, german(call(pod, Ada=(0, 30), Grace=(5, 9))), minute=300)
    assert rows(pod)["Grace"][0] is True
    assert rows(pod)["Grace"][2] == "corrected"
    assert pod.occurrence().attended_count == 2


def test_two_sessions_at_the_time_are_told_apart_by_their_people_and_title(pod: PodInTeams) -> None:
    (reading, *others) = found(pod, german(call(pod, Ada=(0, 30)), title="Pod 1"))
    assert (reading.has_title, reading.known, reading.overlap) == (True, 1, timedelta(minutes=30))
    assert others == []


def test_strangers_in_another_meeting_are_no_session_of_ours(pod: PodInTeams) -> None:
    file = german(call(pod, Barbara=(0, 30)), title="Budget")
    assert only_one(found(pod, file)) is None
    assert found(pod, german([Attendee("Ada", "", (Stay(*_days_off(60)),))])) == []


def test_a_time_zone_that_nobody_told_is_a_question(pod: PodInTeams) -> None:
    content = german(call(pod, Ada=(0, 30)))
    both_zones = found(pod, content, zones=("Europe/Zurich", "Europe/London"))
    assert [(each.zone, each.overlap / MINUTE) for each in both_zones] == [
        ("Europe/Zurich", 30),
        ("Europe/London", 0),
    ]
    assert only_one(both_zones) is None


def test_an_ambiguous_date_is_a_question_when_both_orders_lead_somewhere(pod: PodInTeams) -> None:
    with pod.tools.database.transaction() as session:
        third = session.get_one(Occurrence, pod.occurrence_ids[2])
        third.starts_at = at(-60) + timedelta(days=30)  # 3 April at ten in the summer, read from 04/03
        third.ends_at = third.starts_at + timedelta(minutes=30)
    content = as_file(people(TONGUES["English of Britain"], call(pod, Ada=(0, 30))))
    file = read_export(content)
    assert file.orders == {Order.DAY_FIRST, Order.MONTH_FIRST}
    both_orders = found(pod, content)
    assert {(each.order, each.occurrence_id) for each in both_orders} == {
        (Order.DAY_FIRST, pod.occurrence_ids[0]),
        (Order.MONTH_FIRST, pod.occurrence_ids[2]),
    }
    assert only_one(both_orders) is None


def test_a_preview_shows_names_and_writes_nothing(pod: PodInTeams) -> None:
    content = german(call(pod, Ada=(0, 30), Grace=(0, 3)))
    before = tables(pod)
    with pod.tools.database.reading() as session:
        file = read_export(content)
        shown = preview(session, file, readings(session, file, orders=BOTH, zones=ZURICH, programs=None)[0])
        said = {shown.names[each.participant_id]: each.attended for each in shown.outcome.people}
    assert said == {"Ada": True, "Grace": False, "Alan": False}
    assert tables(pod) == before


def test_nothing_is_imported_for_a_session_that_goes_on_or_whose_list_is_missing(pod: PodInTeams) -> None:
    content = german(call(pod, Ada=(0, 30)))
    with pytest.raises(Conflict, match="not over"):
        imports(pod, content, minute=20)
    with pod.tools.database.transaction() as session:
        session.get_one(Occurrence, pod.occurrence_ids[0]).frozen_at = None
    with pytest.raises(Conflict, match="Nobody knows who was invited"):
        imports(pod, content)
    assert pod.attendance() == {}


@pytest.mark.parametrize("detail", ["present"])
def test_present_keeps_who_came_and_no_minutes(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 12)
    pod.stays("Grace", 0, 12)
    imports(pod, german(call(pod, Alan=(16.5, 30))))
    assert rows(pod) == {
        "Ada": (False, None, "measured (uploaded)"),
        "Grace": (False, None, "measured (uploaded)"),
        "Alan": (True, None, "measured (uploaded)"),
    }
    pod.look(250)
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": True}
    assert no_trace_of_minutes(pod) == []


@pytest.mark.parametrize("detail", ["counts only"])
def test_counts_only_keeps_no_minute_and_no_name_anywhere(pod: PodInTeams) -> None:
    known = traces_of_people(pod)
    content = german(
        [*call(pod, Ada=(0, 30), Grace=(5, 12)), Attendee("+41 44 555 12 34", "", (Stay(*_days_off(0)),))]
    )
    assert imports(pod, content) == (Done.NEW, True)
    occurrence = pod.occurrence()
    assert (occurrence.attended_count, occurrence.unknown_count, occurrence.guests) == (
        1,
        2,
        0,
    )  # Grace may have gone on by phone
    assert pod.attendance() == {}
    assert no_trace_of_minutes(pod) == []
    assert traces_of_people(pod) == known
    assert imports(pod, content) == (Done.AGAIN, True)


@pytest.mark.parametrize("detail", ["counts only"])
def test_counts_of_two_calls_say_what_nobody_can_tell(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 12)
    pod.stays("Grace", 0, 12)
    imports(pod, german(call(pod, Alan=(16.5, 30))))
    pod.look(250)
    occurrence = pod.occurrence()  # two came to the first call, one to the second: the same one, or somebody else
    assert (occurrence.attended_count, occurrence.unknown_count) == (2, 1)


def test_what_two_sources_say_together() -> None:
    ten = timedelta(minutes=10)
    assert both(Said(False, 300), Said(False, 360), threshold=ten, at_once=False) == Said(True, 660)
    assert both(Said(False, 300), Said(False, 360), threshold=ten, at_once=True) == Said(False, 360)
    assert both(Said(None, None, "phone"), Said(False, 0), threshold=ten, at_once=False) == Said(None, None, "phone")
    assert both(Said(None, None), Said(True, None), threshold=ten, at_once=False) == Said(True, None)
    assert together_of((2, 0), (1, 0), invited=3) == (2, 1)
    assert together_of((2, 0), (3, 0), invited=3) == (3, 0)
    assert together_of((1, 1), (1, 0), invited=4) == (1, 2)


def _days_off(days: int) -> tuple[datetime, datetime]:
    start = datetime(2026, 3, 4, 10, 0) + timedelta(days=days)  # noqa: DTZ001
    return start, start + timedelta(minutes=30)


def tables(pod: PodInTeams) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with pod.tools.database.reading() as session:
        names = inspect(session.connection()).get_table_names()
        return {
            name: sorted(
                json.dumps(list(row), default=str) for row in session.execute(text(f'SELECT * FROM "{name}"'))
            )
            for name in names
        }


def no_trace_of_minutes(pod: PodInTeams) -> list[str]:
    """Where a begin, an end or a length of a stay can be read."""
    exact = re.compile(r"09:(05|12|16|30):|(?<![\w.])(1800|1500|420|810|300|720)(?!\w)")
    kept = {"occurrence", "series", "series_meeting", "program", "outbox_message", "attendance_report"}
    return [
        f"{name}: {row}"
        for name, content in tables(pod).items()
        for row in content
        if name not in kept and exact.search(row)
    ]


def traces_of_people(pod: PodInTeams) -> dict[str, int]:
    """How many rows of each table name somebody or lead to them."""
    words = ("Ada", "Grace", "Alan", "+41", *(each.mail for each in pod.accounts.values()))
    found = {
        name: sum(any(word in row for word in words) for row in content) for name, content in tables(pod).items()
    }
    with pod.tools.database.reading() as session:
        found["attendance rows"] = session.scalar(select(func.count()).select_from(Attendance)) or 0
    return {name: count for name, count in found.items() if count}


def test_the_file_itself_is_not_kept(pod: PodInTeams) -> None:
    content = german(call(pod, Ada=(0, 30)))
    imports(pod, content)
    with pod.tools.database.reading() as session:
        kept = session.scalars(select(AttendanceExport)).one()
        assert kept.content_hash == hashlib.sha256(content).hexdigest()
        assert session.scalars(select(Series.subject)).all() == ["Pod 1"]
    assert "In der Besprechung" not in str(tables(pod))


def test_facts_of_a_report_and_an_upload_are_the_same_in_the_end(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 1, 29)
    pod.wait_until(200)
    imports(pod, german(seen_by_the_organizer(pod)))
    with pod.tools.database.reading() as session:
        uploaded = facts(session, pod.occurrence_ids[0])
    pod.look(250)
    with pod.tools.database.reading() as session:
        assert facts(session, pod.occurrence_ids[0]) == uploaded


def test_each_week_keeps_its_own_upload(pod: PodInTeams) -> None:
    imports(pod, german(call(pod, Ada=(0, 30))))
    later = [Attendee("Alan", pod.account("Alan").mail, tuple(Stay(*_days_off(7)) for _ in "1"))]
    imports(pod, german(later), minute=WEEK / MINUTE + 200)
    assert pod.attended(1) == {"Ada": True, "Grace": False, "Alan": False}
    assert pod.attended(2) == {"Ada": False, "Grace": False, "Alan": True}
