"""Teams meetings of the tenant: one per link, its settings, and who may reach it through an application."""

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import quote, unquote

from .callevents import roster_of, tell_call_events
from .callrecords import CallRecords
from .calls import Call, JoinRequest, Lobby, join_call, leave_call
from .directory import Person
from .refusals import Refused

if TYPE_CHECKING:
    from .tenant import Tenant

LIFETIME = timedelta(days=60)
"""A meeting expires this long after its end, or after the last thing that happened in it. Facts 2.3."""
RunningReport = Literal["none", "empty", "partial"]
"""What the list of reports shows while a call runs, and until its report is final."""
LOBBY_SCOPES = (
    "organizer",
    "organization",
    "organizationAndFederated",
    "everyone",
    "invited",
    "organizationExcludingGuests",
)
_CHOICES = {
    "allowedPresenters": ("everyone", "organization", "roleIsPresenter", "organizer"),
    "allowMeetingChat": ("enabled", "disabled", "limited"),
}
_SWITCHES = (
    "allowAttendeeToEnableCamera",
    "allowAttendeeToEnableMic",
    "allowRecording",
    "allowTeamworkReactions",
    "allowTranscription",
    "isEntryExitAnnounced",
    "recordAutomatically",
)
WRITABLE = {"subject", "startDateTime", "endDateTime", "participants", "lobbyBypassSettings", *_CHOICES, *_SWITCHES}


@dataclass
class OnlineMeeting:
    """One join link with everything that ever happened behind it. Instants are UTC."""

    id: str
    organizer: Person
    join_url: str
    thread_id: str
    subject: str | None
    starts_at: datetime
    ends_at: datetime
    recurring: bool
    created_at: datetime
    conference_id: str
    toll_number: str
    join_meeting_id: str
    passcode: str
    settings: dict[str, object]
    lobby_scope: str
    dial_in_bypasses_lobby: bool = False
    attendees: list[dict[str, object]] = field(default_factory=list)
    touched_at: datetime | None = None
    report_delay_minutes: int | None = None
    record_per_device: bool | None = None
    running_report: RunningReport | None = None
    calls: list[Call] = field(default_factory=list)
    lobby: Lobby = field(default_factory=Lobby)

    @property
    def expires_at(self) -> datetime:
        last = max(at for at in (self.ends_at, self.created_at, self.touched_at) if at is not None)
        return last + LIFETIME

    @property
    def running(self) -> Call | None:
        return self.calls[-1] if self.calls and self.calls[-1].ended_at is None else None

    @property
    def conference_block_html(self) -> str:
        """The block Outlook puts into the body of an invitation; overwriting the body loses it."""
        rule = '<div style="width:100%; height:20px"><span style="white-space:nowrap; color:gray; opacity:.36">'
        rule += "_" * 80 + "</span></div>"
        return (
            f'{rule}<div class="me-email-text" lang="en-US">'
            f'<div><a class="me-email-headline" href="{self.join_url}" target="_blank" '
            f'rel="noreferrer noopener">Join Microsoft Teams Meeting</a></div>'
            f'<div><a class="me-email-link" href="tel:{self.toll_number},,{self.conference_id}#">'
            f"{self.toll_number}</a></div>"
            f"<div>Conference ID: {self.conference_id}#</div>"
            f"<div>Meeting ID: {self.join_meeting_id} Passcode: {self.passcode}</div>"
            f"</div>{rule}"
        )


class Teams:
    def __init__(self, tenant: "Tenant") -> None:
        self._tenant = tenant
        self.meetings: dict[str, OnlineMeeting] = {}
        self._by_link: dict[str, OnlineMeeting] = {}
        self._planned: list[tuple[datetime, int, str, JoinRequest]] = []
        self._planned_count = 0
        self._without_policy: set[str] = set()
        self.records = CallRecords(tenant)

    def mint_meeting(
        self, organizer: Person, *, subject: str | None, starts_at: datetime, ends_at: datetime, recurring: bool
    ) -> OnlineMeeting:
        """A new link. Raises Refused when the organizer has no Teams licence."""
        tenant = self._tenant
        if not organizer.teams:
            raise Refused(403, "Forbidden", f"{organizer.mail} is not licensed for Microsoft Teams.")
        thread = f"19:meeting_{_opaque(tenant.new_guid())}@thread.v2"
        digits = f"{tenant.rng.randrange(10**12):012d}"
        meeting = OnlineMeeting(
            id=_opaque(f"1*{organizer.id}*0**{thread}"),
            organizer=organizer,
            join_url="",
            thread_id=thread,
            subject=subject,
            starts_at=starts_at,
            ends_at=ends_at,
            recurring=recurring,
            created_at=tenant.clock.now(),
            conference_id=f"{tenant.rng.randrange(10**9):09d}",
            toll_number="+41 43 210 55 01",
            join_meeting_id=" ".join(digits[at : at + 3] for at in range(0, 12, 3)),
            passcode=_opaque(tenant.new_guid())[:8],
            settings=_default_settings(),
            lobby_scope=tenant.switches.lobby_scope,
        )
        meeting.join_url = self._link(meeting)
        self.meetings[meeting.id] = meeting
        self._by_link[_comparable(meeting.join_url)] = meeting
        return meeting

    def forget(self, meeting: OnlineMeeting) -> None:
        """The link and its reports are gone."""
        del self.meetings[meeting.id]
        del self._by_link[_comparable(meeting.join_url)]

    def by_join_url(self, join_url: str) -> OnlineMeeting | None:
        """However the link is percent-encoded: variations do not matter (facts 2.1)."""
        return self._by_link.get(_comparable(join_url))

    def reachable(self, organizer: Person) -> None:
        """Raises Refused unless an application may act for this organizer: policy, licence, sign-in."""
        now, switches = self._tenant.clock.now(), self._tenant.switches
        effective = organizer.access_policy_effective_at
        if not organizer.access_policy or (effective is not None and now < effective):
            raise Refused(403, "Forbidden", "No application access policy found for this app")
        if not organizer.teams:
            raise Refused(403, "Forbidden", f"User {organizer.id} is not licensed for Microsoft Teams.")
        if not organizer.enabled and not switches.reports_of_blocked_organizers:
            raise Refused(403, "Forbidden", f"User {organizer.id} is blocked from signing in.")

    def meeting_of(self, organizer: Person, meeting_id: str) -> OnlineMeeting:
        """Raises Refused: 404 when there is none, it is somebody else's, or it has expired."""
        meeting = self.meetings.get(meeting_id)
        if meeting is None or meeting.organizer is not organizer or self.expired(meeting):
            raise Refused(404, "NotFound", "Meeting not found.")
        return meeting

    def expired(self, meeting: OnlineMeeting) -> bool:
        return self._tenant.clock.now() >= meeting.expires_at

    def update(self, meeting: OnlineMeeting, body: dict[str, object]) -> None:
        """Applies a PATCH. Raises Refused (400) for what Teams does not take; then nothing has changed."""
        for name, value in body.items():
            _check_setting(name, value)
        starts_at, ends_at = _window(body)
        attendees = _attendees(body)
        if body.get("allowedPresenters") == "roleIsPresenter" and attendees is None:
            raise Refused(400, "BadRequest", "roleIsPresenter needs the full list participants.attendees.")
        if starts_at and ends_at:
            meeting.starts_at, meeting.ends_at = starts_at, ends_at
        if attendees is not None:
            meeting.attendees = attendees
        if "subject" in body:
            meeting.subject = cast(str | None, body["subject"])
        lobby = cast(dict[str, object], body.get("lobbyBypassSettings") or {})
        meeting.lobby_scope = str(lobby.get("scope", meeting.lobby_scope))
        meeting.dial_in_bypasses_lobby = bool(lobby.get("isDialInBypassEnabled", meeting.dial_in_bypasses_lobby))
        meeting.settings |= {name: body[name] for name in (*_CHOICES, *_SWITCHES) if name in body}
        meeting.touched_at = self._tenant.clock.now()

    def follow_event(
        self, join_url: str, *, subject: str | None, starts_at: datetime, ends_at: datetime, recurring: bool
    ) -> None:
        """The event behind a link was moved, extended or renamed: an update, so the link lives longer (facts 2.3).

        What has expired stays expired.
        """
        meeting = self.by_join_url(join_url)
        if meeting is None or self.expired(meeting):
            return
        meeting.subject, meeting.starts_at, meeting.ends_at = subject, starts_at, ends_at
        meeting.recurring, meeting.touched_at = recurring, self._tenant.clock.now()

    def join(self, meeting: OnlineMeeting, request: JoinRequest) -> bool:
        """Whether the person is in the call now; False: waits in the lobby, or comes at a later instant."""
        if request.at > self._tenant.clock.now():
            self._plan("join", meeting, request)
            return False
        meeting.touched_at = request.at
        before = roster_of(meeting)
        admitted = join_call(meeting, request, tenant=self._tenant)
        tell_call_events(self._tenant, meeting, before, at=request.at)
        return admitted

    def leave(self, meeting: OnlineMeeting, request: JoinRequest) -> None:
        if request.at > self._tenant.clock.now():
            self._plan("leave", meeting, request)
            return
        self._leave(meeting, request)

    def advance(self, now: datetime) -> None:
        """Plays the joins and leaves announced for instants up to `now`, in their order."""
        self._grant_policies(now)
        while self._planned and self._planned[0][0] <= now:
            _, _, what, request = self._planned.pop(0)
            meeting = self.meetings.get(request.meeting_id)
            if meeting is None:
                continue
            if what == "join":
                self.join(meeting, request)
            else:
                self._leave(meeting, request, missing_ok=True)
        self.records.advance(now)

    def next_event_at(self) -> datetime | None:
        """The next announced join or leave, or the next report becoming visible."""
        now = self._tenant.clock.now()
        due = [self._planned[0][0]] if self._planned else []
        written_at = self.records.next_event_at()
        due += [written_at] if written_at is not None else []
        for meeting in self.meetings.values():
            visible = (self.report_visible_at(meeting, call) for call in meeting.calls[-5:])
            due += [at for at in visible if at is not None and at > now]
        return min(due, default=None)

    def report_visible_at(self, meeting: OnlineMeeting, call: Call) -> datetime | None:
        """None while the call runs, and when its report never comes."""
        delay = meeting.report_delay_minutes
        delay = self._tenant.switches.report_delay_minutes if delay is None else delay
        if call.ended_at is None or delay < 0:
            return None
        return call.ended_at + timedelta(minutes=delay)

    def _grant_policies(self, now: datetime) -> None:
        """A policy granted after it was missing works some time later (facts 2.2)."""
        for person in self._tenant.organizers:
            if not person.access_policy:
                self._without_policy.add(person.id)
            elif person.id in self._without_policy:
                self._without_policy.discard(person.id)
                minutes = self._tenant.switches.access_policy_minutes
                person.access_policy_effective_at = now + timedelta(minutes=minutes)

    def _leave(self, meeting: OnlineMeeting, request: JoinRequest, *, missing_ok: bool = False) -> None:
        before, call = roster_of(meeting), meeting.running
        leave_call(meeting, request, missing_ok=missing_ok)
        tell_call_events(self._tenant, meeting, before, at=request.at)
        if call is not None and call.ended_at is not None:
            self.records.ended(meeting, call)

    def _plan(self, what: str, meeting: OnlineMeeting, request: JoinRequest) -> None:
        self._planned_count += 1
        request.meeting_id = meeting.id
        self._planned.append((request.at, self._planned_count, what, request))
        self._planned.sort(key=lambda one: one[:2])

    def _link(self, meeting: OnlineMeeting) -> str:
        if self._tenant.switches.short_join_urls:
            digits = meeting.join_meeting_id.replace(" ", "")
            return f"https://teams.microsoft.com/meet/{digits}?p={meeting.passcode}"
        thread = quote(meeting.thread_id, safe="").replace("%3A", "%3a")
        context = f'{{"Tid":"{self._tenant.id}","Oid":"{meeting.organizer.id}"}}'
        context = quote(context, safe=":").replace("%7B", "%7b").replace("%7D", "%7d").replace(":", "%3a")
        return f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={context.replace('%2C', '%2c')}"


def _opaque(text: str) -> str:
    return base64.b64encode(text.encode()).decode().rstrip("=")


def _comparable(link: str) -> str:
    """Passcodes and threads are case-sensitive, percent-encoding is not; a link may come encoded twice."""
    return unquote(unquote(link.strip()))


def _default_settings() -> dict[str, object]:
    return {
        "allowAttendeeToEnableCamera": True,
        "allowAttendeeToEnableMic": True,
        "allowedPresenters": "everyone",
        "allowMeetingChat": "enabled",
        "allowRecording": True,
        "allowTeamworkReactions": True,
        "allowTranscription": True,
        "isEntryExitAnnounced": False,
        "recordAutomatically": False,
    }


def _check_setting(name: str, value: object) -> None:
    if name in _CHOICES and value not in _CHOICES[name]:
        raise Refused(400, "BadRequest", f"{name} must be one of {', '.join(_CHOICES[name])}.")
    if name in _SWITCHES and not isinstance(value, bool):
        raise Refused(400, "BadRequest", f"{name} must be true or false.")
    if name == "subject" and not isinstance(value, str | None):
        raise Refused(400, "BadRequest", "subject must be a string.")
    if name != "lobbyBypassSettings":
        return
    if not isinstance(value, dict) or not set(value) <= {"scope", "isDialInBypassEnabled", "@odata.type"}:
        raise Refused(400, "BadRequest", "lobbyBypassSettings takes scope and isDialInBypassEnabled.")
    if value.get("scope", "organization") not in LOBBY_SCOPES:
        raise Refused(400, "BadRequest", f"lobbyBypassSettings.scope {value.get('scope')!r} is not a scope.")


def _window(body: dict[str, object]) -> tuple[datetime | None, datetime | None]:
    if ("startDateTime" in body) != ("endDateTime" in body):
        raise Refused(400, "BadRequest", "startDateTime and endDateTime are changed together.")
    if "startDateTime" not in body:
        return None, None
    try:
        starts_at = datetime.fromisoformat(str(body["startDateTime"]))
        ends_at = datetime.fromisoformat(str(body["endDateTime"]))
    except ValueError as error:
        raise Refused(400, "BadRequest", f"Not a date-time: {error}") from error
    if starts_at.tzinfo is None or ends_at.tzinfo is None or ends_at < starts_at:
        raise Refused(400, "BadRequest", "startDateTime must come before endDateTime, both with an offset.")
    return starts_at, ends_at


def _attendees(body: dict[str, object]) -> list[dict[str, object]] | None:
    participants = body.get("participants")
    if participants is None:
        return None
    if not isinstance(participants, dict) or not set(participants) <= {"attendees", "@odata.type"}:
        raise Refused(400, "BadRequest", "Only participants.attendees can be written.")
    attendees = participants.get("attendees")
    if not isinstance(attendees, list) or not all(isinstance(one, dict) and one.get("upn") for one in attendees):
        raise Refused(400, "BadRequest", "participants.attendees needs the full list, each with a upn.")
    return attendees
