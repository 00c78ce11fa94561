"""The director: moves the clock from one due instant to the next, never while anything is still under way."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from integration.demo.outside import TenantState
from integration.demo.stage import Stage
from integration.errors import PodsError
from integration.jobs import Look, is_ringing, look
from integration.language import lazy

LONGEST_WAIT_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.005


@dataclass
class Director:
    """Runs acts (what people do) at their instants, and lets the product do what falls due in between.

    ``after_each`` is called whenever everything is quiet: there people read what has arrived.
    """

    stage: Stage
    after_each: Callable[[TenantState], None] = lambda _state: None
    on_move: Callable[[datetime], None] = lambda _at: None
    _agenda: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _seen: Look | None = None

    def __post_init__(self) -> None:
        self._has_changed = self.stage.tools.database.watch()

    def at(self, instant: datetime, act: Callable[[], None]) -> None:
        """Somebody does something at an instant; acts of the past happen at once."""
        heapq.heappush(self._agenda, (instant, next(self._order), act))

    def play_until(self, end: datetime) -> None:
        """Move the clock to ``end``. Raises PodsError when the product does not come to rest."""
        while True:
            state = self.wait_until_quiet()
            self.after_each(state)
            instant = self._next_instant(state, end)
            if instant is None:
                break
            if instant > state.now:
                self.stage.outside.move_clock(instant)
                self.on_move(instant)
            self._act(instant)

    def wait_until_quiet(self) -> TenantState:
        """Wait until no request, notification, message or due work is left; then nothing can change by itself."""
        gives_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
        while time.monotonic() < gives_up_at:
            now = self.stage.tools.clock.now()
            # The product is asked first, since it is busy longest; then the tenant twice with the product in between:
            # whatever the product did meanwhile shows as a request.
            if self._product_rests(now):
                before = self.stage.outside.state()
                if before.is_idle and self._product_rests(now) and self.stage.outside.state() == before:
                    return before
            time.sleep(LOOK_AGAIN_SECONDS)
        raise PodsError(
            lazy("The demonstration does not come to rest: something is tried again and again."),
            remedy=lazy("The messages above say what."),
        )

    def _product_rests(self, now: datetime) -> bool:
        return self._look().is_calm(now) and not is_ringing(self.stage.tools)

    def _look(self) -> Look:
        """What there is to do; asked anew only when it can have changed."""
        if self._has_changed() or self._seen is None:
            self._seen = look(self.stage.tools.database)
        return self._seen

    def _next_instant(self, state: TenantState, end: datetime) -> datetime | None:
        instants = [at for at in (self._look().next_due_at, state.next_event_at) if at is not None]
        if self._agenda:
            instants.append(self._agenda[0][0])
        following = max(_whole_second(min(instants, default=end)), state.now)
        if following <= end:
            return following
        if state.now < end:
            self.stage.outside.move_clock(end)
        return None

    def _act(self, instant: datetime) -> None:
        while self._agenda and self._agenda[0][0] <= instant:
            heapq.heappop(self._agenda)[2]()


def _whole_second(at: datetime) -> datetime:
    """The next whole second: what is due within one is due together, as for a scheduler that looks once a second."""
    return at if at.microsecond == 0 else at.replace(microsecond=0) + timedelta(seconds=1)
