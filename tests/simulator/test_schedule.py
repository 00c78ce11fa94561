"""getSchedule: who is busy when, in which zone, and what is said about people it cannot read."""

from datetime import time

import pytest

from integration.graph.simulator.tenant.directory import BusyBlock

PATH = "/users/pods.one@pods.example/calendar/getSchedule"


@pytest.fixture
def ada(tenant):
    person = next(one for one in tenant.directory.people if one.kind == "person")
    person.busy = (
        BusyBlock(0, time(9, 0), time(10, 0), "Board", "busy"),
        BusyBlock(0, time(9, 30), time(10, 30), "Maybe", "tentative"),
        BusyBlock(0, time(13, 0), time(14, 0), "At home", "workingElsewhere"),
    )
    return person


def asked(*addresses: str, day: str = "2026-03-02", zone: str = "Europe/Zurich", **more: object) -> dict:
    return {
        "schedules": list(addresses),
        "startTime": {"dateTime": f"{day}T08:00:00", "timeZone": zone},
        "endTime": {"dateTime": f"{day}T16:00:00", "timeZone": zone},
        "availabilityViewInterval": 60,
    } | more


def test_a_digit_per_hour_takes_what_counts_most(graph, ada):
    (schedule,) = graph.post(PATH, json=asked(ada.mail)).json()["value"]
    assert schedule["availabilityView"] == "02100000"
    assert [item["status"] for item in schedule["scheduleItems"]] == ["busy", "tentative", "workingElsewhere"]


def test_times_come_in_utc_or_in_the_zone_asked_for(graph, ada):
    first = graph.post(PATH, json=asked(ada.mail)).json()["value"][0]["scheduleItems"][0]
    assert first["start"] == {"dateTime": "2026-03-02T08:00:00.0000000", "timeZone": "UTC"}
    prefer = {"Prefer": 'outlook.timezone="W. Europe Standard Time"'}
    first = graph.post(PATH, json=asked(ada.mail), headers=prefer).json()["value"][0]["scheduleItems"][0]
    assert first["start"] == {"dateTime": "2026-03-02T09:00:00.0000000", "timeZone": "W. Europe Standard Time"}


def test_after_the_clocks_change_a_weekly_block_keeps_its_wall_clock(graph, ada):
    (schedule,) = graph.post(PATH, json=asked(ada.mail, day="2026-03-30")).json()["value"]
    assert schedule["scheduleItems"][0]["start"]["dateTime"] == "2026-03-30T07:00:00.0000000"
    assert schedule["availabilityView"] == "02100000"


def test_working_hours_carry_the_persons_own_zone(graph, tenant):
    grace = next(one for one in tenant.directory.people if one.time_zone == "America/New_York")
    hours = graph.post(PATH, json=asked(grace.mail)).json()["value"][0]["workingHours"]
    assert hours["timeZone"] == {"name": "Eastern Standard Time"}
    assert (hours["startTime"], hours["endTime"]) == ("08:30:00.0000000", "17:30:00.0000000")


def test_others_see_when_but_not_what(graph, ada, tenant):
    seen = graph.post(PATH, json=asked(ada.mail)).json()["value"][0]["scheduleItems"][0]
    assert set(seen) == {"status", "start", "end"}
    own = graph.post(f"/users/{ada.mail}/calendar/getSchedule", json=asked(ada.mail)).json()["value"][0]
    assert own["scheduleItems"][0]["subject"] == "Board"


def test_people_it_cannot_read_get_an_error_entry_and_the_others_their_answer(graph, ada, tenant):
    frontline = next(one for one in tenant.directory.people if not one.exchange)
    answer = graph.post(PATH, json=asked(ada.mail, frontline.mail, "guest@elsewhere.example")).json()["value"]
    assert "error" not in answer[0]
    assert [entry["error"]["responseCode"] for entry in answer[1:]] == [
        "MailboxNotFound",
        "ErrorMailRecipientNotFound",
    ]


def test_an_invitation_shows_as_tentative_until_it_is_answered(graph, ada):
    event = {
        "subject": "Pod",
        "start": {"dateTime": "2026-03-04T10:00:00", "timeZone": "Europe/Zurich"},
        "end": {"dateTime": "2026-03-04T11:00:00", "timeZone": "Europe/Zurich"},
        "attendees": [{"emailAddress": {"address": ada.mail, "name": ada.name}, "type": "required"}],
    }
    assert graph.post("/users/pods.one@pods.example/events", json=event).status_code == 201
    mine, hers = graph.post(PATH, json=asked("pods.one@pods.example", ada.mail, day="2026-03-04")).json()["value"]
    assert (mine["availabilityView"], hers["availabilityView"]) == ("00200000", "00100000")


def test_absence_counts_more_than_a_meeting(graph, ada, control):
    away = {"starts": "2026-03-02T08:00:00+00:00", "ends": "2026-03-02T15:00:00+00:00", "message": "Skiing"}
    control.patch(f"/people/{ada.mail}", json={"out_of_office": away})
    (schedule,) = graph.post(PATH, json=asked(ada.mail)).json()["value"]
    assert schedule["availabilityView"] == "03333333"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (asked(*[f"p{n}@pods.example" for n in range(21)]), "ErrorInvalidParameter"),
        (asked(), "ErrorInvalidRequest"),
        (asked("a@pods.example", zone="Middle Earth Time"), "TimeZoneNotSupportedException"),
        (asked("a@pods.example", availabilityViewInterval=4), "ErrorInvalidMergedFreeBusyInterval"),
        (asked("a@pods.example", shoeSize=43), "RequestBodyRead"),
        (
            asked("a@pods.example", endTime={"dateTime": "2026-03-02T07:00:00", "timeZone": "UTC"}),
            "ErrorInvalidTimeInterval",
        ),
        (
            asked("a@pods.example", endTime={"dateTime": "2026-06-02T07:00:00", "timeZone": "UTC"}),
            "ErrorTimeIntervalTooBig",
        ),
    ],
)
def test_what_it_refuses(graph, body, code):
    refused = graph.post(PATH, json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)


def test_the_hundred_address_limit_is_a_switch(graph, control, ada):
    control.post("/switches", json={"schedule_addresses_per_call": 100})
    assert graph.post(PATH, json=asked(*[ada.mail] * 21)).status_code == 200
