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

from integration.language import Lazy, Wording, joined, lazy


class PodsError(Exception):
    """Something went wrong that a user can understand.

    ``message`` names the thing; ``remedy`` says what to do about it; ``wording`` joins both, to be kept in a row.
    Given as ``lazy(...)``, they are said in the language that is spoken when they are read.
    """

    passes_by_itself: bool = False  # whether trying again later can help although nobody does anything
    retry_after: float | None = None  # seconds that the other side asked us to wait

    def __init__(self, message: Wording, *, remedy: Wording = "") -> None:
        super().__init__(message, remedy)
        self.wording = joined(message, remedy)
        self.said_message, self.said_remedy = message, remedy

    @property
    def message(self) -> str:
        return str(self.said_message)

    @property
    def remedy(self) -> str:
        return str(self.said_remedy)

    def __str__(self) -> str:
        return str(self.wording)


class SettingRefused(PodsError):
    """A setting cannot be used; nothing is started with it."""

    def __init__(self, name: str, reason: Lazy, *, remedy: Wording) -> None:
        """``reason`` is a sentence about ``%(name)s``, such as ``lazy("%(name)s is not set.")``."""
        super().__init__(Lazy(reason.message, {**reason.values, "name": name}), remedy=remedy)
        self.name = name


class InputRefused(PodsError):
    """A file, a form or an argument cannot be used as it is."""


class NotThere(PodsError):
    """The row that was asked for does not exist (any more)."""

    def __init__(self, what: Lazy, key: object) -> None:
        super().__init__(
            lazy("There is no %(what)s %(key)s.", what=what, key=repr(key)),
            remedy=lazy("Look at the list of those that are there."),
        )


class Conflict(PodsError):
    """The step is not possible in the present state; nothing was changed."""
