"""Events as we write them, and delta rounds as Graph serves them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from integration.errors import SettingRefused
from integration.graph.client import Graph, connect
from integration.graph.errors import DuplicateTransaction, Rejected, ZoneUnsupported
from integration.graph.outgoing import TAG_PROPERTY, end_local
from integration.graph.resources import Attendee, EventChanges, EventDraft, WeeklyRule
from integration.graph.zones import windows_name
from tests.graph.scripted import TOKEN, Reply, ScriptedGraph, Settings

ADA = "ada@contoso.com"
EVENTS = r"/users/ada@contoso\.com/events"
WINDOW = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))


def event(event_id: str = "e-1", **properties: object) -> dict[str, object]:
    times = {"start": moment("2026-03-25T08:00:00"), "end": moment("2026-03-25T09:00:00")}
    return {"id": event_id, "type": "seriesMaster", "subject": "Pod", **times, **properties}


def moment(wall: str) -> dict[str, str]:
    return {"dateTime": f"{wall}.0000000", "timeZone": "UTC"}


def draft(time_zone: str = "Europe/Zurich") -> EventDraft:
    return EventDraft(
        "Pod",
        "<p>Agenda</p>",
        datetime.fromisoformat("2026-03-25T09:00"),
        timedelta(hours=1),
        time_zone,
        "tx-1",
        "pod-1",
        weekly=WeeklyRule(date(2026, 3, 25), 6),
    )


@pytest.fixture
def zones(scripted: ScriptedGraph) -> None:
    names = ["W. Europe Standard Time", "GMT Standard Time", "Eastern Standard Time", "India Standard Time"]
    page = {"value": [{"alias": name, "displayName": name} for name in names]}
    scripted.on("GET", r"/users/.*/outlook/supportedTimeZones(\(\))?", Reply(200, page))


@pytest.mark.usefixtures("zones")
@pytest.mark.parametrize(
    ("iana", "windows"),
    [
        ("Europe/Zurich", "W. Europe Standard Time"),
        ("Europe/London", "GMT Standard Time"),
        ("America/New_York", "Eastern Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
    ],
)
def test_a_series_over_a_clock_change_is_written_as_a_wall_clock_in_a_windows_zone(
    scripted: ScriptedGraph, graph: Graph, iana: str, windows: str
) -> None:
    scripted.on("POST", EVENTS, Reply(201, event(originalStartTimeZone=windows)))
    created = graph.calendar.create_event(ADA, draft(iana))
    asked = scripted.requests("POST", EVENTS)[0]
    assert asked.json["start"] == {"dateTime": "2026-03-25T09:00:00", "timeZone": windows}
    assert asked.json["end"] == {"dateTime": "2026-03-25T10:00:00", "timeZone": windows}
    assert asked.json["recurrence"] == {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"], "firstDayOfWeek": "monday"},
        "range": {
            "type": "numbered",
            "startDate": "2026-03-25",
            "numberOfOccurrences": 6,
            "recurrenceTimeZone": windows,
        },
    }
    assert asked.headers["prefer"] == 'IdType="ImmutableId", outlook.timezone="UTC"'
    assert created.time_zone is not None
    assert windows_name(created.time_zone) == windows


@pytest.mark.usefixtures("zones")
def test_a_silent_create_names_nobody_and_carries_our_tag(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("POST", EVENTS, Reply(201, event()))
    graph.calendar.create_event(ADA, draft())
    sent = scripted.requests("POST", EVENTS)[0].json
    assert "attendees" not in sent
    assert sent["singleValueExtendedProperties"] == [{"id": TAG_PROPERTY, "value": "pod-1"}]
    assert (sent["transactionId"], sent["isOnlineMeeting"]) == ("tx-1", True)


@pytest.mark.usefixtures("zones")
def test_zones_are_asked_for_once_and_unknown_ones_refused(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("POST", EVENTS, Reply(201, event()))
    graph.calendar.create_event(ADA, draft())
    graph.calendar.create_event(ADA, draft())
    with pytest.raises(ZoneUnsupported, match="Asia/Tokyo"):
        graph.calendar.create_event(ADA, draft("Asia/Tokyo"))
    assert len(scripted.requests("GET", r".*/supportedTimeZones(\(\))?")) == 1


def test_an_hour_over_the_change_of_clocks_is_an_hour() -> None:
    ends = end_local(datetime.fromisoformat("2026-03-29T01:30"), timedelta(hours=1), "Europe/Zurich")
    assert ends == datetime.fromisoformat("2026-03-29T03:30")


@pytest.mark.usefixtures("zones")
@pytest.mark.parametrize("status", [400, 409])
def test_a_repeated_create_returns_the_event_of_the_first(scripted: ScriptedGraph, graph: Graph, status: int) -> None:
    refusal = {"code": "ErrorDuplicateTransactionId", "message": "", "@event.existingEventId": "e-7"}
    scripted.on("POST", EVENTS, Reply(status, {"error": refusal}))
    scripted.on("GET", f"{EVENTS}/e-7", Reply(200, event("e-7")))
    assert graph.calendar.create_event(ADA, draft()).id == "e-7"


@pytest.mark.usefixtures("zones")
def test_a_repeated_create_is_found_by_its_tag_when_graph_names_no_event(
    scripted: ScriptedGraph, graph: Graph
) -> None:
    scripted.on("POST", EVENTS, Reply(409, {"error": {"code": "ErrorDuplicateTransactionId"}}))
    scripted.on("GET", EVENTS, Reply(200, {"value": [event("e-8")]}), Reply(200, {"value": []}))
    assert graph.calendar.create_event(ADA, draft()).id == "e-8"
    assert "ep/value eq 'pod-1'" in scripted.requests("GET", EVENTS)[0].query["$filter"][0]
    with pytest.raises(DuplicateTransaction):
        graph.calendar.create_event(ADA, draft())


def test_the_invitation_sends_the_attendees_and_nothing_else(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("PATCH", f"{EVENTS}/e-1", Reply(200, event()))
    graph.calendar.update_event(ADA, "e-1", EventChanges(attendees=(Attendee("grace@contoso.com", "Grace"),)))
    assert scripted.asked[0].json == {
        "attendees": [{"emailAddress": {"address": "grace@contoso.com", "name": "Grace"}, "type": "required"}]
    }


@pytest.mark.usefixtures("zones")
def test_moving_an_occurrence_keeps_its_length_and_zone(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("GET", f"{EVENTS}/e-1", Reply(200, event(originalStartTimeZone="W. Europe Standard Time")))
    scripted.on("PATCH", f"{EVENTS}/e-1", Reply(200, event()))
    graph.calendar.update_event(ADA, "e-1", EventChanges(starts_local=datetime.fromisoformat("2026-03-30T14:00")))
    assert scripted.requests("PATCH", ".*")[0].json["end"] == {
        "dateTime": "2026-03-30T15:00:00",
        "timeZone": "W. Europe Standard Time",
    }


def test_what_is_gone_is_cancelled_and_deleted(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("POST", ".*/cancel", Reply(404, {"error": {"code": "ErrorItemNotFound"}}))
    scripted.on("DELETE", ".*", Reply(404, {"error": {"code": "ErrorItemNotFound"}}))
    graph.calendar.cancel_event(ADA, "e-1", "No room")
    graph.calendar.delete_event(ADA, "e-1")
    assert scripted.asked[0].json == {"Comment": "No room"}


def test_a_delta_round_goes_on_after_an_empty_page(scripted: ScriptedGraph, graph: Graph) -> None:
    link = f"{scripted.base_url}/users/ada@contoso.com/calendarView/delta?$skiptoken="
    scripted.on(
        "GET",
        r"/users/ada@contoso\.com/calendarView/delta(\(\))?",
        Reply(200, {"value": [event("e-1"), event("e-2")], "@odata.nextLink": f"{link}a"}),
        Reply(200, {"value": [], "@odata.nextLink": f"{link}b"}),
        Reply(
            200,
            {"value": [{"id": "e-2", "@removed": {"reason": "deleted"}}, event("e-1", subject="New")]}
            | {"@odata.deltaLink": f"{link}c"},
        ),
    )
    delta = graph.calendar.delta(ADA, *WINDOW)
    assert [(changed.id, changed.subject) for changed in delta.changed] == [("e-1", "New")]
    assert [removed.id for removed in delta.removed] == ["e-2"]
    assert delta.link.endswith("c")
    assert len({asked.headers["prefer"] for asked in scripted.asked}) == 1  # later pages keep ids and UTC


def test_a_reduced_occurrence_takes_the_rest_from_its_master(scripted: ScriptedGraph, graph: Graph) -> None:
    online = {"joinUrl": "https://teams.microsoft.com/l/1"}
    occurrence = event("o-1", type="occurrence", seriesMasterId="e-1")
    del occurrence["subject"]
    page = {"value": [occurrence, event("e-1", onlineMeeting=online)], "@odata.deltaLink": "d"}
    scripted.on("GET", ".*/delta(\\(\\))?", Reply(200, page))
    found = {each.id: each for each in graph.calendar.delta(ADA, *WINDOW).changed}
    assert (found["o-1"].subject, found["o-1"].join_url) == ("Pod", online["joinUrl"])


def test_a_hostile_next_link_is_not_followed_and_sees_no_token(scripted: ScriptedGraph, graph: Graph) -> None:
    mallory = ScriptedGraph()
    mallory.on("GET", ".*", Reply(200, {"value": []}))
    scripted.on("GET", "/users", Reply(200, {"value": [], "@odata.nextLink": f"{mallory.base_url}/users?x=1"}))
    with pytest.raises(Rejected, match="another host"):
        list(graph.directory.users())
    with pytest.raises(Rejected, match="another host"):
        graph.calendar.delta_from(f"{mallory.base_url}/users/ada/calendarView/delta?$deltatoken=x")
    mallory.close()
    assert mallory.asked == []
    assert scripted.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "base_url",
    ["https://graph.example.com/v1.0", "http://graph.microsoft.com/v1.0", "http://10.0.0.7:8365/v1.0", "graph"],
)
def test_a_host_that_is_neither_microsofts_nor_ours_is_refused(base_url: str) -> None:
    with pytest.raises(SettingRefused, match="GRAPH_BASE_URL"):
        connect(Settings(base_url))


def test_a_redirect_is_not_followed(scripted: ScriptedGraph, graph: Graph) -> None:
    mallory = ScriptedGraph()
    scripted.on("GET", "/users/.*", Reply(302, None, {"Location": f"{mallory.base_url}/users/x"}))
    with pytest.raises(Rejected):
        graph.directory.user("x")
    mallory.close()
    assert mallory.asked == []
    assert urlsplit(scripted.base_url).hostname == "127.0.0.1"
