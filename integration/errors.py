"""The errors of Learning Pods.

    PodsError                      everything a user may read: names the thing and the remedy
    +- SettingRefused              a setting is missing or wrong: nothing starts
    +- InputRefused                a file, form or argument cannot be used
    +- NotThere                    the row that was asked for does not exist
    +- Conflict                    the step is not possible in the present state
    +- integration.graph.errors.GraphError
       +- Unavailable              network, 5xx: try again, for ever
       +- Throttled                429: try again after .retry_after
       +- NotFound                 404, 410
       +- Rejected                 400, 409, 412, 413: our request, or what we sent, is wrong
       +- Forbidden                401, 403: a permission, policy or licence is missing

Unavailable and Throttled pass by themselves; the others need a person, and say what that person can do.
"""

from __future__ import annotations


class PodsError(Exception):
    """Something went wrong that a user can understand.

    ``message`` names the thing; ``remedy`` says what to do about it. ``str()`` joins both.
    """

    passes_by_itself: bool = False  # whether trying again later can help although nobody does anything
    retry_after: float | None = None  # seconds that the other side asked us to wait

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class SettingRefused(PodsError):
    """A setting cannot be used; nothing is started with it."""

    def __init__(self, name: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"{name} {reason}", remedy=remedy)
        self.name = name


class InputRefused(PodsError):
    """A file, a form or an argument cannot be used as it is."""


class NotThere(PodsError):
    """The row that was asked for does not exist (any more)."""

    def __init__(self, what: str, key: object) -> None:
        super().__init__(f"There is no {what} {key!r}.", remedy=f"List the {what}s to see which there are.")


class Conflict(PodsError):
    """The step is not possible in the present state; nothing was changed."""
