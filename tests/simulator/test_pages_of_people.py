"""A visitor sees anybody's week and inbox, answers invitations and joins calls, in that person's own time zone."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest


@pytest.fixture
def visitor(simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=simulator.url, follow_redirects=True, timeout=20) as client:
        yield client


@pytest.fixture
def ada(simulator):
    return simulator.tenant.directory.by_address("ada.keller@pods.example")


@pytest.fixture
def organizer(simulator):
    return simulator.tenant.organizers[0]


@pytest.fixture
def pod(graph, organizer, ada) -> dict:
    """Tuesday 3 March 2026, 13:00 UTC, weekly; Ada lives in Zurich."""
    times = {"start": "2026-03-03T13:00:00", "end": "2026-03-03T14:00:00"}
    answer = graph.post(
        f"/users/{organizer.id}/events",
        json={
            "subject": "Pod <b>Cedar</b>",
            **{name: {"dateTime": at, "timeZone": "UTC"} for name, at in times.items()},
            "recurrence": {
                "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
                "range": {"type": "numbered", "startDate": "2026-03-03", "numberOfOccurrences": 4},
            },
            "isOnlineMeeting": True,
            "onlineMeetingProvider": "teamsForBusiness",
            "attendees": [{"emailAddress": {"address": ada.mail, "name": ada.name}, "type": "required"}],
        },
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1].replace("&amp;", "&").replace("&#34;", '"')


def test_the_week_stands_in_the_persons_own_time_zone(visitor, ada, pod):
    page = visitor.get(f"/people/{ada.mail}").text
    assert "Times in Europe/Zurich." in page
    assert ">14:00</time>–15:00" in page
    assert "Not answered yet" in page
    assert "Pod &lt;b&gt;Cedar&lt;/b&gt;" in page
    assert "Nothing in the calendar" in visitor.get("/people/pods.two@pods.example").text


def test_a_visitor_answers_one_meeting_and_the_organizer_sees_it(visitor, graph, organizer, ada, pod):
    page = visitor.get(f"/people/{ada.mail}").text
    form = {name: hidden(page, name) for name in ("uid", "occurrence_start", "week")}
    sent = visitor.post(f"/people/{ada.mail}/answers", data={**form, "response": "decline", "comment": "Ill"})
    assert "Your answer is on its way" in sent.text
    (reply,) = graph.get(f"/users/{organizer.id}/mailFolders/inbox/messages").json()["value"]
    assert (reply["subject"], reply["responseType"]) == ("Declined: Pod <b>Cedar</b>", "declined")


def test_a_visitor_proposes_another_time(visitor, graph, organizer, ada, pod):
    page = visitor.get(f"/people/{ada.mail}").text
    form = {name: hidden(page, name) for name in ("uid", "occurrence_start", "week")}
    times = {"proposed_starts": "2026-03-03T16:00", "proposed_ends": "2026-03-03T17:00"}
    visitor.post(f"/people/{ada.mail}/answers", data={**form, **times, "response": "tentativelyAccept"})
    (reply,) = graph.get(f"/users/{organizer.id}/mailFolders/inbox/messages").json()["value"]
    assert reply["proposedNewTime"]["start"] == {"dateTime": "2026-03-03T15:00:00.0000000", "timeZone": "UTC"}
    turned = {"proposed_starts": "2026-03-03T16:00", "proposed_ends": "2026-03-03T15:00"}
    refused = visitor.post(f"/people/{ada.mail}/answers", data={**form, **turned, "response": "decline"})
    assert refused.status_code == 400
    assert "must come after" in refused.text


def test_a_visitor_joins_and_leaves_a_call(visitor, control, ada, pod):
    call = {"join_url": pod["onlineMeeting"]["joinUrl"], "action": "join"}
    assert "You are in the call." in visitor.post(f"/people/{ada.mail}/calls", data=call).text
    assert "You left the call." in visitor.post(f"/people/{ada.mail}/calls", data={**call, "action": "leave"}).text
    (call_seen,) = control.get("/calls").json()
    assert [one["person"] for one in call_seen["participants"]] == [ada.mail]


def test_mail_is_shown_in_a_frame_that_can_only_open_links(visitor, control, organizer, ada):
    body = "<p>Hello <img src='x' onerror='alert(1)'></p><script>alert(2)</script>"
    control.post(f"/people/{organizer.mail}/send", json={"to": ada.mail, "subject": "Hi", "body_html": body})
    message_id = control.get(f"/people/{ada.mail}/inbox").json()[0]["id"]
    path = f"/people/{ada.mail}/mail/{message_id}"
    assert "alert" not in visitor.get(path).text
    frame = visitor.get(f"{path}/body")
    policy = frame.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert '<base target="_blank">' in frame.text
    assert control.get(f"/people/{ada.mail}/inbox").json()[0]["is_read"] is True


def test_pages_have_no_script_and_no_style_of_their_own(visitor, ada, pod):
    for path in ("/", "/people", f"/people/{ada.mail}"):
        page = visitor.get(path)
        assert page.status_code == 200
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page.text)
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    sheet = re.search(r'<link rel="stylesheet" href="([^"]+)"', visitor.get("/").text)
    assert sheet
    assert visitor.get(sheet[1]).headers["Content-Type"].startswith("text/css")


def test_the_clock_moves_forward_from_the_list_of_people(visitor, simulator):
    before = simulator.tenant.clock.now()
    assert "The clock was moved." in visitor.post("/clock", data={"hours": "24"}).text
    assert simulator.tenant.clock.now() == before + timedelta(days=1)
    assert visitor.post("/clock", data={"hours": "-1"}).status_code == 400
    stranger = visitor.post("/clock", data={"hours": "1"}, headers={"Origin": "https://mallory.example"})
    assert stranger.status_code == 403
    assert visitor.get("/people/nobody@pods.example").status_code == 404
