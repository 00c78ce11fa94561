"""What is true about who came.

How much is kept is the program's ``attendance_detail``, applied while a report is read: *minutes* keeps seconds per
person, *present* whether somebody came, *counts only* neither a minute nor a person: figures stand on the occurrence.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base
from integration.people.models import Participant
from integration.scheduling.models import Occurrence, SeriesMeeting

MEASURED = "measured"
UPLOADED = "measured (uploaded)"
DECLARED = "declared"
CORRECTED = "corrected"
UNKNOWN = "unknown"


class AttendanceReport(Base):
    """A final report of Teams that was read for an occurrence. Its times are kept only where minutes are."""

    __tablename__ = "attendance_report"
    __table_args__ = (UniqueConstraint("report_id", "occurrence_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("series_meeting.id"), index=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    report_id: Mapped[str]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    read_at: Mapped[datetime]

    meeting: Mapped[SeriesMeeting] = relationship()
    occurrence: Mapped[Occurrence] = relationship()


class Attendance(Base):
    """Whether somebody who was invited came; ``attended`` is None when nobody can say, and ``reason`` says why."""

    __tablename__ = "attendance"
    __table_args__ = (
        UniqueConstraint("occurrence_id", "participant_id"),
        CheckConstraint(
            "provenance IN ('measured', 'measured (uploaded)', 'declared', 'corrected', 'unknown')", name="provenance"
        ),
        CheckConstraint("attended IS NOT NULL OR provenance = 'unknown'", name="known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    attended: Mapped[bool | None]
    seconds: Mapped[int | None]  # in the window; None unless the detail is minutes
    provenance: Mapped[str]
    reason: Mapped[str | None]
    known_at: Mapped[datetime]

    occurrence: Mapped[Occurrence] = relationship()
    participant: Mapped[Participant] = relationship()


class UnmatchedRecord(Base):
    """Somebody present whom nobody could identify: by phone, anonymous, masked, a room, an unknown address."""

    __tablename__ = "unmatched_record"

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    kind: Mapped[str]  # phone | anonymous | masked | room | unknown
    name: Mapped[str | None]  # as Teams showed it; None with counts only
    seconds: Mapped[int | None]

    occurrence: Mapped[Occurrence] = relationship()


class AttendanceCorrection(Base):
    """Somebody put an attendance right: what stood there before, who changed it, when and why."""

    __tablename__ = "attendance_correction"

    id: Mapped[int] = mapped_column(primary_key=True)
    attendance_id: Mapped[int] = mapped_column(ForeignKey("attendance.id"), index=True)
    earlier_attended: Mapped[bool | None]
    earlier_seconds: Mapped[int | None]
    earlier_provenance: Mapped[str]
    earlier_reason: Mapped[str | None]
    attended: Mapped[bool]
    corrected_by_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    corrected_at: Mapped[datetime]
    why: Mapped[str]

    attendance: Mapped[Attendance] = relationship()
    corrected_by: Mapped[Participant] = relationship()


class MetDeclaration(Base):
    """A facilitator's answer to "did you meet?"; the latest counts."""

    __tablename__ = "met_declaration"

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    declared_by_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    met: Mapped[bool]
    declared_at: Mapped[datetime]

    occurrence: Mapped[Occurrence] = relationship()
    declared_by: Mapped[Participant] = relationship()
