"""The same calls by the reports of Graph and by exports in every form and language: the same facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.attendance.exports import import_export, only_one, readings
from integration.attendance.exports_file import read_export
from integration.attendance.exports_times import Order
from integration.attendance.models import Attendance, UnmatchedRecord
from integration.people.models import Person
from integration.scheduling.models import Occurrence
from tests.attendance.build import at
from tests.attendance.conftest import PodInTeams
from tests.attendance.export_words import TONGUES, Attendee, Stay, actions, as_file, people, sections, stays

ZURICH = ZoneInfo("Europe/Zurich")


def test_every_form_in_every_language_says_what_the_reports_say(pod: PodInTeams) -> None:
    pod.stays("Grace", 0, 8)
    pod.stays("Ada", 5, 30)
    pod.stays("Barbara", 6, 12)
    pod.stays("Grace", 20, 31)
    pod.wait_until(200)
    call = seen_by_the_organizer(pod)
    told = {name: imported(pod, content, order=order) for name, order, content in files(call)}
    pod.look(210)
    with pod.tools.database.reading() as session:
        reported = facts(session, pod.occurrence_ids[0])
    assert reported["people"] == {"Ada": (True, 1500), "Grace": (True, 1140), "Alan": (False, 0)}
    assert len(told) == 24 + 8
    for name, found in told.items():
        expected = dict(reported)
        if "people" in name:  # without breaks nobody can say when exactly they were there together
            expected["together"] = found["together"]
        if "no addresses" in name:  # without addresses a stand-in is nobody we know
            expected |= {"guests": 0, "unmatched": ["anonymous"]}
        assert found == expected, name


def test_a_telephone_in_an_export_leaves_the_same_doubt(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("+41 44 555 12 34", 2, 30, kind="phone")
    pod.wait_until(200)
    content = as_file(sections(TONGUES["German"], seen_by_the_organizer(pod)))
    told = imported(pod, content, order=Order.DAY_FIRST)
    pod.look(210)
    with pod.tools.database.reading() as session:
        assert told == facts(session, pod.occurrence_ids[0])
    assert told["people"] == {"Ada": (True, 1800), "Grace": (None, None), "Alan": (None, None)}


def seen_by_the_organizer(pod: PodInTeams, *, link: int = 0) -> list[Attendee]:
    """Everybody of the latest call behind a link, on a wall in Zurich, under the names of our roster."""
    ours = {account.id: name for name, account in pod.accounts.items()}
    return [
        Attendee(
            name=ours[each.person.id] if each.person else each.name,
            mail=each.person.mail if each.person else "",
            stays=tuple(
                Stay(*(moment.astimezone(ZURICH).replace(tzinfo=None) for moment in (one.joined_at, one.left_at)))
                for one in each.connections
                if one.left_at
            ),
        )
        for each in pod.meetings[link].calls[-1].participants.values()
    ]


def files(call: Sequence[Attendee]) -> Iterator[tuple[str, str, bytes]]:
    """Every form in every language, and English in every encoding: name, order of its dates, bytes."""
    for language, tongue in TONGUES.items():
        anonymous = "" if "Polish" not in language else ", no addresses"
        forms = {"people": people(tongue, call)}
        if tongue.stays:
            forms[f"stays{anonymous}"] = stays(tongue, call)
            forms[f"sections{anonymous}"] = sections(tongue, call)
        else:
            forms["sections, only people can be read"] = sections(tongue, call)
        if tongue.actions:
            forms["actions, no addresses"] = actions(tongue, call)
        for form, lines in forms.items():
            yield f"{language}: {form}", tongue.order, as_file(lines)
    british = sections(TONGUES["English of Britain"], call)
    yield "UTF-16, big end first", "dmy", b"\xfe\xff" + as_file(british, encoding="utf-16-be")
    yield "UTF-16 without mark", "dmy", as_file(british, encoding="utf-16-le")
    for encoding in ("utf-8", "utf-8-sig"):
        for delimiter in "\t,;":
            yield f"{encoding}, {delimiter!r}", "dmy", as_file(british, encoding=encoding, delimiter=delimiter)


def imported(pod: PodInTeams, content: bytes, *, order: str) -> dict[str, Any]:
    """The facts after an import, which is then taken back."""
    file = read_export(content)
    with pod.tools.database.transaction() as session:
        found = readings(session, file, orders=[Order(order)], zones=["Europe/Zurich"], programs=None)
        reading = only_one(found)
        assert reading is not None, found
        import_export(session, content, file, reading, at=at(200))
        session.flush()
        said = facts(session, pod.occurrence_ids[0])
        session.rollback()
        return said


def facts(session: Session, occurrence_id: int) -> dict[str, Any]:
    occurrence = session.get_one(Occurrence, occurrence_id)
    rows = session.execute(
        select(Person.name, Attendance.attended, Attendance.seconds)
        .join(Attendance, Attendance.participant_id == Person.participant_id)
        .where(Attendance.occurrence_id == occurrence_id)
    )
    kinds = select(UnmatchedRecord.kind).where(UnmatchedRecord.occurrence_id == occurrence_id)
    return {
        "people": {row[0]: (row[1], row[2]) for row in rows},
        "held": occurrence.held,
        "together": timedelta(seconds=occurrence.together_seconds or 0),
        "counts": (occurrence.attended_count, occurrence.unknown_count),
        "guests": occurrence.guests,
        "unmatched": sorted(session.scalars(kinds)),
        "attendance": occurrence.attendance,
    }
