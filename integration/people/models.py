"""What is true about people.

Facts (attendance, answers) point to a *participant*, which outlives the person: erasing somebody removes the person
and leaves the participant without a name, so that figures survive.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base
from integration.language import Wording
from integration.language import gettext as _
from integration.wording import KeptWording


class Participant(Base):
    """Somebody to whom facts belong; ``person`` is None once that person has been erased."""

    __tablename__ = "participant"

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[Person | None] = relationship(back_populates="participant", uselist=False)

    @property
    def name(self) -> str:
        return self.person.name if self.person else _("a former colleague")


class Person(Base):
    """An employee, as the roster and the directory know them. Addresses are stored in lower case."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), unique=True)
    mail: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str]
    object_id: Mapped[str | None] = mapped_column(unique=True)  # Entra object id, once the directory was asked
    role: Mapped[str | None]
    department: Mapped[str | None]
    manager_mail: Mapped[str | None] = mapped_column(String(320))
    employed_on: Mapped[date | None]  # the start date of the roster
    competent_on: Mapped[date | None]  # the day the role's milestone was reached
    time_zone: Mapped[str | None]  # IANA; None until Outlook or the roster told
    language: Mapped[str | None]
    paused_until: Mapped[date | None]
    left_at: Mapped[datetime | None]  # left the company: nothing is sent any more
    unreachable_at: Mapped[datetime | None]  # a mail came back: this address takes none, nothing more is mailed to it
    directory_note: Mapped[Wording | None] = mapped_column(
        KeptWording
    )  # what a coordinator should know about the directory's answer

    participant: Mapped[Participant] = relationship(back_populates="person")
    skills: Mapped[list[Skill]] = relationship(back_populates="person", cascade="all, delete-orphan")
    addresses: Mapped[list[OtherAddress]] = relationship(back_populates="person", cascade="all, delete-orphan")

    @property
    def is_here(self) -> bool:
        return self.left_at is None


class Skill(Base):
    """A skill somebody can teach or wants to learn."""

    __tablename__ = "skill"
    __table_args__ = (
        UniqueConstraint("person_id", "direction", "name"),
        CheckConstraint("direction IN ('teaches', 'wants')", name="direction"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    direction: Mapped[str]
    name: Mapped[str]

    person: Mapped[Person] = relationship(back_populates="skills")


class OtherAddress(Base):
    """Another address under which somebody may show up in Teams (an alias, a guest's home address)."""

    __tablename__ = "other_address"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    mail: Mapped[str] = mapped_column(String(320), unique=True)

    person: Mapped[Person] = relationship(back_populates="addresses")


class RosterUpload(Base):
    """A roster file between its upload and its import. All dates are of the real clock.

    ``text`` is emptied by the import, and the row is deleted once it has expired: a file of names is not kept.
    """

    __tablename__ = "roster_upload"

    id: Mapped[int] = mapped_column(primary_key=True)
    file_name: Mapped[str]
    text: Mapped[str]
    uploaded_by: Mapped[str] = mapped_column(String(320))
    uploaded_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    imported_at: Mapped[datetime | None]
    outcome: Mapped[dict[str, Any] | None]  # counts and refused lines, once it was imported
