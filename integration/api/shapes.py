"""What the API is sent and what it answers: the document at /api/v1/openapi.json is made from these.

Instants are aware and in UTC, days are ISO dates; ``starts_local`` is a wall clock in the IANA zone beside it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Generic, Literal, TypeVar

from msgspec import Meta, Struct

T = TypeVar("T")
MOST_PER_PAGE = 200
# PostgreSQL stores no NUL in a text.
Text = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
LongText = Annotated[str, Meta(max_length=5_000, pattern=r"^[^\x00]*$")]
Filled = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
Cursor = Annotated[str, Meta(max_length=64, description="From the link to the next page.")]
Limit = Annotated[int, Meta(ge=1, le=MOST_PER_PAGE)]
Format = Literal[
    "learning pod", "micro-lesson", "peer coaching", "skill-swap", "problem clinic", "shadow shift", "lunch-and-learn"
]
Detail = Literal["minutes", "present", "counts only"]
Verdict = Literal["met", "not met", "undecided"]


class Page(Struct, Generic[T], frozen=True):
    """Some of the things there are; ``next`` is the cursor of the page after it, null on the last."""

    items: list[T]
    next: str | None


class PageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of a list."""

    cursor: Cursor | None = None
    limit: Limit = 50


class PeopleQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which people: those whose name or address contains ``q``; ``state`` here, left or all."""

    q: Text | None = None
    state: Literal["here", "left", "all"] = "here"


class MessagesQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which messages of the outbox."""

    state: Literal["waiting", "claimed", "parked", "done"] = "parked"


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing can be asked for here."""


class PersonAnswer(Struct, frozen=True, kw_only=True):
    """Somebody on the roster; nothing is sent to people who have left."""

    id: int
    name: str
    mail: str
    role: str | None
    department: str | None
    time_zone: str | None
    language: str | None
    state: Literal["here", "left"]
    left_at: datetime | None
    teaches: list[str]
    wants: list[str]


class AddressRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody's right address; ``before`` is the one that you know: a 409 says that it is another one by now."""

    mail: Filled
    before: Filled


class Somebody(Struct, frozen=True, kw_only=True):
    """Somebody in a pod or plan; of somebody erased there is neither id, name nor address."""

    id: int | None
    name: str
    mail: str | None
    state: Literal["here", "left", "erased"]


class RefusedLineAnswer(Struct, frozen=True, kw_only=True):
    """A line of the roster that was not used; 1 is the header."""

    line: int
    reason: str


class ImportAnswer(Struct, frozen=True, kw_only=True):
    """What an import did; nobody is ever removed by one."""

    created: int
    updated: int
    unchanged: int
    refused: list[RefusedLineAnswer]
    unknown_columns: list[str]


class ProgramRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new program; members and leaders are mail addresses of people on the roster."""

    name: Filled
    outcome: Filled
    metric: Filled
    baseline: Filled
    starts_on: date
    format: Format = "learning pod"
    minutes: Annotated[int, Meta(ge=10, le=180)] = 30
    weeks: Annotated[int, Meta(ge=1, le=52)] = 6
    pod_size: Annotated[int, Meta(ge=2, le=12)] = 4
    holidays: Annotated[list[date], Meta(max_length=400)] = []
    attendance_detail: Detail = "minutes"
    agenda: LongText | None = None
    members: Annotated[list[Text], Meta(max_length=10_000)] = []
    leaders: Annotated[list[Text], Meta(max_length=100)] = []


class ProgramAnswer(Struct, frozen=True, kw_only=True):
    """A program; ``members`` and ``pods`` are how many."""

    id: int
    name: str
    outcome: str
    metric: str
    baseline: str
    starts_on: date
    format: str
    minutes: int
    weeks: int
    pod_size: int
    holidays: list[str]
    attendance_detail: str
    agenda: str
    created_at: datetime
    ended_at: datetime | None
    members: int
    pods: int


class PlannedPod(Struct, frozen=True, kw_only=True):
    """A pod as a plan has it; weekday, time and dates are on the wall of its zone, null or empty without a slot."""

    name: str
    time_zone: str
    weekday: str | None
    time: str | None
    minutes: int
    dates: list[str]
    members: list[Somebody]
    problems: list[str]


class PlanAnswer(Struct, frozen=True, kw_only=True):
    """A plan: what would be done, or was. ``mails`` is how many invitations it sends, ``held`` how many it must not.

    ``trouble`` says why a plan could not be made; until it is ready there are no pods in it.
    """

    id: int
    program_id: int
    state: Literal["drafting", "failed", "ready", "applied", "undone"]
    trouble: str | None
    made_at: datetime
    applied_at: datetime | None
    undone_at: datetime | None
    summary: str
    series: int
    mails: int
    held: int
    pods: list[PlannedPod]


class PodSummary(Struct, frozen=True, kw_only=True):
    """A pod in a list; ``members`` is how many are in it now."""

    id: int
    program_id: int
    name: str
    time_zone: str
    members: int


class OccurrenceAnswer(Struct, frozen=True, kw_only=True):
    """One meeting. ``attended`` is null as long as nobody can say, never a nought in its place."""

    id: int
    number: int
    starts_at: datetime
    ends_at: datetime
    state: Literal["planned", "held", "not held", "unknown", "cancelled"]
    facilitator: Somebody | None
    invited: int
    attended: int | None
    attendance: Literal["pending", "measured", "declared", "unknown"]


class SeriesAnswer(Struct, frozen=True, kw_only=True):
    """A pod's recurring meeting; ``trouble`` says why it does not go on, with the remedy."""

    id: int
    organizer: str
    subject: str
    starts_local: datetime
    time_zone: str
    minutes: int
    state: Literal["planned", "created", "invited", "cancelled"]
    uid: str | None
    join_url: str | None
    trouble: str | None
    occurrences: list[OccurrenceAnswer]


class PodAnswer(Struct, frozen=True, kw_only=True):
    """A pod with its people and meetings."""

    id: int
    program_id: int
    name: str
    time_zone: str
    members: list[Somebody]
    series: list[SeriesAnswer]


class MessageAnswer(Struct, frozen=True, kw_only=True):
    """A wish in the outbox: ``subject`` is the id of what ``task`` is about."""

    id: int
    task: str
    subject: str
    state: Literal["waiting", "claimed", "parked", "done"]
    first_asked_at: datetime
    due_at: datetime
    attempts: int
    last_error: str | None


class RetryAnswer(Struct, frozen=True, kw_only=True):
    """The wish waits again, as a new message."""

    task: str
    subject: str
    state: Literal["waiting"] = "waiting"


class DiscardRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why somebody gives up on a message."""

    reason: Filled


class RateAnswer(Struct, frozen=True, kw_only=True):
    """A participation rate: ``low`` as if none of the unknown had come, ``high`` as if all had; null when unknown."""

    low: float | None
    high: float | None
    attended: int
    invited: int
    unknown_people: int
    known_occurrences: int
    unknown_occurrences: int
    of_those_not_away: float | None


class SatisfactionAnswer(Struct, frozen=True, kw_only=True):
    """The mean of answers from 1 to 5, null without any."""

    value: float | None
    answers: int
    people: int
    asked: int


class MedianAnswer(Struct, frozen=True, kw_only=True):
    """Median days from start date to milestone, with its 95 % interval; null where there is none."""

    median_days: float | None
    low: float | None
    high: float | None
    people: int
    not_there_yet: int


class CompetencyAnswer(Struct, frozen=True, kw_only=True):
    """Time-to-competency before the program and in it."""

    baseline: MedianAnswer
    pilot: MedianAnswer
    verdict: Verdict


class PodFiguresAnswer(Struct, frozen=True, kw_only=True):
    """One pod's figures."""

    pod_id: int
    name: str
    people: int
    participation: RateAnswer
    held: int
    not_held: int
    unknown_occurrences: int
    mean_duration_minutes: float | None


class FiguresAnswer(Struct, frozen=True, kw_only=True):
    """A program's figures over the meetings that had begun at ``at``; unknown figures are null, never 0."""

    program_id: int
    at: datetime
    people: int
    participation: RateAnswer
    held: int
    sessions_per_28_days: float | None
    mean_duration_minutes: float | None
    satisfaction: SatisfactionAnswer
    time_to_competency: CompetencyAnswer
    pods: list[PodFiguresAnswer]
