"""Why a notification was turned away, in words."""

from __future__ import annotations

from collections.abc import Mapping

from integration.language import Lazy, lazy

WORDS: Mapping[str, Lazy] = {
    "unreadable post": lazy("No notification at all"),
    "unreadable item": lazy("A notification that cannot be read"),
    "unknown subscription": lazy("Of a subscription that is not ours"),
    "wrong client state": lazy("Without the secret of its subscription"),
    "no validation token": lazy("With data, but without a validation token"),
    "untrusted token": lazy("With a validation token that proves nothing"),
    "unknown certificate": lazy("Encrypted for a certificate that is not ours"),
    "broken envelope": lazy("With data that cannot be decrypted"),
    "broken signature": lazy("With data whose signature is wrong"),
    "unreadable content": lazy("With data that is no call event"),
}


def refusal_words(reason: str) -> str:
    """A reason as people call it; one without words by its own name."""
    return str(WORDS.get(reason, reason))
