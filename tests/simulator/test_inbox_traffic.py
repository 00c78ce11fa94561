"""What people, machines and mail systems write back to our mails and invitations."""

from datetime import timedelta

import httpx
import pytest

from .calendar_steps import Outlook, invite, single
from .contract import load_contract, violations

SUPPRESS = [{"id": "Integer 0x3FDF", "value": "48"}]
MESSAGE_CLASS = "singleValueExtendedProperties($filter=id eq 'String 0x001A')"


class Post:
    """Organizer One writes to Ada, and looks into its inbox."""

    def __init__(self, simulator, graph: httpx.Client, control: httpx.Client) -> None:
        self.tenant, self.graph, self.control = simulator.tenant, graph, control
        self.organizer = self.tenant.organizers[0]
        self.ada, self.grace = [one for one in self.tenant.directory.people if one.kind == "person"][:2]
        self.outlook = Outlook(graph, self.tenant, self.organizer.mail)

    def write(self, **more: object) -> None:
        message = {
            "subject": "How was it?",
            "body": {"contentType": "html", "content": "<p>Tell us.</p>"},
            "toRecipients": [{"emailAddress": {"address": self.ada.mail}}],
            **more,
        }
        answer = self.graph.post(f"/users/{self.organizer.id}/sendMail", json={"message": message})
        assert answer.status_code == 202, answer.text
        self.wait(seconds=5)

    def invite_ada(self) -> dict:
        return self.outlook.create(single(attendees=invite(self.ada.mail)))

    def wait(self, **length: float) -> None:
        to = self.tenant.clock.now() + timedelta(**length)
        self.control.post("/clock", json={"to": to.isoformat()}).raise_for_status()

    def order(self, path: str, **sent: object) -> dict:
        answer = self.control.post(path, json=sent)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def inbox(self, **params: str) -> list[dict]:
        """Newest first."""
        answer = self.graph.get(f"/users/{self.organizer.id}/mailFolders/inbox/messages", params=params)
        assert answer.status_code == 200, answer.text
        assert violations(load_contract(), answer) == []
        return answer.json()["value"]


@pytest.fixture
def post(simulator, graph, control) -> Post:
    return Post(simulator, graph, control)


def test_a_person_writes_back_to_a_mail(post):
    post.write()
    sent = post.graph.get(f"/users/{post.organizer.id}/mailFolders/sentitems/messages").json()["value"][0]
    post.order(f"/people/{post.ada.mail}/write-back", subject="how was it", body_html="<p>Great!</p>")
    (answer,) = post.inbox(**{"$select": "subject,from,body,conversationId,internetMessageHeaders"})
    assert (answer["subject"], answer["from"]["emailAddress"]["address"]) == ("RE: How was it?", post.ada.mail)
    assert "<p>Great!</p>" in answer["body"]["content"]
    assert answer["conversationId"] == sent["conversationId"]
    assert {"name": "In-Reply-To", "value": sent["internetMessageId"]} in answer["internetMessageHeaders"]


def test_a_person_writes_back_to_an_invitation(post):
    post.invite_ada()
    post.order(f"/people/{post.ada.mail}/write-back", body_html="<p>Could we start later?</p>")
    (answer,) = post.inbox()
    assert answer["subject"].startswith("RE: ")
    assert "start later" in answer["body"]["content"]
    missing = post.control.post(f"/people/{post.grace.mail}/write-back", json={"body_html": "x"})
    assert missing.status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"singleValueExtendedProperties": SUPPRESS},
        {"internetMessageHeaders": [{"name": "X-Auto-Response-Suppress", "value": "OOF, AutoReply"}]},
    ],
)
def test_machines_answer_unless_the_mail_asked_for_none(post, asked):
    post.write()
    machine = f"/people/{post.ada.mail}/auto-reply"
    assert post.order(machine, body_html="<p>I am a robot.</p>") == {"sent": True}
    (answer,) = post.inbox(**{"$expand": MESSAGE_CLASS})
    assert answer["subject"] == "Automatic reply: How was it?"
    assert answer["singleValueExtendedProperties"][0]["value"].startswith("IPM.Note.Rules")
    post.write(subject="Second", **asked)
    assert post.order(machine, subject="Second") == {"sent": False}
    away = {"starts": "2026-01-01T00:00:00+00:00", "ends": "2027-01-01T00:00:00+00:00", "message": "Away"}
    post.control.patch(f"/people/{post.ada.mail}", json={"out_of_office": away}).raise_for_status()
    post.write(subject="Third", **asked)
    assert len(post.inbox()) == 1
    post.order("/switches", auto_reply_suppressed=False, auto_reply_suppressed_by_header=False)
    post.write(subject="Fourth", **asked)
    assert post.inbox()[0]["subject"] == "Automatic reply: Fourth"


@pytest.mark.parametrize(
    ("kind", "words"),
    [("5.1.1", "550 5.1.1"), ("5.1.10", "5.1.10"), ("5.2.2", "5.2.2 mailbox full"), ("5.7.1", "5.7.1")],
)
def test_mail_to_an_address_can_fail_on_order(post, kind, words):
    post.order("/bounces", address=post.ada.mail, kind=kind, times=1)
    post.write()
    (report,) = post.inbox(**{"$expand": MESSAGE_CLASS})
    assert report["subject"] == "Undeliverable: How was it?"
    assert words in report["body"]["content"]
    assert post.ada.mail in report["body"]["content"]
    assert report["singleValueExtendedProperties"][0]["value"] == "REPORT.IPM.Note.NDR"
    post.write(subject="Again")
    assert [one["subject"] for one in post.control.get(f"/people/{post.ada.mail}/inbox").json()] == ["Again"]


def test_a_delay_is_told_and_the_mail_comes_later(post):
    post.order("/bounces", address=post.ada.mail, kind="delayed", times=1)
    post.write()
    assert post.inbox()[0]["subject"] == "Delivery delayed: How was it?"
    assert post.control.get(f"/people/{post.ada.mail}/inbox").json() == []
    post.wait(hours=6)
    assert len(post.control.get(f"/people/{post.ada.mail}/inbox").json()) == 1


def test_a_failure_can_come_back_late_for_an_invitation_too(post):
    post.invite_ada()
    post.wait(hours=3)
    post.order(f"/people/{post.organizer.mail}/bounce", recipient=post.ada.mail, kind="5.2.2")
    assert post.inbox()[0]["subject"].startswith("Undeliverable: ")
    wrong = {"recipient": post.ada.mail, "kind": "9.9.9"}
    assert post.control.post(f"/people/{post.organizer.mail}/bounce", json=wrong).status_code == 400
    assert post.control.post("/bounces", json={"address": post.ada.mail, "kind": "9.9.9"}).status_code == 400


@pytest.mark.parametrize("added", [True, False])
def test_an_invitation_that_was_handed_on_is_told_to_the_organizer(post, added):
    post.order("/switches", forwarded_people_are_added=added)
    made = post.invite_ada()
    uid = made["iCalUId"]
    post.order(f"/people/{post.ada.mail}/forward", uid=uid, to=post.grace.mail, comment="For you")
    (told,) = post.inbox(**{"$expand": MESSAGE_CLASS})
    assert told["subject"].startswith("Meeting Forward Notification: ")
    assert (told["@odata.type"], told["meetingMessageType"]) == ("#microsoft.graph.eventMessage", "none")
    assert told["singleValueExtendedProperties"][0]["value"] == "IPM.Schedule.Meeting.Notification.Forward"
    assert post.grace.mail in told["body"]["content"]
    (got,) = post.control.get(f"/people/{post.grace.mail}/inbox").json()
    assert (got["sender"], got["kind"]) == (post.ada.mail, "meetingRequest")
    assert len(post.control.get(f"/people/{post.grace.mail}/calendar").json()) >= 1
    attendees = post.graph.get(f"/users/{post.organizer.id}/events/{made['id']}").json()["attendees"]
    assert len(attendees) == (2 if added else 1)
    stranger = post.tenant.directory.people[9].mail
    refused = post.control.post(f"/people/{stranger}/forward", json={"uid": uid, "to": post.ada.mail})
    assert refused.status_code == 404


def test_a_reply_brings_its_comment_and_proposal_into_the_inbox(post):
    made = post.invite_ada()
    uid = made["iCalUId"]
    proposed = ["2026-03-05T09:00:00+00:00", "2026-03-05T10:00:00+00:00"]
    told = {"uid": uid, "response": "tentativelyAccept", "comment": "Earlier?", "proposed": proposed}
    post.control.post(f"/people/{post.ada.mail}/reply", json=told).raise_for_status()
    (answer,) = post.inbox()
    assert answer["proposedNewTime"]["start"]["dateTime"].startswith("2026-03-05T09:00")
    assert "Earlier?" in answer["body"]["content"]


@pytest.mark.parametrize("by_switch", [True, False])
def test_delta_tokens_of_a_folder_run_out_and_a_full_round_starts_at_the_new_address(post, by_switch):
    post.order(f"/people/{post.ada.mail}/send", to=post.organizer.mail, subject="Hello")
    first = f"/users/{post.organizer.id}/mailFolders/inbox/messages/delta?$select=subject"
    link = post.graph.get(first).json()["@odata.deltaLink"]
    if by_switch:
        post.order("/switches", message_delta_tokens_expired=True)
    else:
        post.control.post("/delta/expire").raise_for_status()
    gone = post.graph.get(link)
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "SyncStateNotFound")
    post.order("/switches", message_delta_tokens_expired=False)
    again = post.graph.get(gone.headers["Location"]).json()
    assert [one["subject"] for one in again["value"]] == ["Hello"]
    assert post.graph.get(again["@odata.deltaLink"]).json()["value"] == []
