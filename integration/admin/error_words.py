"""What error pages say happened, by HTTP status, in the visitor's language; the page itself says what to do next."""

from __future__ import annotations

from werkzeug.exceptions import HTTPException

from integration.language import lazy

WORDS = {
    400: (lazy("Bad Request"), lazy("Something in the form or in the address is not as expected.")),
    401: (lazy("Unauthorized"), lazy("Nobody knows yet who you are.")),
    403: (lazy("Forbidden"), lazy("Your role does not include this.")),
    404: (lazy("Not Found"), lazy("There is no such page, or it is not for you.")),
    405: (lazy("Method Not Allowed"), lazy("This address does not take that kind of request.")),
    409: (lazy("Conflict"), lazy("Somebody else changed this meanwhile.")),
    410: (lazy("Gone"), lazy("This was there once, and was removed.")),
    413: (lazy("Request Entity Too Large"), lazy("What was sent is too large.")),
    415: (lazy("Unsupported Media Type"), lazy("This address does not take that kind of content.")),
    429: (lazy("Too Many Requests"), lazy("That was too often.")),
    500: (lazy("Internal Server Error"), lazy("Something broke on our side.")),
    503: (lazy("Service Unavailable"), lazy("Something that this page needs cannot be reached.")),
}


def words_of(error: HTTPException) -> tuple[str, str]:
    """Name and advice; what a view says itself (``abort(403, description=...)``) is the advice."""
    status = error.code or 500
    name, advice = WORDS.get(status, (error.name, error.description or ""))
    own = error.description if error.description != type(error).description else None
    return str(name), own or str(advice)
