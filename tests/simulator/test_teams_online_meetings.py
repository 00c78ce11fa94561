"""One online meeting per link, reached by its link, for organizers an administrator gave the app a policy for."""

from datetime import timedelta

import pytest

from .calendar_steps import Outlook, invite, weekly
from .contract import load_contract, violations


@pytest.fixture
def organizer(simulator):
    return simulator.tenant.organizers[0]


@pytest.fixture
def meeting(simulator, organizer):
    now = simulator.tenant.clock.now()
    return simulator.tenant.teams.mint_meeting(
        organizer, subject="Pod", starts_at=now, ends_at=now + timedelta(hours=1), recurring=True
    )


def find(graph, user: str, join_url: str):
    return graph.get(f"/users/{user}/onlineMeetings", params={"$filter": f"JoinWebUrl eq '{join_url}'"})


def test_a_meeting_is_found_by_its_link_however_the_link_is_encoded(graph, organizer, meeting):
    (found,) = find(graph, organizer.id, meeting.join_url).json()["value"]
    assert found["id"] == meeting.id
    assert found["meetingType"] == "recurring"
    assert found["chatInfo"]["threadId"] == meeting.thread_id
    variation = meeting.join_url.replace("%3a", ":").replace("%40", "@")
    assert variation != meeting.join_url
    assert find(graph, organizer.id, variation).json()["value"][0]["id"] == meeting.id


def test_there_is_no_list_and_no_path_by_mail_address(graph, organizer, meeting):
    assert graph.get(f"/users/{organizer.id}/onlineMeetings").status_code == 400
    assert find(graph, organizer.mail, meeting.join_url).status_code == 404


def test_a_meeting_belongs_to_its_organizer_alone(graph, simulator, meeting):
    other = simulator.tenant.organizers[1]
    assert find(graph, other.id, meeting.join_url).json()["value"] == []
    assert graph.get(f"/users/{other.id}/onlineMeetings/{meeting.id}").status_code == 404


def test_a_policy_works_thirty_minutes_after_it_was_granted(graph, control, simulator, organizer, meeting):
    control.patch(f"/people/{organizer.mail}", json={"access_policy": False})
    refused = find(graph, organizer.id, meeting.join_url)
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "Forbidden"
    assert refused.json()["error"]["message"] == "No application access policy found for this app"
    control.patch(f"/people/{organizer.mail}", json={"access_policy": True})
    assert find(graph, organizer.id, meeting.join_url).status_code == 403
    now = simulator.tenant.clock.now()
    control.post("/clock", json={"to": (now + timedelta(minutes=29)).isoformat()})
    assert find(graph, organizer.id, meeting.join_url).status_code == 403
    control.post("/clock", json={"to": (now + timedelta(minutes=30)).isoformat()})
    assert find(graph, organizer.id, meeting.join_url).status_code == 200


def test_an_organizer_without_a_teams_licence_has_no_meetings(graph, control, organizer, meeting):
    control.patch(f"/people/{organizer.mail}", json={"teams": False})
    assert find(graph, organizer.id, meeting.join_url).status_code == 403


def test_a_meeting_expires_sixty_days_after_the_last_thing_that_happened(
    graph, control, simulator, organizer, meeting
):
    now = simulator.tenant.clock.now()
    control.post("/clock", json={"to": (now + timedelta(days=50)).isoformat()})
    ada = next(one for one in simulator.tenant.directory.people if one.kind == "person")
    for action in ("join", "leave"):
        control.post(f"/calls/{action}", json={"join_url": meeting.join_url, "person": ada.mail}).raise_for_status()
    control.post("/clock", json={"to": (now + timedelta(days=109)).isoformat()})
    assert graph.get(f"/users/{organizer.id}/onlineMeetings/{meeting.id}").status_code == 200
    control.post("/clock", json={"to": (now + timedelta(days=111)).isoformat()})
    assert graph.get(f"/users/{organizer.id}/onlineMeetings/{meeting.id}").status_code == 404


def extended_to(weeks: int) -> dict[str, object]:
    return {"recurrence": weekly(weeks)["recurrence"]}


@pytest.mark.parametrize(
    ("change", "lives_on"),
    [
        (extended_to(20), True),
        ({"subject": "Peer pod, second half"}, True),
        (
            {
                "start": {"dateTime": "2026-03-04T14:00:00", "timeZone": "W. Europe Standard Time"},
                "end": {"dateTime": "2026-03-04T14:30:00", "timeZone": "W. Europe Standard Time"},
            },
            True,
        ),
        ({"categories": ["pods"]}, False),
    ],
    ids=["extended", "renamed", "moved", "only tidied up by its organizer"],
)
def test_a_link_lives_sixty_days_longer_when_its_series_was_changed_for_everybody(
    graph, control, simulator, change, lives_on
):
    outlook = Outlook(graph, simulator.tenant)
    made = outlook.create(weekly(8, attendees=invite("ada@pods.example"), isOnlineMeeting=True))
    link = made["onlineMeeting"]["joinUrl"]
    organizer = simulator.tenant.organizers[0]
    (before,) = find(graph, organizer.id, link).json()["value"]
    now = simulator.tenant.clock.now()
    control.post("/clock", json={"to": (now + timedelta(days=40)).isoformat()}).raise_for_status()
    changed = outlook.patch(made["id"], change)
    assert changed["onlineMeeting"]["joinUrl"] == link
    (found,) = find(graph, organizer.id, link).json()["value"]
    assert (found["expiryDateTime"] > before["expiryDateTime"]) is lives_on
    control.post("/clock", json={"to": (now + timedelta(days=99)).isoformat()}).raise_for_status()
    assert bool(find(graph, organizer.id, link).json()["value"]) is lives_on


def test_what_has_expired_is_not_brought_back_by_a_change_of_its_event(graph, control, simulator):
    outlook = Outlook(graph, simulator.tenant)
    made = outlook.create(weekly(8, isOnlineMeeting=True))
    now = simulator.tenant.clock.now()
    control.post("/clock", json={"to": (now + timedelta(days=90)).isoformat()}).raise_for_status()
    outlook.patch(made["id"], {"subject": "Too late"})
    organizer = simulator.tenant.organizers[0]
    assert find(graph, organizer.id, made["onlineMeeting"]["joinUrl"]).json()["value"] == []


def test_settings_can_be_changed_within_the_rules_of_teams(graph, organizer, meeting):
    path = f"/users/{organizer.id}/onlineMeetings/{meeting.id}"
    kept = graph.patch(path, json={"allowedPresenters": "organization", "recordAutomatically": True}).json()
    assert (kept["allowedPresenters"], kept["recordAutomatically"]) == ("organization", True)
    refusals = (
        {"allowedPresenters": "roleIsPresenter"},
        {"allowedPresenters": "nobody"},
        {"startDateTime": "2026-03-02T08:00:00Z"},
        {"participants": {"organizer": {"upn": "mallory@pods.example"}}},
        {"lobbyBypassSettings": {"scope": "friends"}},
        {"joinWebUrl": "https://example.com"},
        {"allowAttendanceReport": True},
    )
    assert [graph.patch(path, json=body).status_code for body in refusals] == [400] * len(refusals)
    listed = [{"upn": "ada@pods.example", "role": "presenter"}]
    named = graph.patch(path, json={"allowedPresenters": "roleIsPresenter", "participants": {"attendees": listed}})
    assert named.json()["participants"]["attendees"] == listed


def test_later_lobby_scopes_are_named_to_those_who_ask_for_them(graph, organizer, meeting):
    path = f"/users/{organizer.id}/onlineMeetings/{meeting.id}"
    graph.patch(path, json={"lobbyBypassSettings": {"scope": "invited"}})
    assert graph.get(path).json()["lobbyBypassSettings"]["scope"] == "unknownFutureValue"
    asked = graph.get(path, headers={"Prefer": "include-unknown-enum-members"})
    assert asked.json()["lobbyBypassSettings"]["scope"] == "invited"


def test_meetings_have_the_shapes_of_the_published_schema(graph, organizer, meeting):
    contract = load_contract()
    path = f"/users/{organizer.id}/onlineMeetings"
    body = {"subject": "Ad hoc", "startDateTime": "2026-03-02T08:00:00Z", "endDateTime": "2026-03-02T09:00:00Z"}
    answers = [
        graph.post(path, json=body),
        find(graph, organizer.id, meeting.join_url),
        graph.get(f"{path}/{meeting.id}"),
        graph.patch(f"{path}/{meeting.id}", json={"subject": "Pod one"}),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200]
    assert [one for answer in answers for one in violations(contract, answer)] == []
