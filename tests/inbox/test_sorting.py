"""What each message is, in English and German, by class, header and sender."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from integration.graph.outgoing import MESSAGE_CLASS_PROPERTY, TAG_PROPERTY
from integration.graph.translate import WireMessage, received_in
from integration.inbox.sorting import Kind, sort, was_sent_by_itself
from tests.inbox.cast import OURS, received

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "graph" / "samples"
EXCHANGE = "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e@pods.example"
RESPONSE = {"kind": "eventMessageResponse"}
TOLD = {"message_class": "IPM.Note"}


@pytest.mark.parametrize(
    ("kind", "subject", "facts"),
    [
        (Kind.REPLY, "Accepted: Pod 1", RESPONSE),
        (Kind.REPLY, "Zugesagt: Pod 1", RESPONSE),
        (Kind.REPLY, "Abgelehnt: Pod 1", RESPONSE | {"message_class": "IPM.Schedule.Meeting.Resp.Neg"}),
        (Kind.REPLY, "Mit Vorbehalt: Pod 1", {"message_class": "IPM.Schedule.Meeting.Resp.Tent"}),
        (Kind.PROPOSAL, "New Time Proposed: Pod 1", RESPONSE),
        (Kind.PROPOSAL, "Neue Zeit vorgeschlagen: Pod 1", RESPONSE),
        (Kind.PROPOSAL, "Tentative: Pod 1", RESPONSE | {"proposes": True}),
        (Kind.FORWARDED, "Meeting Forward Notification: Pod 1", {"kind": "eventMessage", "sender": EXCHANGE}),
        (Kind.FORWARDED, "Benachrichtigung über Weiterleitung der Besprechung: Pod 1", {"sender": EXCHANGE}),
        (Kind.FORWARDED, "Besprechungsweiterleitungsbenachrichtigung: Pod 1", {"kind": "eventMessage"}),
        (Kind.FORWARDED, "Pod 1", {"message_class": "IPM.Schedule.Meeting.Notification.Forward"}),
        (Kind.FAILURE, "Undeliverable: How was it?", {"sender": EXCHANGE}),
        (Kind.FAILURE, "Unzustellbar: Wie war es?", {"sender": EXCHANGE}),
        (Kind.FAILURE, "Anything", {"message_class": "REPORT.IPM.Note.NDR"}),
        (Kind.FAILURE, "Delivery delayed", {"sender": "postmaster@other.example"}),
        (Kind.FAILURE, "Zustellung verzögert", {"sender": "MAILER-DAEMON@other.example".lower()}),
        (Kind.FAILURE, "x", {"headers": {"content-type": "multipart/report; report-type=delivery-status"}}),
        (Kind.NOTICE, "Read: How was it?", {"message_class": "REPORT.IPM.Note.IPNRN"}),
        (Kind.AUTOMATIC, "Automatic reply: How was it?", {}),
        (Kind.AUTOMATIC, "Automatische Antwort: Wie war es?", {}),
        (Kind.AUTOMATIC, "Abwesenheitsnotiz: Wie war es?", {}),
        (Kind.AUTOMATIC, "Gone fishing", {"message_class": "IPM.Note.Rules.OofTemplate.Microsoft"}),
        (Kind.AUTOMATIC, "Gone fishing", {"headers": {"auto-submitted": "auto-replied; owner-email=x"}}),
        (Kind.HUMAN, "Re: How was it?", TOLD),
        (Kind.HUMAN, "AW: Wie war es?", TOLD),
        (Kind.HUMAN, "My automatic reply was wrong", {}),
        (Kind.HUMAN, "Unzustellbar: was heißt das?", {}),
        (Kind.HUMAN, "Weiterleitung der Besprechung: darf ich?", {}),
        (Kind.NOTICE, "Lunch", {"kind": "eventMessageRequest"}),
        (Kind.NOTICE, "Cancelled: Lunch", {"kind": "eventMessage"}),
        (Kind.NOTICE, "Re: Pod 1", {"sender": "sender@pods.example"}),
        (Kind.NOTICE, "Accepted: Pod 1", RESPONSE | {"sender": "organizer@pods.example"}),
    ],
)
def test_a_message_is_what_it_is_in_either_language(kind: Kind, subject: str, facts: dict[str, object]) -> None:
    assert sort(received(subject, **facts), ours=OURS) is kind


@pytest.mark.parametrize(
    ("headers", "by_itself"),
    [
        ({}, False),
        ({"auto-submitted": "no"}, False),
        ({"auto-submitted": "auto-generated"}, True),
        ({"x-auto-response-suppress": "All"}, True),
        ({"x-auto-response-suppress": "None"}, False),
        ({"precedence": "Bulk"}, True),
        ({"list-id": "<staff.pods.example>"}, True),
    ],
)
def test_what_programs_and_lists_send_is_known_by_its_headers(headers: dict[str, str], by_itself: bool) -> None:
    assert was_sent_by_itself(received(headers=headers)) is by_itself


def test_the_documented_proposal_is_a_proposal() -> None:
    sample = SAMPLES / "proposal-3-eventmessageresponse.response.json"
    if not sample.exists():
        pytest.skip("Microsoft's samples are not on this machine")
    text = sample.read_text(encoding="utf-8").replace('$skip=4""', '$skip=4"').replace(" \n", "\n")
    wire = msgspec.convert(json.loads(text)["value"][0], WireMessage, strict=False)
    message = received_in(wire, class_property=MESSAGE_CLASS_PROPERTY, tag_property=TAG_PROPERTY)
    assert (message.sender, message.proposes) == ("adelev@contoso.onmicrosoft.com", True)
    assert sort(message, ours=OURS) is Kind.PROPOSAL
