"""Series keep their wall clock, whatever the clocks of their continent do, and take exceptions as Outlook does."""

import httpx
import pytest

from integration.graph.simulator.tenant.tenant import Tenant
from tests.simulator.calendar_steps import WHOLE_YEAR, Outlook, invite, single, starts, weekly


@pytest.fixture
def outlook(graph: httpx.Client, tenant: Tenant) -> Outlook:
    return Outlook(graph, tenant)


def in_zone(zone: str, first: str, count: int = 4) -> dict:
    body = weekly(count)
    day = first[:10]
    body["start"] = {"dateTime": f"{first}:00", "timeZone": zone}
    body["end"] = {"dateTime": f"{day}T23:00:00", "timeZone": zone}
    body["recurrence"]["range"]["startDate"] = day
    return body


@pytest.mark.parametrize(
    ("zone", "first", "expected"),
    [
        # Europe goes to summer time on 29 March 2026
        (
            "W. Europe Standard Time",
            "2026-03-18T10:00",
            ["2026-03-18T09:00", "2026-03-25T09:00", "2026-04-01T08:00", "2026-04-08T08:00"],
        ),
        # America on 8 March
        (
            "Eastern Standard Time",
            "2026-03-04T10:00",
            ["2026-03-04T15:00", "2026-03-11T14:00", "2026-03-18T14:00", "2026-03-25T14:00"],
        ),
        # Australia leaves it on 5 April
        (
            "Australia/Sydney",
            "2026-04-01T10:00",
            ["2026-03-31T23:00", "2026-04-08T00:00", "2026-04-15T00:00", "2026-04-22T00:00"],
        ),
        # India has none
        (
            "India Standard Time",
            "2026-03-18T10:00",
            ["2026-03-18T04:30", "2026-03-25T04:30", "2026-04-01T04:30", "2026-04-08T04:30"],
        ),
    ],
)
def test_a_pod_meets_at_the_same_wall_clock_on_every_continent(
    outlook: Outlook, zone: str, first: str, expected: list[str]
) -> None:
    made = outlook.create(in_zone(zone, first))
    assert made["type"] == "seriesMaster"
    assert made["originalStartTimeZone"] == zone
    assert starts(outlook.instances(made["id"])) == expected


@pytest.mark.parametrize(
    ("pattern", "first", "expected"),
    [
        ({"type": "daily", "interval": 3}, "2026-03-04", ["03-04", "03-07", "03-10"]),
        (
            {"type": "weekly", "interval": 2, "daysOfWeek": ["Monday", "Thursday"], "firstDayOfWeek": "monday"},
            "2026-03-05",
            ["03-05", "03-16", "03-19"],
        ),
        ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}, "2026-03-31", ["03-31", "04-30", "05-31"]),
        (
            {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["Thursday", "Friday"], "index": "last"},
            "2026-03-27",
            ["03-27", "04-30", "05-29"],
        ),
        (
            {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["wednesday"]},
            "2026-03-04",
            ["03-04", "04-01", "05-06"],
        ),
    ],
)
def test_each_pattern_falls_on_its_days(outlook: Outlook, pattern: dict, first: str, expected: list[str]) -> None:
    body = weekly(3)
    for side in ("start", "end"):
        body[side]["dateTime"] = first + body[side]["dateTime"][10:]
    body["recurrence"] = {"pattern": pattern, "range": {**body["recurrence"]["range"], "startDate": first}}
    made = outlook.create(body)
    assert [start[5:10] for start in starts(outlook.instances(made["id"]))] == expected


def test_a_yearly_series_without_end_is_seen_as_far_as_anyone_looks(outlook: Outlook, graph: httpx.Client) -> None:
    body = weekly()
    body["recurrence"] = {
        "pattern": {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 4, "month": 3},
        "range": {"type": "noEnd", "startDate": "2026-03-04"},
    }
    made = outlook.create(body)
    window = {"startDateTime": "2040-01-01T00:00:00Z", "endDateTime": "2042-12-31T00:00:00Z"}
    answer = graph.get(f"/users/{outlook.mailbox}/calendarView", params=window)
    assert [start[:10] for start in starts(answer.json()["value"])] == ["2040-03-04", "2041-03-04", "2042-03-04"]
    assert made["recurrence"]["range"]["type"] == "noEnd"


def test_a_moved_occurrence_is_an_exception_with_its_own_identity(outlook: Outlook) -> None:
    made = outlook.create(weekly())
    second = outlook.instances(made["id"])[1]
    moved = outlook.patch(
        second["id"],
        {
            "start": {"dateTime": "2026-03-12T15:00:00", "timeZone": "W. Europe Standard Time"},
            "end": {"dateTime": "2026-03-12T15:30:00", "timeZone": "W. Europe Standard Time"},
        },
    )
    assert (moved["type"], moved["seriesMasterId"]) == ("exception", made["id"])
    assert moved["originalStart"] == "2026-03-11T09:00:00.0000000Z"
    assert moved["iCalUId"] == second["iCalUId"] != made["iCalUId"]
    assert starts(outlook.instances(made["id"]))[1] == "2026-03-12T14:00"
    master = outlook.get(made["id"], **{"$expand": "exceptionOccurrences"})
    assert [one["id"] for one in master["exceptionOccurrences"]] == [second["id"]]


@pytest.mark.parametrize("day", ["2026-03-18", "2026-03-04", "2026-03-25"])
def test_an_occurrence_cannot_move_onto_or_past_its_neighbours_day(
    outlook: Outlook, graph: httpx.Client, day: str
) -> None:
    made = outlook.create(weekly())
    second = outlook.instances(made["id"])[1]
    times = {
        "start": {"dateTime": f"{day}T15:00:00", "timeZone": "W. Europe Standard Time"},
        "end": {"dateTime": f"{day}T15:30:00", "timeZone": "W. Europe Standard Time"},
    }
    answer = graph.patch(f"/users/{outlook.mailbox}/events/{second['id']}", json=times)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ErrorOccurrenceCrossingBoundary")
    assert starts(outlook.instances(made["id"]))[1] == "2026-03-11T09:00"


def test_deleted_occurrences_are_listed_on_their_master_only_when_asked_for(
    outlook: Outlook, graph: httpx.Client
) -> None:
    made = outlook.create(weekly())
    second = outlook.instances(made["id"])[1]
    outlook.delete(second["id"])
    assert [start[:10] for start in starts(outlook.instances(made["id"]))] == [
        "2026-03-04",
        "2026-03-18",
        "2026-03-25",
    ]
    assert "cancelledOccurrences" not in outlook.get(made["id"])
    shown = outlook.get(made["id"], **{"$select": "subject,cancelledOccurrences"})
    assert [one[-10:] for one in shown["cancelledOccurrences"]] == ["2026-03-11"]
    gone = graph.get(f"/users/{outlook.mailbox}/events/{second['id']}")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "ErrorItemNotFound")


def test_a_new_pattern_sweeps_exceptions_away_unless_the_tenant_says_otherwise(outlook: Outlook) -> None:
    biweekly = weekly(3)["recurrence"] | {"pattern": {"type": "weekly", "interval": 2, "daysOfWeek": ["wednesday"]}}
    for removes, expected in ((True, 0), (False, 1)):
        outlook.tenant.switches.new_pattern_removes_exceptions = removes
        made = outlook.create(weekly(6))
        third = outlook.instances(made["id"])[2]
        outlook.patch(third["id"], {"subject": "In the other room"})
        outlook.patch(made["id"], {"recurrence": biweekly})
        kinds = [one["type"] for one in outlook.instances(made["id"])]
        assert (len(kinds), kinds.count("exception")) == (3, expected)


def test_an_event_is_seen_in_the_zone_the_request_prefers(outlook: Outlook, graph: httpx.Client) -> None:
    made = outlook.create(weekly())
    for zone, shown in (("Tokyo Standard Time", "2026-03-04T18:00"), ("America/New_York", "2026-03-04T04:00")):
        prefer = {"Prefer": f'outlook.timezone="{zone}", IdType="ImmutableId", odata.maxpagesize=2'}
        address = f"/users/{outlook.mailbox}/calendarView"
        page = graph.get(address, params=WHOLE_YEAR, headers=prefer).json()
        assert (starts(page["value"])[0], page["value"][0]["start"]["timeZone"]) == (shown, zone)
        assert len(page["value"]) == 2
        rest = graph.get(page["@odata.nextLink"], headers=prefer).json()
        assert [one["seriesMasterId"] for one in rest["value"]] == [made["id"]] * 2


def test_lists_hold_masters_and_singles_while_the_view_holds_occurrences(
    outlook: Outlook, graph: httpx.Client
) -> None:
    series, one = outlook.create(weekly()), outlook.create(single(attendees=invite("guest@elsewhere.example")))
    listed = graph.get(f"/users/{outlook.mailbox}/events", headers={"Prefer": 'IdType="ImmutableId"'}).json()["value"]
    assert {item["id"]: item["type"] for item in listed} == {
        series["id"]: "seriesMaster",
        one["id"]: "singleInstance",
    }
    assert sorted(item["type"] for item in outlook.view_of(outlook.mailbox)) == ["occurrence"] * 4 + [
        "singleInstance"
    ]
