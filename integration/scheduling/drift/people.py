"""Who is on a series and on its exceptions, beside whom we want (pure)."""

from __future__ import annotations

from collections.abc import Iterator

from integration.graph.resources import Attendee, CalendarEvent
from integration.scheduling.drift.kinds import Kind, Repair
from integration.scheduling.drift.values import Comparison, Difference, WantedAttendee

BOTH = (Repair.ADOPT, Repair.PUT_BACK)


def differences_of_people(both: Comparison) -> Iterator[Difference]:
    """People of ours who were taken off, people whom we did not invite; on the series, then on single meetings."""
    ours = {one.address.lower(): one for one in both.wanted.attendees}
    present = _present(both, both.event)
    for address, one in ours.items():
        if _is_missed(one) and address not in present:
            still_on = sum(address in _present(both, exception) for exception in both.exceptions)
            yield Difference(
                Kind.ATTENDEE_MISSING,
                address=address,
                found={"still_on": still_on} if still_on else {},
                repairs=BOTH,
                mails={address: 1 + len(both.exceptions) - still_on},
                asks=still_on > 0,  # letting them go mails them
            )
    for address, theirs in present.items():
        if not _is_expected(ours.get(address)):
            on_it = sum(address in _present(both, exception) for exception in both.exceptions)
            yield _extra(address, theirs, mails=1 + on_it)
    yield from _on_exceptions(both, ours, present)


def _on_exceptions(
    both: Comparison, ours: dict[str, WantedAttendee], on_series: dict[str, Attendee]
) -> Iterator[Difference]:
    occurrence_ids = {event.id: key for key, event in both.pairs.items()}
    for exception in both.exceptions:
        occurrence_id, here = occurrence_ids.get(exception.id), _present(both, exception)
        if occurrence_id is None:
            continue
        for address, one in ours.items():
            if _is_missed(one) and address in on_series and address not in here:
                kind = Kind.ATTENDEE_MISSING
                yield Difference(kind, occurrence_id=occurrence_id, address=address, repairs=BOTH, mails={address: 1})
        for address, theirs in here.items():
            if address not in on_series and not (address in ours and ours[address].was_invited):
                yield _extra(address, theirs, mails=1, occurrence_id=occurrence_id)


def _extra(address: str, theirs: Attendee, *, mails: int, occurrence_id: int | None = None) -> Difference:
    return Difference(
        Kind.ATTENDEE_EXTRA,
        occurrence_id=occurrence_id,
        address=address,
        found={"name": theirs.name, "kind": theirs.kind},
        repairs=BOTH,
        mails={address: mails},
    )


def _is_missed(one: WantedAttendee) -> bool:
    """Ours, and once seen on the event: whoever was not invited yet is not missing."""
    return one.is_wanted and one.was_invited and not one.held and not one.is_guest


def _is_expected(one: WantedAttendee | None) -> bool:
    """Somebody who was taken off by us and is on it again is not; nor is anybody whom we do not know."""
    return one is not None and (one.is_wanted or one.was_invited)


def _present(both: Comparison, event: CalendarEvent) -> dict[str, Attendee]:
    organizer = both.wanted.organizer.lower()
    return {one.address.lower(): one for one in event.attendees if one.address.lower() != organizer}
