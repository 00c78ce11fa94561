"""What is true about programs, pods and their series in Outlook.

A *series* is a wall-clock time in an IANA zone plus a weekly rule; its *occurrences* are rows, computed by us and
compared one by one with what Outlook made of them before anybody is invited. A date column named ``..._due_at`` is
work that becomes due on the movable clock, and at the same time the lock of that work.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base, WallClock
from integration.language import Wording
from integration.people.models import Participant, Person
from integration.wording import KeptWording

ATTENDANCE_DETAILS = ("minutes", "present", "counts only")
FORMATS = (
    "learning pod",
    "micro-lesson",
    "peer coaching",
    "skill-swap",
    "problem clinic",
    "shadow shift",
    "lunch-and-learn",
)


class Program(Base):
    """Peer learning with an outcome: what is to be better, measured how, from which baseline."""

    __tablename__ = "program"
    __table_args__ = (
        CheckConstraint("attendance_detail IN ('minutes', 'present', 'counts only')", name="attendance_detail"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    outcome: Mapped[str]
    metric: Mapped[str]
    baseline: Mapped[str]
    format: Mapped[str] = mapped_column(default="learning pod")
    minutes: Mapped[int] = mapped_column(default=30)
    weeks: Mapped[int] = mapped_column(default=6)  # sessions of each pod; skipped holidays are not counted
    pod_size: Mapped[int] = mapped_column(default=4)
    starts_on: Mapped[date]  # the Monday of, or any day in, the first week
    holidays: Mapped[list[Any]] = mapped_column(default=list)  # ISO dates on which no pod meets
    attendance_detail: Mapped[str] = mapped_column(default="minutes")
    threshold_minutes: Mapped[int | None]  # None: the smaller of 10 minutes and half the planned length
    small_group: Mapped[int] = mapped_column(default=5)  # k of the definitions
    participation_target: Mapped[float] = mapped_column(default=0.60)
    sessions_target: Mapped[float] = mapped_column(default=4.0)  # held per pod per 28 days
    onboarding_target: Mapped[float] = mapped_column(default=0.20)  # faster by this share
    competency_counted_since: Mapped[date | None]  # before it nobody wrote milestones down; None: always did
    agenda: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    members: Mapped[list[ProgramMember]] = relationship(back_populates="program")
    leaders: Mapped[list[ProgramLeader]] = relationship(back_populates="program")
    pods: Mapped[list[Pod]] = relationship(back_populates="program", order_by="Pod.id")

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    @property
    def attendance_threshold(self) -> timedelta:
        """Presence from which somebody counts as attended (docs: definitions)."""
        if self.threshold_minutes is not None:
            return timedelta(minutes=self.threshold_minutes)
        return min(timedelta(minutes=10), self.length / 2)


class ProgramMember(Base):
    """Somebody who takes part in a program."""

    __tablename__ = "program_member"
    __table_args__ = (UniqueConstraint("program_id", "participant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)

    program: Mapped[Program] = relationship(back_populates="members")
    participant: Mapped[Participant] = relationship()


class ProgramLeader(Base):
    """Somebody who gets the weekly summary of a program; ``summary_due_at`` is their next Monday at eight."""

    __tablename__ = "program_leader"
    __table_args__ = (UniqueConstraint("program_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    summary_due_at: Mapped[datetime | None] = mapped_column(index=True)
    unsubscribed_at: Mapped[datetime | None]

    program: Mapped[Program] = relationship(back_populates="leaders")
    person: Mapped[Person] = relationship()


class Pod(Base):
    """A few people who learn together."""

    __tablename__ = "pod"
    __table_args__ = (UniqueConstraint("program_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), index=True)
    name: Mapped[str]
    time_zone: Mapped[str]  # IANA: the wall on which the pod's clock hangs

    program: Mapped[Program] = relationship(back_populates="pods")
    members: Mapped[list[PodMember]] = relationship(back_populates="pod", order_by="PodMember.id")
    series: Mapped[list[Series]] = relationship(back_populates="pod", order_by="Series.id")


class PodMember(Base):
    """Somebody in a pod, from ``joined_at`` until ``left_at``."""

    __tablename__ = "pod_member"
    __table_args__ = (UniqueConstraint("pod_id", "participant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pod_id: Mapped[int] = mapped_column(ForeignKey("pod.id"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]

    pod: Mapped[Pod] = relationship(back_populates="members")
    participant: Mapped[Participant] = relationship()


class Plan(Base):
    """What would be done for a program, shown before it is applied; applied as one batch, undone as one batch.

    It is drafted by a worker, from everybody's calendars: *drafting* until then, afterwards *ready*, or *failed* with
    ``trouble`` and ``remedy``. ``content`` is what was shown: {"pods": [{"name", "time_zone", "weekday", "time",
    "members": [mail], "organizer", "facilitators": [mail], "dates": [ISO], "problems": [str]}],
    "people_without_slot": [...], "mails": {mail: n}}; empty as long as the plan is not ready.
    """

    __tablename__ = "plan"
    __table_args__ = (CheckConstraint("state IN ('drafting', 'ready', 'failed')", name="state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), index=True)
    made_at: Mapped[datetime]  # when it was asked for; once it is ready, when the calendars had been read
    state: Mapped[str] = mapped_column(default="ready")
    trouble: Mapped[Wording | None] = mapped_column(KeptWording)
    remedy: Mapped[Wording | None] = mapped_column(KeptWording)
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    applied_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]

    program: Mapped[Program] = relationship()


class Series(Base):
    """A pod's recurring meeting: what we want, and how far Microsoft agrees.

    ``generation`` and the id make the transactionId, so that a re-created series never reuses one. The columns
    ``created_at .. cancelled_at`` are filled in that order, each when Graph has been seen to agree.
    """

    __tablename__ = "series"

    id: Mapped[int] = mapped_column(primary_key=True)
    pod_id: Mapped[int] = mapped_column(ForeignKey("pod.id"), index=True)
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"), index=True)
    organizer: Mapped[str] = mapped_column(String(320))  # address of one of ORGANIZER_MAILBOXES
    organizer_id: Mapped[str | None]  # its object id, needed for online meetings
    generation: Mapped[int] = mapped_column(default=1)
    subject: Mapped[str]
    starts_local: Mapped[datetime] = mapped_column(WallClock())  # of the first occurrence
    time_zone: Mapped[str]
    minutes: Mapped[int]
    count: Mapped[int]  # weeks of the rule, holidays included
    wanted_at: Mapped[datetime]
    cancel_wanted_at: Mapped[datetime | None]

    event_id: Mapped[str | None] = mapped_column(unique=True)
    ical_uid: Mapped[str | None]
    invitation_html: Mapped[str] = mapped_column(default="")  # what the body is to say, without the Teams block
    body_hash: Mapped[str | None]  # SHA-256 of the body last sent, without the Teams block
    created_at: Mapped[datetime | None]  # the silent event exists
    checked_at: Mapped[datetime | None]  # link, meeting and every instance were compared; holidays are deleted
    invited_at: Mapped[datetime | None]  # the attendees-only PATCH was answered
    cancelled_at: Mapped[datetime | None]
    pulled_at: Mapped[datetime | None]  # replies and times were last read
    trouble: Mapped[Wording | None] = mapped_column(KeptWording)  # why it does not go on, in words, with the remedy

    pod: Mapped[Pod] = relationship(back_populates="series")
    occurrences: Mapped[list[Occurrence]] = relationship(back_populates="series", order_by="Occurrence.number")
    attendees: Mapped[list[SeriesAttendee]] = relationship(back_populates="series", order_by="SeriesAttendee.id")
    meetings: Mapped[list[SeriesMeeting]] = relationship(back_populates="series", order_by="SeriesMeeting.id")

    @property
    def people(self) -> list[SeriesAttendee]:
        """Those of ours, a row for each: of somebody whose address was corrected the one that is wanted."""
        ours = [one for one in self.attendees if one.participant_id is not None]
        return list({one.participant_id: one for one in sorted(ours, key=lambda one: one.is_wanted)}.values())


class SeriesMeeting(Base):
    """An online meeting under which a series could be joined. A link can change; attendance reads all of them."""

    __tablename__ = "series_meeting"
    __table_args__ = (UniqueConstraint("series_id", "join_url"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), index=True)
    join_url: Mapped[str]
    meeting_id: Mapped[str | None]
    since: Mapped[datetime]
    until: Mapped[datetime | None]

    series: Mapped[Series] = relationship(back_populates="meetings")


class SeriesAttendee(Base):
    """Somebody whom we invite to a series, and their reply for the whole series.

    ``participant_id`` is None for people Outlook shows and we did not invite (forwarded, delegates, rooms): guests.
    """

    __tablename__ = "series_attendee"
    __table_args__ = (UniqueConstraint("series_id", "address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), index=True)
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id"), index=True)
    address: Mapped[str] = mapped_column(String(320))
    is_wanted: Mapped[bool] = mapped_column(default=True)  # False: is to be removed at the next push
    held: Mapped[bool] = mapped_column(default=False)  # outside MAIL_ALLOWLIST: shown, not invited
    invited_at: Mapped[datetime | None]  # when Outlook was seen to have them; None again once they were taken off
    response: Mapped[str] = mapped_column(default="none")  # Graph's responseType
    responded_at: Mapped[datetime | None]

    series: Mapped[Series] = relationship(back_populates="attendees")
    participant: Mapped[Participant | None] = relationship()


class Occurrence(Base):
    """One meeting of a series. ``starts_at`` follows Outlook, for that is when people meet; ``wanted`` is as agreed.

    ``attendance`` tells how far we know who came: "pending" until the reports were read; "measured" or "declared"
    (it is known), "unknown" with ``attendance_reason``; beside the others that says what is missing. ``held`` is None
    as long as nobody can say.
    """

    __tablename__ = "occurrence"
    __table_args__ = (
        UniqueConstraint("series_id", "number"),
        CheckConstraint("attendance IN ('pending', 'measured', 'declared', 'unknown')", name="attendance"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), index=True)
    number: Mapped[int]  # 1-based, in the order of original starts, skipped holidays left out
    original_start_at: Mapped[datetime]
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    wanted_starts_at: Mapped[datetime | None]  # where it is agreed to be; None: where the series has it
    wanted_ends_at: Mapped[datetime | None]
    event_id: Mapped[str | None] = mapped_column(index=True)
    is_exception: Mapped[bool] = mapped_column(
        default=False
    )  # as Outlook had it when last read: with its own attendees
    facilitator_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id"))
    cancelled_at: Mapped[datetime | None]

    guide_due_at: Mapped[datetime | None] = mapped_column(index=True)  # the day before: the facilitator's guide
    freeze_due_at: Mapped[datetime | None] = mapped_column(index=True)  # the start: who is invited is frozen
    frozen_at: Mapped[datetime | None]  # when it really was; later than the start is said so
    collect_due_at: Mapped[datetime | None] = mapped_column(index=True)  # the next look at the attendance reports
    collect_attempts: Mapped[int] = mapped_column(default=0)
    looked_at: Mapped[datetime | None]  # when the attendance reports were last looked at

    attendance: Mapped[str] = mapped_column(default="pending")
    attendance_reason: Mapped[Wording | None] = mapped_column(KeptWording)
    attendance_known_at: Mapped[datetime | None]
    held: Mapped[bool | None]
    held_provenance: Mapped[str | None]  # measured | declared
    together_seconds: Mapped[int | None]  # how long two or more were present; None where minutes are not stored
    guests: Mapped[int | None]  # people present who were not invited, rooms excluded
    attended_count: Mapped[int | None]  # of the invited; filled for every detail, the only figures of "counts only"
    unknown_count: Mapped[int | None]  # invited people of whom nobody can say whether they came

    series: Mapped[Series] = relationship(back_populates="occurrences")
    facilitator: Mapped[Participant | None] = relationship()
    invited: Mapped[list[Invited]] = relationship(back_populates="occurrence", order_by="Invited.id")
    replies: Mapped[list[OccurrenceReply]] = relationship(back_populates="occurrence", cascade="all, delete-orphan")

    @property
    def wanted(self) -> tuple[datetime, datetime]:
        """Start and end as agreed."""
        if self.wanted_starts_at is not None and self.wanted_ends_at is not None:
            return self.wanted_starts_at, self.wanted_ends_at
        return self.original_start_at, self.original_start_at + timedelta(minutes=self.series.minutes)


class OccurrenceReply(Base):
    """What somebody answered to one occurrence, where that differs from their answer to the series."""

    __tablename__ = "occurrence_reply"
    __table_args__ = (UniqueConstraint("occurrence_id", "participant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    response: Mapped[str]  # Graph's responseType
    responded_at: Mapped[datetime | None]

    occurrence: Mapped[Occurrence] = relationship(back_populates="replies")
    participant: Mapped[Participant] = relationship()


class Invited(Base):
    """Somebody who was on an occurrence when it started: the denominator of the participation rate."""

    __tablename__ = "invited"
    __table_args__ = (UniqueConstraint("occurrence_id", "participant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    response: Mapped[str] = mapped_column(default="none")
    away: Mapped[bool] = mapped_column(default=False)  # out of office at the start, or self-declared

    occurrence: Mapped[Occurrence] = relationship(back_populates="invited")
    participant: Mapped[Participant] = relationship()
