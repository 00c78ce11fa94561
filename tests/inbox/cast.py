"""Messages that reach the inboxes of a tenant, and people who run programs."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from integration.admin.models import CoordinatorLimit
from integration.admin.office import record_sign_in
from integration.admin.permissions import Role
from integration.graph.resources import Received
from integration.graph.simulator.tenant.messages import Address, Kind, MeetingPart
from integration.graph.simulator.tenant.tenant import Tenant
from integration.people.models import Person
from integration.scheduling.models import Program, ProgramMember, Series
from tests.attendance.build import FIRST, build_person, build_series

OURS = frozenset({"organizer@pods.example", "sender@pods.example"})


def received(subject: str = "A question", **given: object) -> Received:
    """A message of Grace's to one of our senders, as Graph has told of it."""
    facts: dict[str, object] = {
        "id": "message-1",
        "internet_message_id": "<1@pods.example>",
        "conversation_id": "conversation-1",
        "sender": "grace@pods.example",
        "sender_name": "Grace",
        "received_at": FIRST,
        "kind": "message",
        "message_class": "",
        "headers": {},
        "tag": None,
        "text": "",
    }
    return Received(subject=subject, **(facts | given))  # type: ignore[arg-type]


def arrives(
    tenant: Tenant,
    to: str,
    *,
    sender: str = "grace@pods.example",
    subject: str = "A question",
    text: str = "Can I bring a friend?",
    headers: dict[str, str] | None = None,
    message_class: str | None = None,
    conversation: str | None = None,
    kind: Kind = "mail",
    meeting: MeetingPart | None = None,
    internet_message_id: str | None = None,
) -> str:
    """A message lands in an inbox of ours now; returns its immutable id."""
    with tenant.lock:
        owner = tenant.directory.by_address(to)
        assert owner is not None
        message = tenant.mailboxes.blank(folder="inbox", subject=subject, body=f"<p>{text}</p>")
        message.sender, message.to = Address(sender.partition("@")[0].title(), sender), [Address("Pods", to)]
        message.headers = [{"name": name, "value": value} for name, value in (headers or {}).items()]
        message.received_at = message.sent_at = tenant.clock.now()
        message.kind, message.meeting = kind, meeting
        message.conversation_id = conversation or message.conversation_id
        message.internet_message_id = internet_message_id or message.internet_message_id
        if message_class:
            message.properties["String 0x001a"] = message_class
        tenant.mailboxes.keep(owner, message)
        return message.immutable_id


def reply(response: str = "accepted", *, proposed: tuple[datetime, datetime] | None = None) -> MeetingPart:
    return MeetingPart(message_type="meetingAccepted", response=response, proposed=proposed)


def build_pod(session: Session, people: list[Person], *, organizer: str, name: str = "Pod of Grace") -> Series:
    """A pod that was invited to, whose people are members of its program."""
    series = build_series(session, people, name=name, organizer=organizer)
    series.invited_at = FIRST - timedelta(days=3)
    session.add_all(ProgramMember(program=series.pod.program, participant=each.participant) for each in people)
    session.flush()
    return series


def build_coordinator(session: Session, name: str, *, limited_to: Program | None = None, seen_at: datetime) -> Person:
    person = build_person(session, name)
    record_sign_in(session, person.mail, [Role.COORDINATOR], now=seen_at)
    if limited_to is not None:
        session.add(CoordinatorLimit(mail=person.mail, program_id=limited_to.id))
        session.flush()
    return person
