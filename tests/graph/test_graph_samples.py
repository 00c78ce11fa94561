"""What Microsoft documents is what we can read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from integration.graph.client import Graph
from integration.graph.resources import AttendanceInterval, Response
from tests.graph.scripted import Reply, ScriptedGraph, sample

ADA = "ada@contoso.com"
EVENT = r"/users/ada@contoso\.com/events/.*"
SINCE = datetime(2016, 12, 1, tzinfo=UTC)
UNTIL = datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    [
        "event-create-transactionid",
        "event-create-online-teams",
        "event-create-multi-location",
        "event-online-concept",
    ],
)
def test_a_documented_event_is_read(scripted: ScriptedGraph, graph: Graph, name: str) -> None:
    body = sample(f"{name}.response.json")
    scripted.on("GET", EVENT, Reply(200, body))
    event = graph.calendar.get_event(ADA, "AAMk=")
    assert event.id == json.loads(body)["id"]
    assert event.ends_at > event.starts_at
    assert event.starts_at.tzinfo is UTC


def test_an_event_in_pacific_time_comes_out_in_utc_with_an_iana_zone(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("GET", EVENT, Reply(200, sample("event-create-transactionid.response.json")))
    event = graph.calendar.get_event(ADA, "AAMk=")
    assert event.starts_at == datetime(2017, 4, 15, 18, tzinfo=UTC)
    assert event.time_zone == "America/Los_Angeles"
    assert event.transaction_id == "7E163156-7762-4BEB-A1C6-729EA81755A7"
    assert event.attendees[0].response is Response.NONE
    assert event.attendees[0].responded_at is None  # Graph writes the year 1


def test_the_answers_and_proposals_of_attendees_are_read(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("GET", EVENT, Reply(200, sample("proposal-4-event-with-proposednewtime.response.json")))
    event = graph.calendar.get_event(ADA, "AAMk=")
    proposals = [attendee.proposed for attendee in event.attendees if attendee.proposed]
    assert proposals
    assert all(starts_at < ends_at for starts_at, ends_at in proposals)


def test_the_documented_attendance_is_1152_seconds_by_its_intervals(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on(
        "GET",
        "/users/o/onlineMeetings/m/.*",
        Reply(200, sample("attendance-report-get-expand-records.response.json")),
    )
    report = graph.meetings.report("o", "m", "r")
    frederick = report.records[0]
    assert int(_union(frederick.intervals).total_seconds()) == frederick.total_seconds == 1152
    assert frederick.object_id == "dc17674c-81d9-4adb-bfb2-8f6a442e4623"
    assert frederick.address == "frederick.cormier@contoso.com"
    assert (report.participants, len(report.records)) == (1, 1)


def test_the_documented_list_of_reports_is_read(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on(
        "GET",
        "/users/o/onlineMeetings/m/attendanceReports",
        Reply(200, sample("attendance-reports-list.response.json")),
    )
    assert [head.participants for head in graph.meetings.reports("o", "m")] == [1, 2]


def test_the_documented_free_busy_is_read(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("POST", ".*/getSchedule", Reply(200, sample("getschedule.response.json")))
    people = ["AdeleV@contoso.onmicrosoft.com", "meganb@contoso.onmicrosoft.com", "ghost@contoso.com"]
    found = graph.availability.schedules(
        ADA, people, datetime(2019, 3, 15, tzinfo=UTC), datetime(2019, 3, 16, tzinfo=UTC)
    )
    adele, megan = found["adelev@contoso.onmicrosoft.com"], found["meganb@contoso.onmicrosoft.com"]
    assert adele.busy[0].starts_at == datetime(2019, 3, 15, 19, tzinfo=UTC)
    assert adele.working_hours
    assert adele.working_hours.time_zone == "America/Los_Angeles"
    assert adele.working_hours.weekdays == frozenset(range(5))
    assert megan.working_hours
    assert megan.working_hours.time_zone is None  # a zone that Megan drew herself
    assert len(megan.busy) == 5
    assert found["ghost@contoso.com"].error == "not answered"


def test_a_documented_delta_round_of_three_pages_is_read(scripted: ScriptedGraph, graph: Graph) -> None:
    pages = [
        json.loads(sample(name))
        for name in (
            "delta-events-page1.response.json",
            "delta-events-page2.response.json",
            "delta-events-page3-deltalink.response.json",
        )
    ]
    for page in pages:
        for link in {"@odata.nextLink", "@odata.deltaLink"} & page.keys():
            page[link] = page[link].replace("https://graph.microsoft.com/v1.0/me", f"{scripted.base_url}/users/ada")
    scripted.on("GET", r"/users/ada(@contoso.com)?/calendarView/delta(\(\))?", *(Reply(200, page) for page in pages))
    delta = graph.calendar.delta(ADA, SINCE, UNTIL)
    assert len(delta.changed) == len({wire["id"] for page in pages for wire in page["value"]})
    assert delta.removed == ()
    assert "deltatoken" in delta.link


def test_the_documented_next_round_says_what_is_gone(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("GET", ".*/delta", Reply(200, sample("delta-events-next-round-removed.response.json")))
    delta = graph.calendar.delta_from(f"{scripted.base_url}/users/ada/calendarView/delta?$deltatoken=x")
    assert [event.subject for event in delta.changed] == ["Attend service"]
    assert len(delta.removed) == 1


def test_the_documented_meeting_is_found_by_its_join_url(scripted: ScriptedGraph, graph: Graph) -> None:
    body = sample("onlinemeeting-by-joinweburl.response.json")
    scripted.on("GET", "/users/o/onlineMeetings", Reply(200, body))
    join_url = json.loads(body)["value"][0]["joinWebUrl"]
    assert graph.meetings.by_join_url("o", join_url).join_url == join_url
    assert scripted.asked[0].query["$filter"] == [f"JoinWebUrl eq '{join_url}'"]


def test_the_documented_subscription_is_read(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("PATCH", "/subscriptions/.*", Reply(200, sample("subscription-create.response.json")))
    renewed = graph.subscriptions.renew("7f", datetime(2016, 11, 20, tzinfo=UTC))
    assert renewed.id == "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
    assert renewed.expires_at.date().isoformat() == "2016-11-20"


def _union(intervals: tuple[AttendanceInterval, ...]) -> timedelta:
    total, reached = timedelta(), datetime.min.replace(tzinfo=UTC)
    for each in sorted(intervals, key=lambda interval: interval.joined_at):
        since = max(each.joined_at, reached)
        total += max(each.left_at - since, timedelta())
        reached = max(reached, each.left_at)
    return total
