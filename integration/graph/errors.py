"""What Microsoft Graph refuses, in words that say what to do.

    GraphError                 .status .code .request_id .message .remedy
    +- Unavailable             network, 5xx: try again, for ever
    +- Throttled               429: try again after .retry_after seconds
    +- NotFound                404, 410
    +- Rejected                400, 409, 412, 413: our request, or what we sent, is wrong
    |  +- DuplicateTransaction the transactionId was used before; .existing_event_id when Graph says it
    |  +- ZoneUnsupported      Outlook has no name for a time zone
    +- Forbidden               401, 403: a permission, policy or licence is missing
    +- SyncLost                a delta link is no longer known: start a full round

No text here ever holds a token, an address or a body: Graph's own words are scrubbed first.
Graph's shape of errors: https://learn.microsoft.com/graph/errors
"""

from __future__ import annotations

import re

import msgspec

from integration.errors import PodsError
from integration.graph.operations import Operation
from integration.graph.remedies import remedy_for
from integration.language import Wording, joined, lazy

LONGEST_QUOTE = 160  # characters of Graph's own words
CODE = re.compile(r"(?=.{1,64}$)[A-Za-z_.]+(\d{1,3}[A-Za-z_.]+)?")  # one number at most: ids and tokens hold many
SYNC_LOST_CODES = {"syncstatenotfound", "syncstateinvalid", "resyncrequired", "syncstateexpired"}
DEFAULT_RETRY_AFTER = 5.0  # seconds
NO_MAILBOX_CODES = {  # the account or its mailbox is gone, not the one thing that was asked for
    "mailboxnotenabledforrestapi",
    "mailboxnotsupportedforrestapi",
    "errorinvaliduser",
    "errornonexistentmailbox",
    "request_resourcenotfound",
    "resourcenotfound",
}


class GraphError(PodsError):
    """Graph refused or could not be reached. ``status`` is None when no answer came."""

    def __init__(
        self,
        message: Wording,
        *,
        remedy: Wording = "",
        status: int | None = None,
        code: str = "",
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.code = code
        self.request_id = request_id

    @property
    def says_mailbox_is_gone(self) -> bool:
        """Whether the whole mailbox is missing: deleted, unlicensed or moved out of the cloud."""
        return self.code.lower() in NO_MAILBOX_CODES


class Unavailable(GraphError):
    """The network or Microsoft's servers failed: it passes by itself."""

    passes_by_itself = True


class Throttled(GraphError):
    """Too many requests: try again after ``retry_after`` seconds (never None here)."""

    passes_by_itself = True
    retry_after = DEFAULT_RETRY_AFTER


class NotFound(GraphError):
    """The thing does not exist, or not any more."""


class Rejected(GraphError):
    """Our request, or what we sent in it, is wrong: repeating it does not help."""


class DuplicateTransaction(Rejected):
    """An event was created before under this transactionId."""

    existing_event_id: str | None = None


class ZoneUnsupported(Rejected):
    """Outlook (or this mailbox) has no name for the time zone."""


class Forbidden(GraphError):
    """A permission, policy, licence or credential is missing."""


class SyncLost(GraphError):
    """The delta link is no longer known: read the whole window again."""


def error_from(
    status: int, body: bytes, *, operation: Operation, request_id: str | None, retry_after: float | None
) -> GraphError:
    """The error that an answer of Graph stands for; ``body`` is the raw answer, JSON or not."""
    fault = _fault(body)
    code = _most_telling_code(fault)
    kind = _kind(status, code, operation)
    error = kind(
        _answered(status, code, operation, fault.message),
        remedy=remedy_for(status, code, fault.message, operation),
        status=status,
        code=code,
        request_id=request_id or _request_id(fault),
    )
    if retry_after is not None:
        error.retry_after = retry_after
    if isinstance(error, DuplicateTransaction):
        error.existing_event_id = fault.existing_event_id
    return error


def scrubbed(text: str) -> str:
    """Words of others without addresses, links, markup and opaque runs (ids, tokens), and not long."""
    text = re.sub(r"<.*", "...", text, flags=re.DOTALL)
    text = re.sub(r"(?i)\b(https?|mailto):\S+", "(link)", text)
    text = re.sub(r"[^\s@'\"(]+@[^\s@'\")]+", "(address)", text)
    text = re.sub(r"(?i)\bbearer\s+\S+", "(token)", text)
    text = re.sub(r"[\w\-+/=.]{33,}", "(...)", text)
    return " ".join(text.split())[:LONGEST_QUOTE]


class _Fault(msgspec.Struct):
    code: str = ""
    message: str = ""
    inner: dict[str, object] | None = msgspec.field(default=None, name="innerError")
    inner_lower: dict[str, object] | None = msgspec.field(default=None, name="innererror")
    existing_event_id: str | None = msgspec.field(default=None, name="@event.existingEventId")


class _Body(msgspec.Struct):
    error: _Fault


def _fault(body: bytes) -> _Fault:
    try:
        return msgspec.json.decode(body, type=_Body).error
    except msgspec.MsgspecError:
        return _Fault()  # a gateway's HTML page: the status alone has to speak


def _inner(fault: _Fault) -> dict[str, object]:
    return fault.inner or fault.inner_lower or {}


def _most_telling_code(fault: _Fault) -> str:
    """The inner code is the specific one, unless it only repeats the status ("429")."""
    inner = str(_inner(fault).get("code") or "")
    code = fault.code if not inner or inner.isdigit() else inner
    return code if CODE.fullmatch(code) else scrubbed(code)


def _request_id(fault: _Fault) -> str | None:
    found = _inner(fault).get("request-id")
    return str(found) if found else None


def _kind(status: int, code: str, operation: Operation) -> type[GraphError]:
    if code.lower() in SYNC_LOST_CODES or (status == 410 and operation.is_delta):
        return SyncLost
    if code == "ErrorDuplicateTransactionId":
        return DuplicateTransaction
    if status == 429:
        return Throttled
    if status in (401, 403):
        return Forbidden
    if code in ("MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI"):
        return Forbidden  # Graph says 404, but what is missing is a licence, not an item
    if status in (404, 410):
        return NotFound
    if status in (408, 423) or status >= 500:
        return Unavailable
    return Rejected


def _answered(status: int, code: str, operation: Operation, message: str) -> Wording:
    answer = f"{status} {code}".strip()
    words = scrubbed(message)
    return joined(
        lazy("Graph answered %(answer)s to %(operation)s.", answer=answer, operation=str(operation)),
        lazy('It says: "%(words)s".', words=words) if words else "",
    )
