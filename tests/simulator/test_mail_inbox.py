"""What lands in the organizers' inboxes, and how a delta round tells of it."""

from datetime import timedelta

import pytest

from .contract import load_contract, violations

IMMUTABLE = 'IdType="ImmutableId"'


@pytest.fixture
def organizer(simulator):
    return simulator.tenant.organizers[0]


@pytest.fixture
def ada(simulator):
    return next(one for one in simulator.tenant.directory.people if one.kind == "person")


def write(control, person, *, to: str, subject: str) -> None:
    control.post(f"/people/{person.mail}/send", json={"to": to, "subject": subject}).raise_for_status()


def follow(graph, link: str, size: int = 10) -> tuple[list[dict], str, int]:
    """Items, delta link and number of pages."""
    items, pages = [], 0
    while True:
        page = graph.get(link, headers={"Prefer": f"{IMMUTABLE}, odata.maxpagesize={size}"}).json()
        items, pages = items + page["value"], pages + 1
        if "@odata.deltaLink" in page:
            return items, page["@odata.deltaLink"], pages
        link = page["@odata.nextLink"]


def test_a_delta_round_pages_and_the_next_one_tells_only_what_changed(graph, control, organizer, ada):
    for number in range(5):
        write(control, ada, to=organizer.mail, subject=f"Mail {number}")
    first = f"/users/{organizer.id}/mailFolders/inbox/messages/delta?$select=subject,isRead"
    items, link, pages = follow(graph, first, size=2)
    assert [one["subject"] for one in items] == [f"Mail {number}" for number in range(5)]
    assert pages == 3
    assert "body" not in items[0]
    assert follow(graph, link)[0] == []
    path = f"/users/{organizer.id}/messages"
    graph.patch(f"{path}/{items[0]['id']}", json={"isRead": True})
    graph.delete(f"{path}/{items[1]['id']}")
    write(control, ada, to=organizer.mail, subject="Mail 5")
    changed, link, _ = follow(graph, link)
    told = {one["id"]: one for one in changed}
    assert told[items[0]["id"]]["isRead"] is True
    assert told[items[1]["id"]]["@removed"] == {"reason": "deleted"}
    assert [one.get("subject") for one in changed] == ["Mail 0", None, "Mail 5"]
    broken = graph.get(f"{first.split('?')[0]}?$deltatoken=nonsense")
    assert broken.json()["error"]["code"] == "syncStateInvalid"


def test_messages_can_be_filtered_ordered_and_counted(graph, control, organizer, ada):
    for subject in ("Cedar", "Alder", "Beech"):
        write(control, ada, to=organizer.mail, subject=subject)
    path = f"/users/{organizer.id}/mailFolders/inbox/messages"

    def subjects(**params: str) -> list[str]:
        return [one["subject"] for one in graph.get(path, params=params).json()["value"]]

    assert subjects(**{"$orderby": "subject"}) == ["Alder", "Beech", "Cedar"]
    assert subjects(**{"$filter": "startswith(subject,'Be') and isRead eq false"}) == ["Beech"]
    assert subjects(**{"$filter": f"from/emailAddress/address eq '{ada.mail}'", "$top": "1"}) != []
    assert graph.get(path, params={"$filter": "bodyPreview eq 'x'"}).status_code == 400


def test_meeting_messages_say_what_they_are(graph, simulator, organizer, ada):
    tenant = simulator.tenant
    starts_at = tenant.clock.now() + timedelta(days=1)
    for kind, response in (("meetingRequest", None), ("meetingCancelled", None), ("meetingResponse", "decline")):
        tenant.mailboxes.deliver(
            organizer.mail,
            sender=ada,
            subject=kind,
            body_html="",
            kind=kind,
            event_uid="040000008200E00074C5B7101A82E008",
            response=response,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            proposed=(starts_at, starts_at + timedelta(hours=1)) if response else None,
        )
    answer = graph.get(f"/users/{organizer.id}/mailFolders/inbox/messages", params={"$orderby": "subject desc"})
    declined, request, cancelled = answer.json()["value"]
    assert request["@odata.type"] == "#microsoft.graph.eventMessageRequest"
    assert request["meetingMessageType"] == "meetingRequest"
    assert cancelled["meetingMessageType"] == "meetingCancelled"
    assert declined["@odata.type"] == "#microsoft.graph.eventMessageResponse"
    assert (declined["meetingMessageType"], declined["responseType"]) == ("meetingDeclined", "declined")
    assert declined["proposedNewTime"]["start"]["timeZone"] == "UTC"
    assert violations(load_contract(), answer) == []
