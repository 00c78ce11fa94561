"""Rules nobody has seen written down by Microsoft: each can be answered either way, the default first.

A product that is right must be right under both answers. Set them through `POST /control/switches`.
"""

from dataclasses import dataclass, fields


class UnknownSwitch(KeyError):
    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"there is no switch {name!r}; there are: {', '.join(known)}")


@dataclass
class Switches:
    # --- directory, sign-in and throttling ---
    token_seconds: int = 3600
    """How long an access token lives (60-90 minutes are seen; not documented). Facts 12.1."""
    concurrent_requests_per_mailbox: int = 4
    """Requests one app may have in flight for one mailbox. Facts 7.1."""
    requests_per_mailbox_per_10_minutes: int = 10_000
    """Requests one app may make for one mailbox in ten minutes. Facts 7.1."""
    throttle_retry_after_seconds: int = 1
    """`Retry-After` of a 429 the tenant decides on; Microsoft's differ. 0 sends no such header. Facts 7.3."""
    throttle_code: str = "ApplicationThrottled"
    """Error code of a mailbox 429; `TooManyRequests` is the other one seen. Facts 7.3."""
    batch_parts_beyond_concurrency: str = "throttle"
    """Independent parts of one $batch beyond four for a mailbox: `throttle` (429) or `queue`. Facts 7.1."""
    scoped_reading: bool = False
    """Whether reading a calendar outside the scoped mailboxes is refused as writing is. Facts 12.3."""
    user_delta_token_days: int = 7
    """Age at which a directory delta link answers 410. Facts 6."""

    # --- free/busy ---
    schedule_addresses_per_call: int = 20
    """Most addresses one getSchedule takes; 100 is the older figure. Facts 8.1."""
    schedule_days_per_call: int = 62
    """Longest window one getSchedule takes. Facts 8.1."""
    schedule_outside_scope: bool = True
    """Whether getSchedule, asked as a scoped mailbox, answers for people outside the scope. Facts 12.3."""
    schedule_elsewhere_digit: str = "0"
    """Digit for `workingElsewhere` in availabilityView: `0`, or `4` as the type's page says. Facts 8.1."""

    # --- Outlook calendar: who gets mail ---
    attendees_patch_tells_only_the_changed: bool = True
    """A PATCH of `attendees` alone tells only the people added or removed; else everybody. Facts 1.6."""
    invitation_repeats_cancelled_occurrences: bool = False
    """Whether an invitation comes with one cancellation per future occurrence deleted before it. Facts 16."""
    newcomers_are_told_of_exceptions: bool = False
    """Whether somebody added to a series gets a further mail per future exception. Facts 18."""
    series_update_repeats_exceptions: bool = True
    """A PATCH of a master sends one more update per future exception. Facts 1.6, 16."""
    series_update_repeats_cancelled_occurrences: bool = True
    """A PATCH of a master sends a fresh cancellation per future deleted occurrence. Facts 16."""
    reply_exceptions_multiply_mails: bool = True
    """Whether an exception made by a mere reply counts among those. Facts 18."""
    new_pattern_removes_exceptions: bool = True
    """A changed `recurrence` removes all exceptions. Facts 1.6, 16."""
    new_pattern_cancels_exceptions_by_mail: bool = True
    """Each future exception removed that way is cancelled by mail too. Facts 16."""
    new_pattern_restores_cancelled_occurrences: bool = True
    """Whether occurrences deleted before come back with a changed `recurrence`. Facts 1.6."""
    significant_change_clears_replies: bool = True
    """A change of time, place or pattern clears the answers given. Facts 16."""
    partial_attendee_list_uninvites: bool = True
    """`attendees` is replaced as a whole; else people left out stay. Facts 1.6, 16."""
    private_changes_are_silent: bool = False
    """Whether a PATCH of categories, reminder, showAs or extended properties alone tells nobody. Facts 1.1."""

    # --- Outlook calendar: replies, copies, ids, Teams, delta ---
    reply_to_one_occurrence_makes_an_exception: bool = True
    """On the organizer's copy; else it stays an `occurrence` that knows the answer. Facts 1.6, 16."""
    replies_are_processed: bool = True
    """`AutomateProcessing` of the organizers: replies reach the attendee list; else only the inbox. Facts 17."""
    external_replies_are_processed: bool = True
    """The same for people outside the organization. Facts 17, 18."""
    declined_meetings_leave_the_calendar: bool = True
    """Whether a meeting leaves the calendar of an attendee who declines it. Outlook's usual setting."""
    cancelled_meetings_stay_on_attendees_calendars: bool = False
    """Whether a cancelled meeting stays as "Canceled: ..." until its attendee removes it. Not documented."""
    occurrence_changes_name_the_occurrence: bool = True
    """Whether the notification of a change to one occurrence carries its id or the master's. Facts 15.5."""
    updates_after_create: int = 2
    """How many `updated` notifications follow the `created` of an event. Facts 17."""
    both_id_forms_are_found: bool = True
    """Whether an id is found whatever `IdType` the request prefers; else only in the form preferred. Facts 1.8."""
    transaction_ids_are_freed_by_delete: bool = False
    """Whether a transactionId can be used again after its event was deleted. Facts 1.4."""
    duplicate_transaction_status: int = 400
    """Status of ErrorDuplicateTransactionId: 400 was observed, 409 stands in others' code. Facts 1.4."""
    overwritten_body_mints_a_new_meeting: bool = True
    """Whether a PATCH of `body` without the Teams block makes a new link; else the block is just lost. Facts 18."""
    delta_reduces_occurrences: bool = True
    """Occurrences in calendarView/delta carry id, type, master, start and end only; else everything. Facts 6."""
    delta_tokens_expired: bool = False
    """While on, every delta link of a calendar answers 410 with a fresh address. Facts 6."""

    # --- Teams meetings, calls and attendance reports ---
    access_policy_minutes: int = 30
    """Minutes until a granted application access policy works ("up to 30"). Facts 2.2."""
    lobby_scope: str = "organization"
    """Lobby scope a new meeting gets from its organizer's policy; `organizer` admits nobody when the organizer
    is a service account. Facts 18."""
    lobby_opened_from_inside: bool = True
    """Whether people inside a call let those in who wait in the lobby. Facts 18 (not documented)."""
    short_join_urls: bool = False
    """Whether new meetings get the short `/meet/` link instead of `/l/meetup-join/`. Facts 2.1, 15.8."""
    engagement_report: str = "Enabled"
    """`AllowEngagementReport` of the organizers: `Enabled`, `ForceEnabled`, or `Disabled` (no reports). Facts 2.3."""
    report_delay_minutes: int = 4
    """Minutes from the end of a call until its report is listed; about 120 are seen; -1 is never. Facts 3.3, 18."""
    report_list_length: int = 50
    """How many of the newest reports the list shows; 10 was seen in 2022. Facts 3.3, 18."""
    report_while_running: bool = False
    """Whether a running call shows an empty report. Facts 3.3."""
    running_report_is_partial: bool = False
    """Whether that report has those who came so far, their stays still open, instead of nobody. Facts 3.3."""
    federated_people_have_ids: bool = True
    """Whether people of federated organizations have an object id and tenant id in reports. Facts 3.3."""
    report_for_one_participant: bool = True
    """Whether a call only one person came to makes a report. Facts 18."""
    record_per_device: bool = False
    """Whether a person's devices make one record each instead of one with several intervals. Facts 3.3."""
    report_masks_identities: bool = False
    """Whether reports hide who attended (`AttendeeIdentityMasking`). Facts 2.3, 18."""
    reports_of_blocked_organizers: bool = True
    """Whether an organizer whose sign-in is blocked still has meetings and reports. Facts 18."""

    call_record_delay_minutes: int = 15
    """Minutes from the end of a call to its record ("usually within 15, up to 60"); -1 is never. Facts 4."""
    call_record_creation_updates_too: bool = True
    """Whether the creation of a call record is told as `updated` too, after `created`. Facts 4."""
    call_record_reopened_within_minutes: int = 60
    """How long after its end a call that starts again in the same meeting is another version of the same record;
    else it is a record of its own. Facts 4 (not documented)."""
    call_event_type_name: str = "eventType"
    """What a call event calls its kind: `eventType` (concept page) or `callEventType` (schema). Facts 4."""
    call_events_of_running_calls: bool = False
    """Whether a subscription made during a call hears of it. Facts 4."""

    # --- mail ---
    transit_seconds: int = 5
    """How long a sent message is in neither Drafts nor Sent Items. Facts 17."""
    sent_id_changes: bool = False
    """Whether a message gets another id, even an immutable one, when it reaches Sent Items. Facts 17."""
    second_send_sends_again: bool = True
    """Whether sending a message that was sent already sends it once more; else 400. Facts 17."""
    auto_reply_suppressed: bool = True
    """Whether `Integer 0x3FDF` set through Graph keeps out-of-office answers away. Facts 17."""
    auto_reply_suppressed_by_header: bool = True
    """Whether the header `x-auto-response-suppress` set through Graph does the same. Facts 17 (not documented)."""
    forwarded_people_are_added: bool = True
    """Whether somebody an invitation was forwarded to joins the attendee list at once (not documented)."""
    message_delta_tokens_expired: bool = False
    """While on, every delta link of a mail folder answers 410 with a fresh address. Facts 6."""
    auto_reply_to_invitations: bool = False
    """Whether out-of-office answers go out to meeting requests too. Facts 17."""
    most_internet_headers: int = 5
    """Most custom internet message headers one message takes. Facts 9, 17."""

    # --- change notifications ---
    duplicate_subscription_refused: bool = True
    """Whether a second subscription of the same kind is answered 409 or accepted with an id of its own. Facts 5.1."""
    too_long_subscription_refused: bool = True
    """Whether an expiry over the maximum is refused, or shortened to it ("to be rejected"). Facts 5.1."""
    subscriptions_per_mailbox: int = 1000
    """Most subscriptions on one mailbox. Facts 5.9."""
    call_record_subscriptions: int = 100
    """Most subscriptions on callRecords in the organization. Facts 5.9."""
    teams_subscriptions: int = 10_000
    """Most subscriptions on Teams resources in the organization. Facts 5.9."""
    notification_delay_seconds: int = 0
    """Time between a change and the first attempt to deliver its notification. Facts 5.8."""
    reauthorization_minutes_before_expiry: int = 0
    """Minutes before expiry at which `reauthorizationRequired` is sent; 0 sends none. Facts 5.6."""
    subscription_token_minutes: int = 0
    """Life of the token behind a subscription (about 60 are seen): then `reauthorizationRequired` is sent and
    nothing delivered until it is renewed or authorized anew. 0: it never runs out. Facts 5.3."""
    revocation_removes_subscriptions: bool = True
    """Whether a revoked permission removes Outlook subscriptions (`subscriptionRemoved`), or asks for a new
    authorization while changes go untold. Facts 5.6."""
    missed_after_drops: bool = True
    """Whether `missed` follows what the tenant itself discarded (after four hours, or in the drop state).
    Facts 5.6."""
    first_deadline_seconds: float = 3.0
    """Real seconds in which a notification is to be answered; longer ones count as slow. Facts 5.3."""
    retry_deadline_seconds: float = 10.0
    """The same for later attempts; longer ones count for the drop state. Facts 5.3."""
    endpoint_judged_after_answers: int = 100
    """Fewest answers in ten minutes after which a receiver can become slow or be dropped; the older text names
    100, the newer one none. Facts 5.3."""
    validation_tokens: str = "signed"
    """`signed`, or `null`: Graph cannot issue them because of `appRoleAssignmentRequired`. Facts 5.5."""
    validation_token_issuer: str = "sts"
    """Issuer of validation tokens: `sts` (https://sts.windows.net/{tenant}/), or `own`, this server's address
    with the tenant's id. Facts 5.5."""
    call_events_need_access_policy: bool = True
    """Whether a subscription to meetingCallEvents needs the application access policy. Facts 4."""
    call_events_without_data: bool = True
    """Whether meetingCallEvents can be subscribed to without resource data, which then say nothing. Facts 4."""

    def set(self, name: str, value: object) -> None:
        """Raises UnknownSwitch for a name that is none, TypeError for a value of another type than the default."""
        known = {field.name: type(field.default) for field in fields(self)}
        if name not in known:
            raise UnknownSwitch(name, sorted(known))
        if known[name] is float and type(value) is int:
            value = float(value)
        if known[name] not in (type(None), type(value)):
            raise TypeError(f"switch {name} takes {known[name].__name__}, not {value!r}")
        setattr(self, name, value)

    def as_json(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name) for field in fields(self)}
