"""People and letters for the tests of mails."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from integration.config import Settings
from integration.mail.mails import Content, add_mail
from integration.mail.models import Mail
from integration.people.models import Participant, Person

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SENDER = "sender1@pods.example"
OTHER_SENDER = "sender2@pods.example"


def settings_for(data_dir: Path, **given: str) -> Settings:
    """Settings with two senders; names in capitals override."""
    environ = {
        "DATA_DIR": str(data_dir),
        "SENDER_MAILBOXES": f"{SENDER},{OTHER_SENDER}",
        "SECRET_KEY": "a secret for these tests",
    }
    return Settings.from_environment(environ | given)


def person_called(session: Session, name: str, *, time_zone: str | None = "Europe/Zurich") -> Person:
    person = Person(
        name=name, mail=f"{name.lower()}@pods.example", time_zone=time_zone, participant=Participant(), skills=[]
    )
    session.add(person)
    session.flush()
    return person


def letter(subject: str = "How was it?") -> Content:
    return Content(subject=subject, html=f"<p>{subject}</p>", text=f"{subject}\n")


def want_mail(session: Session, person: Person, *, key: str = "7", now: datetime = NOON) -> Mail:
    return add_mail(session, kind="feedback-request", key=key, person=person, content=letter(), now=now)
