"""A worker that dies between a repair and its note mails nobody twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.graph.errors import GraphError
from integration.graph.resources import EventChanges
from integration.graph.simulator.faults import Fault
from integration.scheduling.drift.drifts import decide
from integration.scheduling.drift.kinds import Repair
from integration.scheduling.drift.models import Drift
from integration.scheduling.jobs import push_series, repair_series
from tests.scheduling.conftest import Office
from tests.scheduling.drifting import (
    change,
    invited,
    is_settled,
    mails,
    move,
    per_person,
    promised,
    put_on,
    seen,
    take_off,
    unlink,
)

MADE: dict[str, Callable[[Office, int], None]] = {
    "a session moved": lambda office, series_id: move(office, series_id, "2026-03-18T14:00", number=2),
    "the series moved": lambda office, series_id: move(office, series_id, "2026-03-10T11:30"),
    "no Teams link": lambda office, _series_id: unlink(office),
    "another subject": lambda office, series_id: change(office, series_id, EventChanges(subject="Coffee")),
    "somebody added": lambda office, series_id: put_on(office, series_id, office.mails("Barbara")[0]),
    "somebody taken off": lambda office, series_id: take_off(office, series_id, "Alan"),
}


@pytest.mark.parametrize("made", MADE)
def test_a_repair_killed_half_way_mails_nobody_twice(office: Office, made: str):
    series_id = invited(office)
    MADE[made](office, series_id)
    (row,) = seen(office, series_id)
    with office.tools.database.transaction() as session:
        kept = session.get_one(Drift, row.id)
        decide(session, kept, Repair.PUT_BACK, by="ada@pods.example", now=office.tools.clock.now())
    step = push_series if made == "somebody taken off" else repair_series
    office.simulator.faults.order(Fault(do="drop", when="after", method="PATCH"))

    with mails(office) as told:
        with pytest.raises(GraphError):
            step(office.tools, series_id)
        for _ in range(2):
            step(office.tools, series_id)

    assert per_person(told) == promised(office, row)
    assert is_settled(office, series_id)
