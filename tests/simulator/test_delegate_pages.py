"""By hand a visitor makes every kind of drift: moves, edits, cancels, invites, forwards, and loses the link."""

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from tests.browsers import faults, fits, keep

from .calendar_steps import Outlook, invite, weekly


class Visitor:
    """Looks at the pages of organizer One, who holds a weekly pod with Ada on Teams."""

    def __init__(self, simulator, graph: httpx.Client, control: httpx.Client, client: httpx.Client) -> None:
        self.tenant, self.control, self.client, self.url = simulator.tenant, control, client, simulator.url
        self.organizer = self.tenant.organizers[0]
        self.ada, self.grace = [one for one in self.tenant.directory.people if one.kind == "person"][:2]
        self.outlook = Outlook(graph, self.tenant, self.organizer.mail)
        online = {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"}
        self.made = self.outlook.create(weekly(attendees=invite(self.ada.mail), **online))
        self.uid = self.made["iCalUId"]
        self.second = self.outlook.instances(self.made["id"])[1]
        self.at = self.second["start"]["dateTime"][:19] + "+00:00"

    @property
    def path(self) -> str:
        return f"/people/{self.organizer.mail}/meetings/{self.uid}"

    def orders(self, what: str, **form: str) -> httpx.Response:
        answer = self.client.post(f"{self.path}/{what}", data={"at": self.at, **form})
        assert answer.status_code == 200, answer.text
        return answer

    def event(self) -> dict:
        """The truth about the only meeting there is."""
        return self.control.get("/events").json()[0]

    def instance(self) -> dict:
        return self.outlook.get(self.second["id"])

    def mails_to_ada(self) -> list[str]:
        """By what they are, in no order: they came in the same instant."""
        return [one["kind"] for one in self.control.get(f"/people/{self.ada.mail}/inbox").json()]


@pytest.fixture
def visitor(simulator, graph, control) -> Iterator[Visitor]:
    with httpx.Client(base_url=simulator.url, follow_redirects=True, timeout=20) as client:
        yield Visitor(simulator, graph, control, client)


def test_the_page_of_an_occurrence_is_found_in_the_organizers_week(visitor):
    week = visitor.client.get(f"/people/{visitor.organizer.mail}", params={"week": visitor.at[:10]}).text
    (address,) = re.findall(r'href="(/people/[^"]+/meetings/[^"]+)"', week)
    page = visitor.client.get(unescape(address))
    assert "Replace the text" in page.text
    assert "Wednesday 11 March 2026, 10:00" in page.text
    assert visitor.client.get(f"/people/{visitor.ada.mail}/meetings/{visitor.uid}").status_code == 404
    foreign = visitor.client.post(f"{visitor.path}/cancellation", headers={"Origin": "http://elsewhere.example"})
    assert foreign.status_code == 403


def test_one_occurrence_moves_in_the_visitors_own_zone(visitor):
    assert visitor.organizer.time_zone == "Europe/Zurich"
    day = visitor.at[:10]
    visitor.orders("time", starts=f"{day}T16:00", ends=f"{day}T17:30")
    moved = visitor.instance()
    assert (moved["type"], moved["start"]["dateTime"][:16]) == ("exception", f"{day}T15:00")
    assert sorted(visitor.mails_to_ada()) == ["meetingRequest", "meetingUpdate"]


def test_the_series_moves_to_another_day_with_its_pattern(visitor):
    before = visitor.event()
    starts = visitor.second["start"]["dateTime"][:10]
    next_day = f"{starts[:8]}{int(starts[8:]) + 1:02d}"
    visitor.orders("time", scope="series", starts=f"{next_day}T16:00", ends=f"{next_day}T17:00")
    after = visitor.event()
    (old,), (new,) = (one["recurrence"]["pattern"]["daysOfWeek"] for one in (before, after))
    assert new != old
    assert all(one["starts_at"][11:16] in ("14:00", "15:00") for one in after["instances"])
    assert after["recurrence"]["range"]["startDate"] != before["recurrence"]["range"]["startDate"]


def test_subject_and_place_change(visitor):
    visitor.orders("words", subject="Pod Beech", location="Room 4")
    changed = visitor.instance()
    assert (changed["subject"], changed["location"]["displayName"]) == ("Pod Beech", "Room 4")
    visitor.orders("words", scope="series", subject="Pod Alder", location="")
    assert visitor.event()["subject"] == "Pod Alder"


def test_people_are_added_and_removed(visitor):
    visitor.orders("attendees", add=visitor.grace.mail, scope="series")
    assert {one["address"] for one in visitor.event()["attendees"]} == {visitor.ada.mail, visitor.grace.mail}
    visitor.orders("attendees", remove=visitor.ada.mail)
    here = {one["emailAddress"]["address"] for one in visitor.instance()["attendees"]}
    assert visitor.ada.mail not in here
    assert "meetingCancelled" in visitor.mails_to_ada()
    assert visitor.client.post(f"{visitor.path}/attendees", data={"add": "nobody"}).status_code == 400


def test_one_occurrence_or_the_series_is_cancelled(visitor):
    visitor.orders("cancellation", comment="Holidays")
    assert visitor.event()["cancelled"] == [visitor.at[:10]]
    visitor.orders("cancellation", scope="series")
    assert visitor.control.get("/events").json() == []


@pytest.mark.parametrize("link", ["keep", "lose", "another", "off"])
def test_the_text_is_replaced_with_or_without_its_link(visitor, link):
    old = visitor.event()["join_url"]
    visitor.orders("body", scope="series", words="See you there.", link=link)
    series = visitor.outlook.get(visitor.made["id"])
    url = (series["onlineMeeting"] or {}).get("joinUrl")
    assert "See you there." in series["body"]["content"]
    assert {"keep": url == old, "lose": url == old, "another": url not in (old, None), "off": url is None}[link]
    assert ("Join Microsoft Teams Meeting" in series["body"]["content"]) is (link in ("keep", "another"))
    if link == "another":
        assert visitor.event()["join_urls"] == [old, url]


def test_ada_and_the_organizer_forward_the_invitation(visitor):
    sent = {"uid": visitor.uid, "at": visitor.at, "to": visitor.grace.mail, "scope": "series"}
    assert "forwarded" in visitor.client.post(f"/people/{visitor.ada.mail}/forwards", data=sent).text
    told = visitor.control.get(f"/people/{visitor.organizer.mail}/inbox").json()
    assert told[0]["subject"].startswith("Meeting Forward Notification: ")
    visitor.client.post(f"/people/{visitor.organizer.mail}/forwards", data={**sent, "to": "linus@other.example"})
    addresses = {one["address"] for one in visitor.event()["attendees"]}
    assert addresses == {visitor.ada.mail, visitor.grace.mail, "linus@other.example"}


def test_ada_writes_back_to_the_invitation(visitor):
    (invitation,) = visitor.control.get(f"/people/{visitor.ada.mail}/inbox").json()
    path = f"/people/{visitor.ada.mail}/mail/{invitation['id']}"
    assert "Write back" in visitor.client.get(path).text
    visitor.client.post(f"{path}/answers", data={"words": "Is <b>lunch</b> provided?"}).raise_for_status()
    (answer,) = visitor.control.get(f"/people/{visitor.organizer.mail}/inbox").json()
    assert "<p>Is &lt;b&gt;lunch&lt;/b&gt; provided?</p>" in answer["body_html"]


def test_a_mailbox_is_taken_away_and_given_back(visitor, graph):
    account = f"/people/{visitor.organizer.mail}/account"
    events = f"/users/{visitor.organizer.id}/events"
    visitor.client.post(account, data={"what": "exchange", "on": "no"}).raise_for_status()
    assert graph.get(events).json()["error"]["code"] == "MailboxNotEnabledForRESTAPI"
    visitor.client.post(account, data={"what": "exchange", "on": "yes"}).raise_for_status()
    assert graph.get(events).status_code == 200
    assert visitor.client.post(account, data={"what": "salary", "on": "no"}).status_code == 400


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_can_be_used_on_any_screen(visitor, chromium, width, scheme):
    mail = visitor.control.get(f"/people/{visitor.ada.mail}/inbox").json()[0]["id"]
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    for name, path in (
        ("meeting", f"{visitor.path}?at={visitor.at.replace('+', '%2B')}"),
        ("organizer", f"/people/{visitor.organizer.mail}?week={visitor.at[:10]}"),
        ("attendee", f"/people/{visitor.ada.mail}?week={visitor.at[:10]}"),
        ("mail", f"/people/{visitor.ada.mail}/mail/{mail}"),
    ):
        page.goto(f"{visitor.url}{path}")
        keep(page, f"{name}-{width}-{scheme}")
        assert faults(page) == []
        assert fits(page)
    context.close()
