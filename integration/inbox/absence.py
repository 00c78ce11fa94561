"""Until when somebody is away, read from their automatic answer only where it is certain; and what is kept of it.

Their mailbox settings are not asked for: that would need a permission over every employee. Pure but for the rows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.inbox.models import AutomaticAnswer

LONGEST = timedelta(days=366)  # a later end is a slip, or somebody who is not coming back
SHOWN_FOR = timedelta(days=14)  # an answer that told no end
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar jänner jan",
            "february februar feb",
            "march märz mar mrz",
            "april apr",
            "may mai",
            "june juni jun",
            "july juli jul",
            "august aug",
            "september sept sep",
            "october oktober oct okt",
            "november nov",
            "december dezember dec dez",
        ),
        start=1,
    )
    for name in names.split()
}
MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
DATE = re.compile(
    rf"(?<![\d/.-])(?:(?P<iso>\d{{4}}-\d\d-\d\d)(?![\d-])"
    rf"|(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?P<month>{MONTH})\b\.?,?\s+(?P<year>\d{{4}})"
    rf"|(?P<month_first>{MONTH})\b\.?\s+(?P<day_second>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year_last>\d{{4}})"
    r"|(?P<dotted>\d{1,2}\.\s?\d{1,2}\.\s?\d{4}))(?!\d)",
    re.I,
)
# With slashes nobody knows whether the day or the month stands first.
OTHER_DATE = re.compile(r"(?<!\d)\d{1,2}(?:/\d{1,2}(?:/\d{2,4})?|-\d{1,2}-\d{2,4})(?!\d)")
WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend)"
BEFORE_DATE = rf"(?:\s+{WEEKDAY})?,?(?:\s+(?:the|dem|den))?\s*$"
LAST_DAY = re.compile(
    r"\b(?:until|till|through|bis)(?:\s+(?:and\s+including|including|einschließlich|einschliesslich|inklusive|zum))?"
    + BEFORE_DATE,
    re.I,
)
FIRST_DAY_BACK = re.compile(
    r"\b(?:(?:back|return|returning)(?:\s+(?:in|at|to)\s+(?:the\s+)?(?:office|work))?\s+on"
    r"|(?:zurück|wieder(?:\s+(?:da|zurück|erreichbar|im\s+büro))?)\s+(?:ab|am))" + BEFORE_DATE,
    re.I,
)
FROM = re.compile(r"\b(?:ab|am)" + BEFORE_DATE, re.I)  # may begin an absence or end it: what follows decides
BACK_BEHIND = re.compile(r"^\s*(?:bin\s+ich\s+)?(?:wieder|zurück)\b", re.I)


def last_day_away(text: str, *, received_on: date) -> date | None:
    """The last day away that an automatic answer names; None unless there is exactly one reading.

    A range may name its beginning, too; two possible ends, a date with slashes, or one that is past, tell nothing.
    """
    plain = " ".join(text.split())
    if OTHER_DATE.search(plain):
        return None
    ends = set(_ends(plain))
    if len(ends) != 1:
        return None
    end = ends.pop()
    return end if end is not None and received_on <= end <= received_on + LONGEST else None


def record_answer(session: Session, participant_id: int, *, at: datetime, away_until: date | None) -> None:
    """Note that somebody's mailbox answered by itself; of several answers the latest counts."""
    row = session.scalar(
        select(AutomaticAnswer).where(AutomaticAnswer.participant_id == participant_id).with_for_update()
    )
    if row is None:
        session.add(AutomaticAnswer(participant_id=participant_id, answered_at=at, away_until=away_until))
    elif at >= row.answered_at:
        row.answered_at, row.away_until = at, away_until


def absences_of(
    session: Session, participant_ids: Collection[int], *, now: datetime
) -> Mapping[int, AutomaticAnswer]:
    """Who of these is away, or answered automatically of late, by participant; to be shown and nothing else."""
    wanted = select(AutomaticAnswer).where(AutomaticAnswer.participant_id.in_(participant_ids))
    return {each.participant_id: each for each in session.scalars(wanted) if _is_fresh(each, now=now)}


def _is_fresh(answer: AutomaticAnswer, *, now: datetime) -> bool:
    if answer.away_until is not None:
        return answer.away_until >= now.date()
    return answer.answered_at > now - SHOWN_FOR


def _ends(text: str) -> Iterator[date | None]:
    """Every end that the text tells; None for a date that cannot be one."""
    for found in DATE.finditer(text):
        day, before, behind = _day(found), text[: found.start()], text[found.end() :]
        if LAST_DAY.search(before):
            yield day
        elif FIRST_DAY_BACK.search(before) or (FROM.search(before) and BACK_BEHIND.match(behind)):
            yield day - timedelta(days=1) if day else None


def _day(found: re.Match[str]) -> date | None:
    told = found.groupdict()
    try:
        if told["iso"]:
            return date.fromisoformat(told["iso"])
        if told["dotted"]:
            day, month, year = (int(part) for part in told["dotted"].replace(" ", "").split("."))
            return date(year, month, day)
        month = MONTHS[(told["month"] or told["month_first"]).lower()]
        return date(int(told["year"] or told["year_last"]), month, int(told["day"] or told["day_second"]))
    except ValueError:
        return None
