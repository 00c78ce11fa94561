"""What is true about who came.

How much is kept is the program's ``attendance_detail``, applied while a report is read: *minutes* keeps seconds per
person, *present* whether somebody came, *counts only* neither a minute nor a person: figures stand on the occurrence.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base
from integration.language import Wording
from integration.people.models import Participant, Person
from integration.scheduling.models import Occurrence, Pod, SeriesMeeting
from integration.wording import KeptWording

MEASURED = "measured"
UPLOADED = "measured (uploaded)"
DECLARED = "declared"
CORRECTED = "corrected"
UNKNOWN = "unknown"


class AttendanceReport(Base):
    """A final report of Teams that was read for an occurrence. Its times are kept only where minutes are.

    ``presences`` is who was there by it (shape: ``presences.py``), so that a later look or an assignment reckons
    without asking Graph again; None where no minutes are kept: then the report is read again when that is needed.
    """

    __tablename__ = "attendance_report"
    __table_args__ = (UniqueConstraint("report_id", "occurrence_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("series_meeting.id"), index=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    report_id: Mapped[str]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    participants: Mapped[int] = mapped_column(default=0)  # as Teams' list said: another number means it has grown
    is_call: Mapped[bool] = mapped_column(default=True)  # False: somebody tried out the link
    is_stale: Mapped[bool] = mapped_column(default=False)  # to be read again at the next look
    presences: Mapped[list[Any] | None]
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
    matched_by: Mapped[str | None]  # account | address | recognised | assigned | declared: how sure it is who came
    reason: Mapped[Wording | None] = mapped_column(KeptWording)
    known_at: Mapped[datetime]

    occurrence: Mapped[Occurrence] = relationship()
    participant: Mapped[Participant] = relationship()


class UnmatchedRecord(Base):
    """Somebody present whom nobody could identify: by phone, anonymous, masked, a room, an unknown address.

    ``key`` finds the same record in the reports again, ``traces`` are what may be recognised next time: [[kind,
    value]]; neither is kept with counts only. A coordinator's ``verdict`` stays at every later look.
    """

    __tablename__ = "unmatched_record"
    __table_args__ = (
        UniqueConstraint("occurrence_id", "key"),
        CheckConstraint("verdict IN ('one of ours', 'none of ours')", name="verdict"),
        CheckConstraint("(verdict = 'one of ours') = (participant_id IS NOT NULL)", name="assigned"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    kind: Mapped[str]  # phone | anonymous | masked | room | unknown
    name: Mapped[str | None]  # as Teams showed it; None with counts only
    seconds: Mapped[int | None]
    key: Mapped[str | None]
    traces: Mapped[list[Any]] = mapped_column(default=list)
    verdict: Mapped[str | None]
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id"), index=True)
    decided_by: Mapped[str | None] = mapped_column(String(320))  # the coordinator's address
    decided_at: Mapped[datetime | None]

    occurrence: Mapped[Occurrence] = relationship()
    participant: Mapped[Participant | None] = relationship()


class Recognition(Base):
    """What somebody was once recognised by: the next report with it means the same person, until it is revoked.

    Object ids, addresses and whole telephone numbers hold everywhere; a mere display name only in the pod in which
    somebody was recognised by it.
    """

    __tablename__ = "recognition"
    __table_args__ = (
        UniqueConstraint("kind", "value", "pod_id"),
        Index(
            "uq_recognition_everywhere",
            "kind",
            "value",
            unique=True,
            postgresql_where=text("pod_id IS NULL"),
            sqlite_where=text("pod_id IS NULL"),
        ),
        CheckConstraint("kind IN ('object id', 'address', 'phone', 'name')", name="kind"),
        CheckConstraint("(kind = 'name') = (pod_id IS NOT NULL)", name="name_in_a_pod"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    value: Mapped[str]  # in lower case; of a number the digits
    pod_id: Mapped[int | None] = mapped_column(ForeignKey("pod.id"), index=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)  # where it was learnt
    learnt_by: Mapped[str] = mapped_column(String(320))
    learnt_at: Mapped[datetime]

    person: Mapped[Person] = relationship()
    pod: Mapped[Pod | None] = relationship()


class SharedDeclaration(Base):
    """A facilitator's answer to "who shared the room?": ids of participants; the latest counts."""

    __tablename__ = "shared_declaration"

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    declared_by_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    participant_ids: Mapped[list[Any]]
    declared_at: Mapped[datetime]

    occurrence: Mapped[Occurrence] = relationship()
    declared_by: Mapped[Participant] = relationship()


class AttendanceCorrection(Base):
    """Somebody put an attendance right: what stood there before, who changed it, when and why."""

    __tablename__ = "attendance_correction"

    id: Mapped[int] = mapped_column(primary_key=True)
    attendance_id: Mapped[int] = mapped_column(ForeignKey("attendance.id"), index=True)
    earlier_attended: Mapped[bool | None]
    earlier_seconds: Mapped[int | None]
    earlier_provenance: Mapped[str]
    earlier_reason: Mapped[Wording | None] = mapped_column(KeptWording)
    attended: Mapped[bool]
    corrected_by_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id"))
    corrected_by_mail: Mapped[str | None] = mapped_column(String(320))  # of somebody who is in no roster
    corrected_at: Mapped[datetime]
    why: Mapped[str]

    attendance: Mapped[Attendance] = relationship()
    corrected_by: Mapped[Participant | None] = relationship()


class CorrectionRequest(Base):
    """Somebody says that their attendance is wrong; one waits per person and occurrence. ``accepted``: the answer."""

    __tablename__ = "correction_request"
    __table_args__ = (
        Index(
            "uq_correction_request_waiting",
            "occurrence_id",
            "participant_id",
            unique=True,
            postgresql_where=text("decided_at IS NULL"),
            sqlite_where=text("decided_at IS NULL"),
        ),
        CheckConstraint("(decided_at IS NULL) = (accepted IS NULL)", name="decided"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    attended: Mapped[bool]  # what they say is true
    why: Mapped[str]
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    accepted: Mapped[bool | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id"))
    decided_by_mail: Mapped[str | None] = mapped_column(String(320))  # of somebody who is in no roster
    answer: Mapped[str | None]  # why it was refused

    occurrence: Mapped[Occurrence] = relationship()
    participant: Mapped[Participant] = relationship(foreign_keys=[participant_id])
    decided_by: Mapped[Participant | None] = relationship(foreign_keys=[decided_by_id])


class CountCorrection(Base):
    """How many came, said by somebody, where the program keeps no names. The latest stands over every report."""

    __tablename__ = "count_correction"
    __table_args__ = (CheckConstraint("provenance IN ('declared', 'corrected')", name="provenance"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    provenance: Mapped[str]
    earlier_attended: Mapped[int | None]
    earlier_unknown: Mapped[int | None]
    attended: Mapped[int]
    corrected_by_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id"))
    corrected_by_mail: Mapped[str | None] = mapped_column(String(320))
    corrected_at: Mapped[datetime]
    why: Mapped[str]

    occurrence: Mapped[Occurrence] = relationship()
    corrected_by: Mapped[Participant | None] = relationship()


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


class AttendanceExport(Base):
    """What an uploaded export of Teams said of an occurrence; the file itself is not kept.

    ``facts_hash`` is of the facts, so that the same call in another form or language is known again.
    ``starts_at`` is when the call began, cut to the quarter hour unless the detail is minutes; a report of Teams that
    begins then is of the same call. What it said is kept as the detail allows. *minutes*: ``seen``, who was there
    (shape: ``presences.py``). *present*: ``presences``, and ``unmatched``, [{"kind", "name", "key", "traces",
    "enough"}]; ``enough`` are ids of the invited who would have come if it was them. *counts only*: the counts, which
    are of the invited, and the kinds of the unmatched.
    """

    __tablename__ = "attendance_export"
    __table_args__ = (
        UniqueConstraint("occurrence_id", "content_hash"),
        UniqueConstraint("occurrence_id", "facts_hash"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    facts_hash: Mapped[str] = mapped_column(String(64))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]  # None unless the detail is minutes
    held: Mapped[bool]
    together_seconds: Mapped[int | None]
    guests: Mapped[int]
    attended_count: Mapped[int]
    unknown_count: Mapped[int]
    unmatched: Mapped[list[Any]] = mapped_column(default=list)
    seen: Mapped[list[Any] | None]
    imported_at: Mapped[datetime]

    occurrence: Mapped[Occurrence] = relationship()
    presences: Mapped[list[ExportPresence]] = relationship(cascade="all, delete-orphan", order_by="ExportPresence.id")


class ExportPresence(Base):
    """What an export said about one invited person, where a program keeps who was present, without minutes."""

    __tablename__ = "export_presence"
    __table_args__ = (UniqueConstraint("export_id", "participant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    export_id: Mapped[int] = mapped_column(ForeignKey("attendance_export.id", ondelete="CASCADE"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    attended: Mapped[bool | None]
    seconds: Mapped[int | None]  # None unless the detail is minutes
    reason: Mapped[Wording | None] = mapped_column(KeptWording)


class CheckIn(Base):
    """Somebody says that they are in the room. No fact before host or facilitator confirmed it."""

    __tablename__ = "check_in"
    __table_args__ = (UniqueConstraint("occurrence_id", "participant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    present: Mapped[bool]  # the last thing they said, or what was confirmed
    checked_in_at: Mapped[datetime | None]  # None: only host or facilitator said so
    confirmed_at: Mapped[datetime | None]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id"))

    occurrence: Mapped[Occurrence] = relationship()
    participant: Mapped[Participant] = relationship(foreign_keys=[participant_id])
    confirmed_by: Mapped[Participant | None] = relationship(foreign_keys=[confirmed_by_id])
