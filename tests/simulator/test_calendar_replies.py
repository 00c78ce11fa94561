"""Answers: on the attendee's copy, in the organizer's inbox, on the organizer's list, until something big changes."""

import httpx
import pytest

from integration.graph.simulator.tenant.tenant import Tenant
from tests.simulator.calendar_steps import SECOND_ORGANIZER, Outlook, Post, invite, single, weekly

GUEST = "guest@elsewhere.example"
MOVED = {
    "start": {"dateTime": "2026-03-04T15:00:00", "timeZone": "W. Europe Standard Time"},
    "end": {"dateTime": "2026-03-04T15:30:00", "timeZone": "W. Europe Standard Time"},
}


@pytest.fixture
def outlook(graph: httpx.Client, tenant: Tenant) -> Outlook:
    return Outlook(graph, tenant)


@pytest.fixture
def people(tenant: Tenant) -> list[str]:
    return [person.mail for person in tenant.directory.people if person.kind == "person" and person.exchange][:3]


def answers(event: dict) -> dict[str, str]:
    return {one["emailAddress"]["address"]: one["status"]["response"] for one in event["attendees"]}


def reply(control: httpx.Client, person: str, event: dict, response: str, **others: object) -> httpx.Response:
    sent = {"uid": event["iCalUId"], "response": response, **others}
    return control.post(f"/people/{person}/reply", json=sent)


def test_an_acceptance_reaches_the_organizers_list_and_inbox(
    outlook: Outlook, control: httpx.Client, people: list[str]
) -> None:
    ada, grace, _ = people
    made = outlook.create(weekly(attendees=invite(ada, grace)))
    assert answers(made) == {ada: "none", grace: "none"}
    assert reply(control, ada, made, "accept", comment="Gladly").status_code == 200
    event = outlook.get(made["id"])
    assert answers(event) == {ada: "accepted", grace: "none"}
    assert event["attendees"][0]["status"]["time"].startswith("2026-03-02T07:00:00")
    assert event["attendees"][1]["status"]["time"] == "0001-01-01T00:00:00Z"
    assert event["@odata.etag"] != made["@odata.etag"]
    assert [one["showAs"] for one in outlook.view_of(ada)] == ["busy"] * 4
    inbox = control.get(f"/people/{outlook.mailbox}/inbox").json()
    assert [(one["subject"], one["kind"]) for one in inbox] == [("Accepted: Peer pod", "meetingResponse")]


def test_an_answer_that_is_not_sent_stays_with_the_attendee(
    outlook: Outlook, control: httpx.Client, people: list[str]
) -> None:
    made = outlook.create(weekly(attendees=invite(people[0])))
    reply(control, people[0], made, "decline", send=False)
    assert answers(outlook.get(made["id"])) == {people[0]: "none"}
    assert control.get(f"/people/{outlook.mailbox}/inbox").json() == []
    assert outlook.view_of(people[0]) == []


@pytest.mark.parametrize(("makes", "kind"), [(True, "exception"), (False, "occurrence")])
def test_a_reply_to_one_occurrence_belongs_to_that_occurrence(
    outlook: Outlook, control: httpx.Client, people: list[str], makes: bool, kind: str
) -> None:
    outlook.tenant.switches.reply_to_one_occurrence_makes_an_exception = makes
    made = outlook.create(weekly(attendees=invite(*people)))
    reply(control, people[0], made, "decline", occurrence_start="2026-03-11T09:00:00Z")
    instances = outlook.instances(made["id"])
    assert [answers(one)[people[0]] for one in instances] == ["none", "declined", "none", "none"]
    assert [one["type"] for one in instances] == ["occurrence", kind, "occurrence", "occurrence"]
    assert answers(outlook.get(made["id"]))[people[0]] == "none"
    assert len(outlook.view_of(people[0])) == 3


@pytest.mark.parametrize(("multiplies", "updates"), [(True, 2), (False, 1)])
def test_a_mere_reply_multiplies_later_mails(
    outlook: Outlook, control: httpx.Client, people: list[str], multiplies: bool, updates: int
) -> None:
    outlook.tenant.switches.reply_exceptions_multiply_mails = multiplies
    made = outlook.create(weekly(attendees=invite(*people)))
    reply(control, people[0], made, "accept", occurrence_start="2026-03-11T09:00:00Z")
    post = Post(control)
    post.since()
    outlook.patch(made["id"], {"subject": "Pod of Wednesday"})
    assert post.since() == {(one, "meetingUpdate"): updates for one in people}


@pytest.mark.parametrize(("clears", "after"), [(True, "none"), (False, "accepted")])
def test_moving_a_series_asks_everybody_again(
    outlook: Outlook, control: httpx.Client, people: list[str], clears: bool, after: str
) -> None:
    outlook.tenant.switches.significant_change_clears_replies = clears
    made = outlook.create(weekly(attendees=invite(people[0])))
    reply(control, people[0], made, "accept")
    outlook.patch(made["id"], {"subject": "Only another name"})
    assert answers(outlook.get(made["id"])) == {people[0]: "accepted"}
    outlook.patch(made["id"], MOVED)
    assert answers(outlook.get(made["id"])) == {people[0]: after}
    assert outlook.view_of(people[0])[0]["responseStatus"]["response"] == ("notResponded" if clears else "accepted")


def test_a_proposal_shows_on_the_attendee_until_the_organizer_accepts_it(
    outlook: Outlook, control: httpx.Client, people: list[str]
) -> None:
    made = outlook.create(single(attendees=invite(people[0])))
    wish = ["2026-03-05T12:00:00Z", "2026-03-05T12:30:00Z"]
    assert reply(control, people[0], made, "tentativelyAccept", proposed=wish).status_code == 200
    attendee = outlook.get(made["id"])["attendees"][0]
    assert attendee["status"]["response"] == "tentativelyAccepted"
    assert attendee["proposedNewTime"]["start"] == {"dateTime": "2026-03-05T12:00:00.0000000", "timeZone": "UTC"}
    outlook.patch(made["id"], attendee["proposedNewTime"])
    assert "proposedNewTime" not in outlook.get(made["id"])["attendees"][0]


def test_proposals_are_refused_where_the_organizer_disallows_them(
    outlook: Outlook, control: httpx.Client, people: list[str]
) -> None:
    made = outlook.create(single(attendees=invite(people[0]), allowNewTimeProposals=False))
    wish = ["2026-03-05T12:00:00Z", "2026-03-05T12:30:00Z"]
    assert reply(control, people[0], made, "decline", proposed=wish).status_code == 400
    assert answers(outlook.get(made["id"])) == {people[0]: "none"}


def test_replies_stay_in_the_inbox_when_the_mailbox_does_not_process_them(
    outlook: Outlook, control: httpx.Client, people: list[str]
) -> None:
    outlook.tenant.switches.external_replies_are_processed = False
    made = outlook.create(weekly(attendees=invite(people[0], GUEST)))
    reply(control, GUEST, made, "accept")
    reply(control, people[0], made, "accept")
    assert answers(outlook.get(made["id"])) == {people[0]: "accepted", GUEST: "none"}
    outlook.tenant.switches.replies_are_processed = False
    reply(control, people[0], made, "decline")
    assert answers(outlook.get(made["id"]))[people[0]] == "accepted"
    assert len(control.get(f"/people/{outlook.mailbox}/inbox").json()) == 3


def test_mallory_cannot_answer_what_she_was_not_invited_to(
    outlook: Outlook, control: httpx.Client, people: list[str]
) -> None:
    made = outlook.create(weekly(attendees=invite(people[0])))
    assert reply(control, people[1], made, "accept").status_code == 404
    assert outlook.view_of(people[1]) == []


def test_an_application_answers_only_in_mailboxes_of_its_own(
    outlook: Outlook, graph: httpx.Client, people: list[str]
) -> None:
    made = outlook.create(weekly(attendees=invite(SECOND_ORGANIZER, people[0])))
    copy = outlook.view_of(SECOND_ORGANIZER)[0]
    address = f"/users/{SECOND_ORGANIZER}/events/{copy['seriesMasterId']}"
    assert graph.post(f"{address}/accept", json={"comment": "Yes", "sendResponse": True}).status_code == 202
    assert answers(outlook.get(made["id"]))[SECOND_ORGANIZER] == "accepted"
    cancelled = graph.post(f"{address}/cancel", json={"Comment": "no"})
    assert (cancelled.status_code, "organizer to cancel" in cancelled.text) == (400, True)
    theirs = outlook.view_of(people[0])[0]
    refused = graph.post(f"/users/{people[0]}/events/{theirs['seriesMasterId']}/decline", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "ErrorAccessDenied")
    own = graph.post(f"/users/{outlook.mailbox}/events/{made['id']}/accept", json={})
    assert own.status_code == 400
