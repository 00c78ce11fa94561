"""What an upload says of a session: kept as the program lets it be, and read with what people have said since.

Where minutes are kept, who was there is kept as of a report, and everything is reckoned from that. Where only who was
present is kept, each unidentified record keeps whose attendance it would make whole, so that it can be assigned all
the same. Counts cannot be told apart later: they stand as they were imported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from integration.attendance.circumstances import knowledge_of, outcome_of, outcome_with, window_in
from integration.attendance.definitions import Outcome, PersonOutcome, Unmatched
from integration.attendance.exports_calls import begin_of
from integration.attendance.identities import Presence
from integration.attendance.intervals import Interval, clip, length, whole_seconds
from integration.attendance.models import AttendanceExport, ExportPresence
from integration.attendance.outcomes import COUNTS_ONLY, MINUTES, detail_of
from integration.attendance.presences import Knowledge, restored, stored, united
from integration.attendance.windows import window_of
from integration.scheduling.models import Occurrence

NOBODY = 0  # no participant has this id


def export_of(
    session: Session,
    occurrence: Occurrence,
    presences: Sequence[Presence],
    call: Interval,
    *,
    content: bytes,
    at: datetime,
) -> AttendanceExport:
    """What is kept of a file, which says that these were there."""
    detail, seen = detail_of(occurrence), united(presences)
    keeps_minutes, is_counted = detail == MINUTES, detail == COUNTS_ONLY
    widest = window_of(Interval(occurrence.starts_at, occurrence.ends_at))
    told = knowledge_of(session, occurrence, ())  # without what is recognised, which is applied whenever it is read
    bare = Knowledge(shared=told.shared, facilitator=told.facilitator)
    outcome = outcome_of(session, occurrence, seen) if is_counted else outcome_with(bare, occurrence, seen)
    return AttendanceExport(
        occurrence_id=occurrence.id,
        content_hash=hashlib.sha256(content).hexdigest(),
        facts_hash=_facts_hash(seen, call),
        starts_at=begin_of(call.starts_at, detail=detail),
        ends_at=call.ends_at if keeps_minutes else None,
        held=outcome.held,
        together_seconds=whole_seconds(outcome.together) if keeps_minutes else None,
        guests=outcome.guests,
        attended_count=len(outcome.attended),
        unknown_count=sum(each.attended is None for each in outcome.people),
        seen=stored(seen, within=widest) if keeps_minutes else None,
        unmatched=[
            {"kind": one.kind, "name": None} if is_counted else _record(one, occurrence, seen)
            for one in (() if keeps_minutes else outcome.unmatched)
        ],
        presences=[
            ExportPresence(participant_id=each.participant_id, attended=each.attended, reason=each.reason)
            for each in (() if keeps_minutes or is_counted else outcome.people)
        ],
        imported_at=at,
    )


def said_by(session: Session, occurrence: Occurrence, export: AttendanceExport) -> Outcome:
    """What an upload says of its occurrence, with everything applied that people have said since."""
    if export.seen is not None:
        return outcome_of(session, occurrence, restored(export.seen))
    known = knowledge_of(session, occurrence, [trace for each in export.unmatched for trace in _traces(each)])
    told = [(each, *_whose(each, known)) for each in export.unmatched]
    is_settled = all(whose is not None for _record, whose, _by in told)
    return Outcome(
        held=export.held,
        together=timedelta(seconds=export.together_seconds or 0),
        people=tuple(_person(each, told, is_settled=is_settled) for each in export.presences),
        guests=export.guests + sum(whose == NOBODY for _record, whose, _by in told),
        unmatched=tuple(_unmatched(record) for record, whose, _by in told if whose is None),
    )


def _facts_hash(seen: Iterable[Presence], call: Interval) -> str:
    """The same for the same call in whatever form and language it was downloaded, and whatever was said since."""
    people = sorted((each.participant_id or 0, each.kind, whole_seconds(length(each.intervals))) for each in seen)
    begin = call.starts_at.replace(second=0, microsecond=0).isoformat()
    return hashlib.sha256(repr((begin, people)).encode()).hexdigest()


def _record(one: Unmatched, occurrence: Occurrence, seen: Iterable[Presence]) -> dict[str, Any]:
    """An unidentified record without its minutes; ``enough``: whose attendance it would make whole."""
    window, threshold = window_in(occurrence), occurrence.series.pod.program.attendance_threshold
    theirs = next(each.intervals for each in seen if each.key == one.key)
    own = {each.participant_id: each.intervals for each in seen if each.participant_id}
    enough = [
        each.participant_id
        for each in occurrence.invited
        if length(clip((*theirs, *own.get(each.participant_id, ())), window)) >= threshold
    ]
    traces = [list(each) for each in one.traces]
    return {"kind": one.kind, "name": one.name, "key": one.key, "traces": traces, "enough": enough}


def _traces(record: dict[str, Any]) -> list[tuple[str, str]]:
    return [(kind, value) for kind, value in record.get("traces", ())]


def _whose(record: dict[str, Any], known: Knowledge) -> tuple[int | None, str]:
    """The participant whose record it is and how that is known, NOBODY for none of ours; None: nobody has said."""
    key = record.get("key")
    if key is not None and key in known.verdicts:
        return known.verdicts[key] or NOBODY, "assigned"
    found = (known.recognised[each] for each in _traces(record) if each in known.recognised)
    return next(found, None), "recognised"


def _person(
    said: ExportPresence, told: Iterable[tuple[dict[str, Any], int | None, str]], *, is_settled: bool
) -> PersonOutcome:
    came_by = "address" if said.attended else None
    one = PersonOutcome(
        said.participant_id, said.attended, timedelta(seconds=said.seconds or 0), said.reason, by=came_by
    )
    if one.attended:
        return one
    theirs = [(record, by) for record, whose, by in told if whose == said.participant_id]
    for record, by in theirs:
        if said.participant_id in record["enough"]:
            return replace(one, attended=True, reason=None, by=by)
    if one.attended is None and is_settled and not theirs:
        return replace(one, attended=False, reason=None)
    return one


def _unmatched(record: dict[str, Any]) -> Unmatched:
    return Unmatched(
        kind=record["kind"],
        name=record["name"],
        present=timedelta(seconds=record.get("seconds") or 0),
        key=record.get("key"),
        traces=tuple(_traces(record)),
    )
