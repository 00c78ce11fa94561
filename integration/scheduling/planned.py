"""What a plan shows, as JSON (pure): pods, dates, facilitators, problems, mails per person, how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from integration.scheduling.drafting import Member, PodDraft
from integration.scheduling.models import Program
from integration.scheduling.slots import Slot

REQUESTS_PER_SERIES = 8  # create, check the link, compare the dates, invite, read again
SECONDS_PER_REQUEST = 0.5
REQUESTS_AT_ONCE = 4  # per mailbox, as Exchange allows
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def content(
    program: Program,
    drafts: Sequence[PodDraft],
    *,
    people: Sequence[Member],
    organizers: Sequence[str],
    may_mail: Callable[[str], bool],
) -> dict[str, Any]:
    """The content of a Plan row; ``organizers`` has one for each draft."""
    in_pods = {member.mail for draft in drafts for member in draft.members}
    invited = [member.mail for draft in drafts if draft.slot for member in draft.members]
    return {
        "pods": [_pod(program, *pair) for pair in zip(drafts, organizers, strict=True)],
        "people_without_slot": _without_slot(drafts),
        "people_without_pod": [member.mail for member in people if member.mail not in in_pods],
        "mails": {mail: 1 if may_mail(mail) else 0 for mail in invited},
        "held": [mail for mail in invited if not may_mail(mail)],
        "series": sum(draft.slot is not None for draft in drafts),
        "changes": 0,
        "seconds": _seconds(sum(draft.slot is not None for draft in drafts), pool=len(set(organizers))),
    }


def summary(shown: dict[str, Any]) -> str:
    """The sentence above a plan."""
    people = sum(count > 0 for count in shown["mails"].values())
    without = len({one["mail"] for one in shown["people_without_slot"]}) + len(shown["people_without_pod"])
    return (
        f"This will create {_counted(shown['series'], 'series', 'series')}, invite "
        f"{_counted(people, 'person', 'people')}, change {shown['changes']}; "
        f"{_counted(without, 'person has', 'people have')} no common slot."
    )


def _pod(program: Program, draft: PodDraft, organizer: str) -> dict[str, Any]:
    slot, meetings = draft.slot, draft.meetings
    walls = [meeting.starts_local for meeting in meetings.occurrences] if meetings else []
    return {
        "name": draft.name,
        "time_zone": draft.time_zone,
        "weekday": WEEKDAYS[slot.weekday] if slot else None,
        "time": f"{slot.starts_local:%H:%M}" if slot else None,
        "starts_local": slot.starts_local.isoformat() if slot else None,
        "starts_at": meetings.occurrences[0].starts_at.isoformat() if meetings else None,
        "minutes": program.minutes,
        "sessions": len(walls),
        "members": [member.mail for member in draft.members],
        "names": {member.mail: member.name for member in draft.members},
        "organizer": organizer,
        "facilitators": list(draft.facilitators),
        "dates": [wall.isoformat(timespec="minutes") for wall in walls],
        "problems": list(draft.problems),
        "compromises": [_compromise(one) for one in draft.compromises],
    }


def _compromise(slot: Slot) -> dict[str, Any]:
    return {
        "weekday": WEEKDAYS[slot.weekday],
        "time": f"{slot.starts_local:%H:%M}",
        "missing": dict(slot.missing),
        "conflicts": slot.conflicts,
    }


def _without_slot(drafts: Sequence[PodDraft]) -> list[dict[str, str]]:
    """Who cannot always come; where a pod has no bearable hour at all, everybody in it."""
    found: list[dict[str, str]] = []
    for draft in drafts:
        if draft.slot is None:
            reasons = {member.mail: "no bearable hour for all of the pod" for member in draft.members}
        else:
            reasons = dict(draft.slot.missing)
        found += [{"mail": mail, "pod": draft.name, "reason": reason} for mail, reason in reasons.items()]
    return found


def _seconds(series: int, *, pool: int) -> int:
    """About how long the workers need; organizers work side by side."""
    at_once = REQUESTS_AT_ONCE * max(pool, 1)
    return round(series * REQUESTS_PER_SERIES * SECONDS_PER_REQUEST / at_once) + 1


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
