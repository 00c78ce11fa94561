"""patternedRecurrence in JSON: read with Graph's rules on which field goes with which type, and written back."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, cast

from ..tenant.refusals import Refused, invalid
from ..tenant.series import DAYS, INDEXES, Pattern, PatternType, Range, Recurrence
from ..tenant.zones import iana
from .odata import Json, known_properties

PATTERN_FIELDS = ("type", "interval", "month", "dayOfMonth", "daysOfWeek", "firstDayOfWeek", "index")
RANGE_FIELDS = ("type", "startDate", "endDate", "recurrenceTimeZone", "numberOfOccurrences")
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "daily": (),
    "weekly": ("daysOfWeek",),
    "absoluteMonthly": ("dayOfMonth",),
    "relativeMonthly": ("daysOfWeek",),
    "absoluteYearly": ("dayOfMonth", "month"),
    "relativeYearly": ("daysOfWeek", "month"),
}
OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "weekly": ("firstDayOfWeek",),
    "relativeMonthly": ("index",),
    "relativeYearly": ("index",),
}
NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "month": (0,),
    "dayOfMonth": (0,),
    "daysOfWeek": ([],),
    "firstDayOfWeek": ("sunday",),
    "index": ("first",),
    "numberOfOccurrences": (0,),
    "endDate": ("0001-01-01",),
}
"""What Graph itself writes into fields a type has no use for: sent back, it is no extra value."""
RANGE_REQUIRED = {"endDate": ("endDate",), "numbered": ("numberOfOccurrences",), "noEnd": ()}
MOST_OCCURRENCES = 999
LONGEST_INTERVAL = 99


def read_recurrence(sent: object, *, starts: datetime, zone: str) -> Recurrence | None:
    """Checks and reads; `starts` is the event's start, `zone` its zone as written. Raises Refused."""
    if sent is None:
        return None
    if not isinstance(sent, dict):
        raise invalid("The property 'recurrence' must be a patternedRecurrence.")
    known_properties(sent, ("pattern", "range"), "patternedRecurrence")
    pattern, span = sent.get("pattern"), sent.get("range")
    if not isinstance(pattern, dict) or not isinstance(span, dict):
        raise invalid("A recurrence needs both a pattern and a range.")
    recurrence = Recurrence(_pattern(pattern), _range(span, zone=zone))
    if recurrence.range.start_date != starts.date():
        raise invalid("The recurrence range's startDate must be the date of the event's start.")
    if next(recurrence.starts_local(starts.time(), until=date.max), None) is None:
        raise Refused(400, "ErrorRecurrenceHasNoOccurrence", "The recurrence has no occurrence in its range.")
    return recurrence


def recurrence_json(recurrence: Recurrence) -> Json:
    pattern, span = recurrence.pattern, recurrence.range
    return {
        "pattern": {
            "type": pattern.type,
            "interval": pattern.interval,
            "month": pattern.month,
            "dayOfMonth": pattern.day_of_month,
            "daysOfWeek": list(pattern.days_of_week),
            "firstDayOfWeek": pattern.first_day_of_week,
            "index": pattern.index,
        },
        "range": {
            "type": span.type,
            "startDate": span.start_date.isoformat(),
            "endDate": (span.end_date or date.min).isoformat(),
            "recurrenceTimeZone": span.time_zone_name,
            "numberOfOccurrences": span.number_of_occurrences,
        },
    }


def _pattern(sent: Json) -> Pattern:
    known_properties(sent, PATTERN_FIELDS, "recurrencePattern")
    kind = _word(sent, "type", tuple(REQUIRED))
    _check_fields(sent, kind, REQUIRED[kind], OPTIONAL.get(kind, ()), PATTERN_FIELDS)
    return Pattern(
        type=cast(PatternType, kind),
        interval=_number(sent, "interval", 1, LONGEST_INTERVAL),
        days_of_week=_days(sent) if "daysOfWeek" in REQUIRED[kind] else (),
        first_day_of_week=_word(sent, "firstDayOfWeek", DAYS, default="sunday"),
        day_of_month=_number(sent, "dayOfMonth", 1, 31) if "dayOfMonth" in REQUIRED[kind] else 0,
        month=_number(sent, "month", 1, 12) if "month" in REQUIRED[kind] else 0,
        index=_word(sent, "index", tuple(INDEXES), default="first"),
    )


def _range(sent: Json, *, zone: str) -> Range:
    known_properties(sent, RANGE_FIELDS, "recurrenceRange")
    kind = cast(Literal["endDate", "numbered", "noEnd"], _word(sent, "type", tuple(RANGE_REQUIRED)))
    _check_fields(sent, kind, RANGE_REQUIRED[kind], ("recurrenceTimeZone", "startDate"), RANGE_FIELDS)
    zone = str(sent.get("recurrenceTimeZone") or zone)
    if iana(zone) is None:
        message = (
            f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{zone}'."
        )
        raise Refused(400, "TimeZoneNotSupportedException", message)
    starts = _date(sent, "startDate")
    ends = _date(sent, "endDate") if kind == "endDate" else None
    if ends is not None and ends < starts:
        raise invalid("The recurrence range's endDate is before its startDate.")
    count = _number(sent, "numberOfOccurrences", 1, MOST_OCCURRENCES) if kind == "numbered" else 0
    return Range(kind, starts, ends, count, zone)


def _check_fields(
    sent: Json, kind: str, required: tuple[str, ...], optional: tuple[str, ...], fields: tuple[str, ...]
) -> None:
    for name in fields:
        if name in ("type", "interval", *required, *optional):
            continue
        value = sent.get(name)
        folded = value.lower() if isinstance(value, str) else value
        if value is not None and folded not in NEUTRAL.get(name, ()):
            raise invalid(f"The field '{name}' does not go with a recurrence of type '{kind}'.")
    for name in required:
        if sent.get(name) in (None, [], ""):
            raise invalid(f"A recurrence of type '{kind}' needs the field '{name}'.")


def _word(sent: Json, name: str, words: tuple[str, ...], *, default: str | None = None) -> str:
    value = sent.get(name)
    if value is None and default is not None:
        return default
    for word in words:
        if word.lower() == str(value).lower():
            return word
    raise invalid(f"The value '{value}' of recurrence field '{name}' is none of {', '.join(words)}.")


def _number(sent: Json, name: str, least: int, most: int) -> int:
    value = sent.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise invalid(f"The recurrence field '{name}' must be a whole number from {least} to {most}.")
    return value


def _days(sent: Json) -> tuple[str, ...]:
    listed = sent.get("daysOfWeek")
    if not isinstance(listed, list):
        raise invalid("The recurrence field 'daysOfWeek' must be a collection.")
    return tuple(_word({"daysOfWeek": one}, "daysOfWeek", DAYS) for one in listed)


def _date(sent: Json, name: str) -> date:
    try:
        return date.fromisoformat(str(sent.get(name)))
    except ValueError as broken:
        raise invalid(f"The recurrence field '{name}' must be a date.") from broken
