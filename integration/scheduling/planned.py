"""What a plan shows, as JSON (pure): pods, dates, facilitators, problems, mails per person, how long it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from integration.language import gettext as _
from integration.language import lazy, ngettext
from integration.scheduling.drafting import Member, PodDraft
from integration.scheduling.models import Program
from integration.scheduling.slots import WEEKDAYS, Slot
from integration.wording import kept

REQUESTS_PER_SERIES = 7  # create, check the link, compare the dates, invite, read again
SECONDS_PER_REQUEST = 0.5
REQUESTS_AT_ONCE = 4  # per mailbox, as Exchange allows


def content(
    program: Program,
    drafts: Sequence[PodDraft],
    *,
    people: Sequence[Member],
    organizers: Sequence[str],
    may_mail: Callable[[str], bool],
    mails_per_minute: int,
) -> dict[str, Any]:
    """The content of a Plan row; ``organizers`` has one for each draft, ``mails_per_minute`` is each one's pace."""
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
        "seconds": _seconds(drafts, organizers, mails_per_minute=mails_per_minute),
    }


def summary(shown: Mapping[str, Any]) -> str:
    """The sentence above a plan, in the language that is spoken."""
    people = sum(count > 0 for count in shown["mails"].values())
    without = len({one["mail"] for one in shown["people_without_slot"]}) + len(shown["people_without_pod"])
    return " ".join(
        (
            _(
                "This will create %(series)s, invite %(people)s, change %(changes)s.",
                series=ngettext("%(n)s series", "%(n)s series", shown["series"]),
                people=ngettext("%(n)s person", "%(n)s people", people),
                changes=shown["changes"],
            ),
            ngettext("%(n)s person has no common slot.", "%(n)s people have no common slot.", without),
        )
    )


def asked(program: Program) -> dict[str, Any]:
    """What the plan was asked for: where the program says otherwise by now, the plan no longer fits it."""
    return {
        "minutes": program.minutes,
        "weeks": program.weeks,
        "pod_size": program.pod_size,
        "starts_on": program.starts_on.isoformat(),
        "holidays": list(program.holidays),
    }


def _pod(program: Program, draft: PodDraft, organizer: str) -> dict[str, Any]:
    slot, meetings = draft.slot, draft.meetings
    walls = [meeting.starts_local for meeting in meetings.occurrences] if meetings else []
    return {
        "name": draft.name,
        "time_zone": draft.time_zone,
        "weekday": WEEKDAYS[slot.weekday].message if slot else None,
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
        "problems": [kept(each) for each in draft.problems],
        "compromises": [_compromise(one) for one in draft.compromises],
    }


def _compromise(slot: Slot) -> dict[str, Any]:
    return {
        "weekday": WEEKDAYS[slot.weekday].message,
        "time": f"{slot.starts_local:%H:%M}",
        "missing": {mail: kept(reason) for mail, reason in slot.missing.items()},
        "conflicts": slot.conflicts,
    }


def _without_slot(drafts: Sequence[PodDraft]) -> list[dict[str, str]]:
    """Who cannot always come; where a pod has no bearable hour at all, everybody in it."""
    found: list[dict[str, str]] = []
    for draft in drafts:
        if draft.slot is None:
            reasons = {member.mail: kept(lazy("no bearable hour for all of the pod")) for member in draft.members}
        else:
            reasons = {mail: kept(reason) for mail, reason in draft.slot.missing.items()}
        found += [{"mail": mail, "pod": draft.name, "reason": reason} for mail, reason in reasons.items()]
    return found


def _seconds(drafts: Sequence[PodDraft], organizers: Sequence[str], *, mails_per_minute: int) -> int:
    """About how long until everybody has the invitation.

    Organizers work side by side, so the busiest decides: by its requests, or by the pace in which Exchange lets its
    invitations go, one message for each series.
    """
    busiest = Counter(each for draft, each in zip(drafts, organizers, strict=True) if draft.slot is not None)
    series = max(busiest.values(), default=0)
    requests = series * REQUESTS_PER_SERIES * SECONDS_PER_REQUEST / REQUESTS_AT_ONCE
    return round(max(requests, series * 60 / mails_per_minute)) + 1
