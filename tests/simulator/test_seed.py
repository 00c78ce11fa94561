"""The seeded company: the same people every time, and weeks in which small groups can still meet."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from integration.graph.simulator.clock import MovableClock
from integration.graph.simulator.seed import build_tenant
from integration.graph.simulator.tenant.availability import Window, schedule_of


def people(tenant):
    return [person for person in tenant.directory.people if person.kind == "person"]


def test_the_same_seed_makes_the_same_tenant_and_another_seed_another():
    first, again, other = build_tenant(seed=7), build_tenant(seed=7), build_tenant(seed=8)
    assert first.directory.people == again.directory.people
    assert (first.id, first.app, first.new_id("AAMk")) == (again.id, again.app, again.new_id("AAMk"))
    assert first.directory.people[0].id != other.directory.people[0].id


def test_it_has_as_many_people_as_asked_and_the_accounts_that_serve_them():
    tenant = build_tenant(people=60, organizers=3, senders=2)
    assert len(people(tenant)) == 60
    assert [one.mail for one in tenant.organizers] == [
        f"pods.{name}@pods.example" for name in ("one", "two", "three")
    ]
    assert [one.mail for one in tenant.senders] == ["learning@pods.example", "learning.2@pods.example"]
    assert len({one.mail for one in tenant.directory.people}) == 66


def test_two_thousand_people_all_have_names_of_their_own():
    tenant = build_tenant(people=2000)
    assert len({one.mail for one in people(tenant)}) == 2000


def test_everybody_reports_to_a_head_and_the_heads_to_the_first_of_them():
    tenant = build_tenant()
    everyone = people(tenant)
    heads = [one for one in everyone if (one.job_title or "").startswith("Head of")]
    assert [one.manager_id for one in heads] == [None, heads[0].id, heads[0].id]
    assert {one.manager_id for one in everyone} - {None} == {one.id for one in heads}


def test_the_company_spans_continents_and_a_few_have_no_readable_calendar():
    everyone = people(build_tenant())
    zones = {one.time_zone.split("/")[0] for one in everyone}
    assert {"Europe", "America", "Asia"} <= zones
    assert sum(not one.exchange for one in everyone) == 2


def test_weeks_are_busy_and_yet_four_europeans_find_an_hour():
    tenant = build_tenant()
    starts = datetime(2026, 3, 2, 8, tzinfo=UTC)
    europeans = [one for one in people(tenant) if one.time_zone.startswith("Europe") and one.exchange]
    for first in range(0, len(europeans) - 3):
        pod = europeans[first : first + 4]
        views = []
        for day in range(4):
            opens = starts + timedelta(days=day)
            window = Window(opens, opens + timedelta(hours=8), timedelta(minutes=30))
            views.append([schedule_of(tenant, one.mail, window=window, asked_as=one).view for one in pod])
        busy = [digit != "0" for day in views for person in day for digit in person]
        assert 0.1 < sum(busy) / len(busy) < 0.6
        free = [[set(halves) == {"0"} for halves in zip(*day, strict=True)] for day in views]
        assert any(one and other for day in free for one, other in pairwise(day)), [one.name for one in pod]


def test_a_clock_given_is_the_tenants_clock():
    clock = MovableClock(datetime(2026, 9, 1, tzinfo=UTC))
    assert build_tenant(clock=clock).clock is clock
