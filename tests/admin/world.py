"""A small company in the tables, one thing of every kind that an address can name, and all addresses of the site."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule as Route

from integration.admin.models import CoordinatorLimit, WebSession
from integration.admin.permissions import Permission, Role
from integration.admin.sessions import open_session
from integration.announcing.models import FAILED, Announcement, Receiver
from integration.api.tokens import make_token
from integration.attendance.models import (
    Attendance,
    AttendanceReport,
    CorrectionRequest,
    Recognition,
    UnmatchedRecord,
)
from integration.clock import real_now
from integration.inbox.models import Letter
from integration.inbox.sorting import Kind as LetterKind
from integration.language import lazy
from integration.mail.models import HELD, Inbox, Mail
from integration.outbox import Message, State, Task
from integration.people.models import Person, RosterUpload
from integration.scheduling.drift.kinds import Kind
from integration.scheduling.drift.models import Drift
from integration.scheduling.models import Plan, Pod, PodMember, Program, ProgramLeader, ProgramMember, Series
from tests.attendance.build import build_person, build_series

NAMES = ("Ada", "Grace", "Alan", "Eve", "Mallory", "Linus", "Barbara")
NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
LONG_NAME = "Wilhelmina-Alexandrina Featherstonehaugh-Cholmondeley of Donaudampfschifffahrtsgesellschaft"


@dataclass(frozen=True)
class Visits:
    """One of the six who walk: nobody has no address."""

    name: str
    mail: str | None
    roles: tuple[Role, ...]


NOBODY = Visits("anonymous", None, ())
EMPLOYEE = Visits("employee", "mallory@pods.example", ())
OTHER_COORDINATOR = Visits("other coordinator", "eve@pods.example", (Role.COORDINATOR,))
COORDINATOR = Visits("coordinator", "grace@pods.example", (Role.COORDINATOR,))
LEADER = Visits("leader", "alan@pods.example", (Role.LEADER,))
ADMINISTRATOR = Visits("administrator", "ada@pods.example", (Role.ADMINISTRATOR,))
EVERYBODY = (NOBODY, EMPLOYEE, OTHER_COORDINATOR, COORDINATOR, LEADER, ADMINISTRATOR)


def build_world(session: Session) -> dict[str, object]:
    """Grace coordinates the first program and Eve the second; Alan leads the first; the pod is Linus's and Barbara's.

    Returns the values of the parts of addresses, all of the first program.
    """
    people = {name: build_person(session, name) for name in NAMES}
    for person in people.values():
        person.time_zone, person.language = "Europe/Zurich", "en"
    people["Barbara"].name = LONG_NAME
    series = build_series(session, [people["Linus"], people["Barbara"]])
    other = build_series(session, [people["Mallory"]], name="Pod of others", organizer_id="id-of-another")
    program = series.pod.program
    session.add_all(_membership(series.pod.program, people))
    for name in ("Linus", "Barbara"):
        session.add(PodMember(pod=series.pod, participant=people[name].participant, joined_at=NOW))
    session.add(ProgramLeader(program=program, person=people["Alan"]))
    limit = CoordinatorLimit(mail="grace@pods.example", program_id=program.id)
    token, _ = make_token(session, "intranet", [Permission.PEOPLE_SEE], made_by="ada@pods.example", now=NOW)
    announcement = _failed()
    session.add(CoordinatorLimit(mail="eve@pods.example", program_id=other.pod.program.id))
    plan = Plan(program=program, made_at=NOW, content=_content())
    message = _parked()
    mail = _held(people["Linus"])
    letter = _letter(series.pod)
    asked = CorrectionRequest(
        occurrence=series.occurrences[0],
        participant=people["Linus"].participant,
        attended=True,
        why="I was.",
        asked_at=NOW,
    )
    session.add_all([plan, message, mail, limit, announcement, letter, asked])
    session.flush()
    record, recognition = _attendance(session, series, people)
    series.occurrences[0].facilitator_id = people["Linus"].participant_id
    series.trouble = "Outlook shows 2 of 3 instances. Look at the organizer's calendar."
    drift = _drift(series)
    session.add(drift)
    session.flush()
    return {
        "program_id": program.id,
        "plan_id": plan.id,
        "pod_id": series.pod_id,
        "series_id": series.id,
        "occurrence_id": series.occurrences[0].id,
        "person_id": people["Linus"].id,
        "message_id": message.id,
        "mail_id": mail.id,
        "drift_id": drift.id,
        "repair": "put-back",
        "limit_id": limit.id,
        "letter_id": letter.id,
        "token_id": token.id,
        "receiver_id": announcement.receiver_id,
        "announcement_id": announcement.id,
        "record_id": record.id,
        "recognition_id": recognition.id,
        "request_id": asked.id,
    }


def build_belongings(session: Session, who: Visits) -> dict[str, int]:
    """What only its owner can name: a browser in which they are signed in, and a roster that they have uploaded."""
    if who.mail is None:
        return {"session_id": 1, "upload_id": 1}
    key = open_session(session, now=real_now(), mail=who.mail, roles=who.roles)
    upload = RosterUpload(
        file_name="roster.csv",
        text="name,mail\nKatherine,katherine@pods.example\n",
        uploaded_by=who.mail,
        uploaded_at=real_now(),
        expires_at=real_now() + timedelta(hours=1),
    )
    session.add(upload)
    session.flush()
    browser = session.scalars(
        select(WebSession).where(WebSession.key_hash == hashlib.sha256(key.encode()).hexdigest())
    )
    return {"session_id": browser.one().id, "upload_id": upload.id}


def routes(app: Flask, *, method: str = "GET") -> list[Route]:
    """Every address of the site that answers to a method, except files."""
    found = [
        each for each in app.url_map.iter_rules() if method in (each.methods or ()) and each.endpoint != "static"
    ]
    return sorted(found, key=lambda each: each.rule)


def address_of(app: Flask, route: Route, parts: Mapping[str, object]) -> str:
    """The address with everything filled in. Raises KeyError for a part that the world does not have."""
    with app.test_request_context():
        _, path = route.build({name: parts[name] for name in route.arguments}, append_unknown=False) or ("", "")
    return path


def _membership(program: Program, people: Mapping[str, Person]) -> list[ProgramMember]:
    return [ProgramMember(program=program, participant=people[name].participant) for name in ("Linus", "Barbara")]


def _attendance(
    session: Session, series: Series, people: Mapping[str, Person]
) -> tuple[UnmatchedRecord, Recognition]:
    """The first session: Barbara was found, Linus perhaps sat at a telephone, and a room was there."""
    occurrence = series.occurrences[0]
    barbara, linus = people["Barbara"].participant, people["Linus"].participant
    doubt = lazy("Not found, but somebody unidentified was there: %(who)s.", who=lazy("%(n)s by phone", n=1))
    report = AttendanceReport(
        meeting=series.meetings[0], occurrence=occurrence, report_id="report-1", presences=[], read_at=NOW
    )
    record = UnmatchedRecord(
        occurrence=occurrence,
        kind="phone",
        name="+41 44 555 12 34",
        seconds=1500,
        key="phone:1",
        traces=[["phone", "4"]],
    )
    room = UnmatchedRecord(occurrence=occurrence, kind="room", name=f"Room {LONG_NAME}", seconds=1800, key="room")
    aside = UnmatchedRecord(
        occurrence=occurrence,
        kind="anonymous",
        name=LONG_NAME,
        seconds=60,
        key="anonymous:1",
        verdict="none of ours",
        decided_by="grace@pods.example",
        decided_at=NOW,
    )
    found = Attendance(
        occurrence=occurrence,
        participant=barbara,
        attended=True,
        seconds=1740,
        provenance="measured",
        matched_by="account",
        known_at=NOW,
    )
    unknown = Attendance(occurrence=occurrence, participant=linus, provenance="unknown", reason=doubt, known_at=NOW)
    recognition = Recognition(
        person=people["Linus"],
        kind="phone",
        value="41445551234",
        occurrence_id=occurrence.id,
        learnt_by="grace@pods.example",
        learnt_at=NOW,
    )
    session.add_all([report, record, room, aside, found, unknown, recognition])
    occurrence.attendance, occurrence.held, occurrence.held_provenance = "measured", True, "measured"
    occurrence.attended_count, occurrence.unknown_count, occurrence.looked_at = 1, 1, NOW
    occurrence.collect_due_at = None
    session.flush()
    return record, recognition


def _parked() -> Message:
    return Message(
        task=Task.SERIES_PUSH,
        kind="series",
        subject="1",
        state=State.PARKED,
        first_asked_at=NOW - timedelta(hours=3),
        asked_at=NOW,
        due_at=NOW,
        attempts=5,
        refusals=5,
        last_error="Graph refused: <script>alert(1)</script>",
    )


def _drift(series: Series) -> Drift:
    """Somebody was taken off the series in Outlook."""
    address = series.attendees[0].address
    return Drift(
        series=series,
        key=f"{series.id}/{Kind.ATTENDEE_MISSING}/series/{address}",
        kind=Kind.ATTENDEE_MISSING,
        address=address,
        repairs=["adopt", "put back"],
        mails={address: 1},
        first_seen_at=NOW,
        last_seen_at=NOW,
    )


def _held(person: Person) -> Mail:
    return Mail(
        kind="feedback-request",
        participant=person.participant,
        to_address=person.mail,
        to_name=person.name,
        subject="How was it?",
        html="<p>How was it?</p>",
        text="How was it?",
        tag="held-in-the-walk",
        created_at=NOW,
        state=HELD,
    )


def _letter(pod: Pod) -> Letter:
    return Letter(
        inbox=Inbox(address="learning@pods.example"),
        message_id="message-1",
        kind=LetterKind.HUMAN,
        sender="linus@pods.example",
        sender_name="Linus",
        subject=f"Can {LONG_NAME} <b>come</b>?",
        received_at=NOW,
        excerpt="sealed",
        pod=pod,
        program_id=pod.program_id,
        kept_here="nobody",
    )


def _failed() -> Announcement:
    receiver = Receiver(url="https://intranet.example/pods", events=[], secret="sealed", made_by="ada", made_at=NOW)
    content = {"program_id": 1}
    return Announcement(
        receiver=receiver, event_id="event-1", event="plan.applied", content=content, state=FAILED, made_at=NOW
    )


def _content() -> dict[str, object]:
    return {
        "pods": [],
        "people_without_slot": [],
        "people_without_pod": ["linus@pods.example"],
        "mails": {},
        "held": [],
        "series": 0,
        "changes": 0,
        "seconds": 1,
    }
