"""A pod's or a person's meetings as an iCalendar feed (RFC 5545): wall clocks with their VTIMEZONE."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vDuration
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.language import gettext as _
from integration.language import speaking
from integration.people.models import Person
from integration.scheduling.invitation import shared_language
from integration.scheduling.models import Occurrence, Pod, PodMember, Series
from integration.scheduling.reading import open_link
from integration.signing import read_signed, signed

PURPOSE = "calendar feed"
REFRESH = "PT1H"


class Whose(StrEnum):
    POD = "pod"
    PARTICIPANT = "participant"


@dataclass(frozen=True)
class Ticket:
    """Whose feed it is: the id of a pod or of a participant."""

    whose: Whose
    id: int


def token_for(ticket: Ticket, *, secret_key: str) -> str:
    """A token of URL-safe characters; the same ticket always gives the same one, so that subscriptions last."""
    return signed([ticket.whose, ticket.id], purpose=PURPOSE, secret_key=secret_key)


def read_token(token: str, *, secret_key: str) -> Ticket | None:
    """Whose feed a token opens; None when it is not one of ours."""
    values = read_signed(token, purpose=PURPOSE, secret_key=secret_key)
    if values is None:
        return None
    whose, row_id = values
    return Ticket(Whose(whose), int(row_id))


def feed_of(session: Session, ticket: Ticket) -> bytes | None:
    """The feed, in its readers' language; None when the pod does not exist, or the person was erased or left."""
    series = _series_of(session, ticket)
    if series is None:
        return None
    with speaking(_language_of(session, ticket)):
        return _calendar(series)


def _calendar(series: Iterable[Series]) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//Learning Pods//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Learning Pods")
    calendar.add("refresh-interval", vDuration.from_ical(REFRESH), parameters={"VALUE": "DURATION"})
    for one in series:
        for occurrence in one.occurrences:
            calendar.add_component(_event(occurrence))
    calendar.add_missing_timezones()
    return calendar.to_ical()


def _series_of(session: Session, ticket: Ticket) -> Iterable[Series] | None:
    if ticket.whose is Whose.POD:
        pod = session.get(Pod, ticket.id)
        return pod.series if pod else None
    person = session.scalar(select(Person).where(Person.participant_id == ticket.id))
    if person is None or not person.is_here:
        return None
    member = (PodMember.participant_id == ticket.id, PodMember.left_at.is_(None))
    return session.scalars(select(Series).join(Pod).join(PodMember).where(*member).order_by(Series.id)).unique()


def _language_of(session: Session, ticket: Ticket) -> str:
    chosen = select(Person.language)
    if ticket.whose is Whose.PARTICIPANT:
        return shared_language(session.scalars(chosen.where(Person.participant_id == ticket.id)))
    members = select(PodMember.participant_id).where(PodMember.pod_id == ticket.id, PodMember.left_at.is_(None))
    return shared_language(session.scalars(chosen.where(Person.participant_id.in_(members))))


def _event(occurrence: Occurrence) -> Event:
    series = occurrence.series
    event = Event()
    event.add("uid", f"occurrence-{occurrence.id}@learning-pods")
    event.add("dtstamp", series.pulled_at or series.wanted_at)
    event.add("summary", series.subject)
    event.add("dtstart", _wall(occurrence.starts_at, series.time_zone))
    event.add("dtend", _wall(occurrence.ends_at, series.time_zone))
    event.add("status", "CANCELLED" if occurrence.cancelled_at else "CONFIRMED")
    link = open_link(series)
    if link:
        event.add("url", link)
        event.add("location", "Microsoft Teams")
    if occurrence.facilitator:
        event.add("description", _("Facilitator: %(name)s", name=occurrence.facilitator.name))
    return event


def _wall(at: datetime, time_zone: str) -> datetime:
    return at.astimezone(ZoneInfo(time_zone))
