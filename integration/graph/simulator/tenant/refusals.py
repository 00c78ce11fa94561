"""What the tenant refuses: HTTP status, Microsoft's code, message. The HTTP layer passes it on as Graph's error."""

from collections.abc import Mapping


class Refused(Exception):
    """A request Microsoft 365 turns down. `details` are further members of the error object."""

    def __init__(self, status: int, code: str, message: str, *, details: Mapping[str, object] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details or {})


def item_not_found() -> Refused:
    return Refused(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def invalid(message: str) -> Refused:
    return Refused(400, "ErrorPropertyValidationFailure", message)


def crossing_boundary() -> Refused:
    message = (
        "Modified occurrence is crossing or overlapping adjacent occurrence. "
        "An occurrence cannot be moved to or past the day of its neighbours."
    )
    return Refused(400, "ErrorOccurrenceCrossingBoundary", message)


def organizer_only() -> Refused:
    message = "Your request can't be completed. You need to be an organizer to cancel a meeting."
    return Refused(400, "ErrorInvalidRequest", message)


def duplicate_transaction(existing_id: str, *, status: int) -> Refused:
    message = (
        "Your request can't be completed. The TransactionId specified in the request has already been used "
        "to create a different event."
    )
    details = {"@event.existingEventId": existing_id}
    return Refused(status, "ErrorDuplicateTransactionId", message, details=details)
