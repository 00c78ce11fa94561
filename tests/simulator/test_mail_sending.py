"""A message leaves Drafts, is nowhere for a moment, then lies in Sent Items and in the inboxes."""

import pytest

from .contract import load_contract, violations

IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
OURS = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name pods-mail"
SUPPRESS = "Integer 0x3FDF"


class Post:
    """A sender's mailbox, and Ada who gets mail."""

    def __init__(self, simulator, graph, control) -> None:
        self.tenant, self.graph, self.control = simulator.tenant, graph, control
        self.sender = simulator.tenant.senders[0]
        self.path = f"/users/{self.sender.id}"
        self.ada = next(one for one in simulator.tenant.directory.people if one.kind == "person")

    def draft(self, to: str | None = None, **more: object) -> dict:
        body = {
            "subject": "How was it?",
            "body": {"contentType": "html", "content": "<p>Please <a href='https://pods.example/f'>tell us</a>.</p>"},
            "toRecipients": [{"emailAddress": {"address": to or self.ada.mail}}],
            **more,
        }
        answer = self.graph.post(f"{self.path}/messages", json=body, headers=IMMUTABLE)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, message: dict, **params: str):
        return self.graph.get(f"{self.path}/messages/{message['id']}", params=params, headers=IMMUTABLE)

    def send(self, message: dict) -> int:
        answer = self.graph.post(f"{self.path}/messages/{message['id']}/send", headers=IMMUTABLE)
        assert answer.content == b""
        return answer.status_code

    def folder(self, name: str) -> list[dict]:
        return self.graph.get(f"{self.path}/mailFolders/{name}/messages", headers=IMMUTABLE).json()["value"]

    def inbox_of_ada(self) -> list[dict]:
        return self.control.get(f"/people/{self.ada.mail}/inbox").json()

    def arrive(self) -> None:
        """The clock goes to where the tenant does something next."""
        at = self.control.get("/state").json()["next_event_at"]
        self.control.post("/clock", json={"to": at}).raise_for_status()


@pytest.fixture
def post(simulator, graph, control) -> Post:
    return Post(simulator, graph, control)


def test_a_sent_message_is_nowhere_and_then_in_sent_items_under_the_same_immutable_id(post):
    message = post.draft()
    assert [one["id"] for one in post.folder("drafts")] == [message["id"]]
    assert post.send(message) == 202
    assert post.get(message).status_code == 404
    assert (post.folder("drafts"), post.folder("sentitems"), post.inbox_of_ada()) == ([], [], [])
    post.arrive()
    assert [one["id"] for one in post.folder("sentitems")] == [message["id"]]
    assert post.get(message).json()["isDraft"] is False
    (received,) = post.inbox_of_ada()
    assert received["sender"] == post.sender.mail
    assert received["text"] == "Please tell us<https://pods.example/f>."


def test_the_ordinary_id_changes_with_the_folder(post):
    message = post.draft()
    ordinary = post.graph.get(f"{post.path}/messages/{message['id']}").json()["id"]
    assert ordinary != message["id"]
    post.send(message)
    post.arrive()
    assert post.graph.get(f"{post.path}/messages/{ordinary}").status_code == 404
    assert post.graph.get(f"{post.path}/messages/{message['id'].swapcase()}").status_code == 404


def test_even_an_immutable_id_may_change_and_the_message_is_found_by_its_property(post):
    post.control.post("/switches", json={"sent_id_changes": True}).raise_for_status()
    message = post.draft(singleValueExtendedProperties=[{"id": OURS, "value": "mail-7"}])
    post.send(message)
    post.arrive()
    assert post.get(message).status_code == 404
    wanted = f"singleValueExtendedProperties/any(ep: ep/id eq '{OURS}' and ep/value eq 'mail-7')"
    found = post.graph.get(
        f"{post.path}/messages",
        params={"$filter": wanted, "$expand": f"singleValueExtendedProperties($filter=id eq '{OURS}')"},
        headers=IMMUTABLE,
    ).json()["value"]
    assert [one["singleValueExtendedProperties"] for one in found] == [[{"id": OURS, "value": "mail-7"}]]
    other = wanted.replace("mail-7", "mail-8")
    assert post.graph.get(f"{post.path}/messages", params={"$filter": other}).json()["value"] == []


@pytest.mark.parametrize(("again", "status", "received"), [(True, 202, 2), (False, 400, 1)])
def test_a_second_send_sends_again_or_is_refused(post, again, status, received):
    post.control.post("/switches", json={"second_send_sends_again": again}).raise_for_status()
    message = post.draft()
    post.send(message)
    post.arrive()
    assert post.graph.post(f"{post.path}/messages/{message['id']}/send").status_code == status
    assert len(post.inbox_of_ada()) == received


def test_one_body_is_kept_and_its_text_is_made_of_its_html(post):
    message = post.draft()
    assert message["body"]["contentType"] == "html"
    assert 'http-equiv="Content-Type"' in message["body"]["content"]
    answer = post.graph.get(
        f"{post.path}/messages/{message['id']}", headers={"Prefer": 'outlook.body-content-type="text"'}
    )
    assert answer.json()["body"] == {"contentType": "text", "content": "Please tell us<https://pods.example/f>."}
    assert answer.headers["Preference-Applied"] == 'outlook.body-content-type="text"'


def test_internet_headers_are_custom_ones_and_five_at_most(post):
    def refusal(headers: list[dict]) -> str:
        answer = post.graph.post(f"{post.path}/messages", json={"internetMessageHeaders": headers})
        assert answer.status_code == 400
        return answer.json()["error"]["code"]

    assert (
        refusal([{"name": "List-Unsubscribe", "value": "<https://pods.example>"}]) == "InvalidInternetMessageHeader"
    )
    six = [{"name": f"x-pods-{at}", "value": "1"} for at in range(6)]
    assert refusal(six) == "InvalidInternetMessageHeaderCollection"
    message = post.draft(internetMessageHeaders=six[:5])
    assert "internetMessageHeaders" not in post.get(message).json()
    assert post.get(message, **{"$select": "internetMessageHeaders"}).json()["internetMessageHeaders"] == six[:5]
    post.send(message)
    post.arrive()
    assert post.inbox_of_ada()[0]["headers"] == six[:5]


def test_pictures_travel_inside_the_draft_and_large_files_are_refused(post):
    picture = {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": "chart.png",
        "contentType": "image/png",
        "contentBytes": "iVBORw0KGgo=",
        "isInline": True,
        "contentId": "chart",
    }
    message = post.draft(attachments=[picture])
    assert message["hasAttachments"] is False
    file = {**picture, "name": "notes.txt", "isInline": False}
    assert post.graph.post(f"{post.path}/messages/{message['id']}/attachments", json=file).status_code == 201
    assert [one["name"] for one in post.get(message, **{"$expand": "attachments"}).json()["attachments"]] == [
        "chart.png",
        "notes.txt",
    ]
    large = {**file, "contentBytes": "AAAA" * (1024 * 1024)}
    assert post.graph.post(f"{post.path}/messages/{message['id']}/attachments", json=large).status_code == 413
    post.send(message)
    post.arrive()
    assert [one["content_id"] for one in post.inbox_of_ada()[0]["attachments"]] == ["chart", "chart"]


def test_send_mail_answers_nothing_and_keeps_a_copy_unless_told_otherwise(post):
    message = {
        "subject": "Hello",
        "body": {"contentType": "Text", "content": "One\nTwo"},
        "toRecipients": [{"emailAddress": {"address": post.ada.mail}}],
    }
    for keep in (True, "false"):
        answer = post.graph.post(f"{post.path}/sendMail", json={"message": message, "saveToSentItems": keep})
        assert (answer.status_code, answer.content) == (202, b"")
    post.arrive()
    assert len(post.folder("sentitems")) == 1
    assert [one["text"] for one in post.inbox_of_ada()] == ["One\nTwo", "One\nTwo"]


def test_mail_to_nobody_comes_back_and_mail_to_other_companies_does_not(post):
    for address in (f"nobody@{post.tenant.domain}", "grace@customer.example.com"):
        post.send(post.draft(address))
    post.arrive()
    (failure,) = post.folder("inbox")
    assert failure["subject"] == "Undeliverable: How was it?"
    assert post.graph.post(f"{post.path}/messages", json={"toRecipients": [{"emailAddress": {}}]}).status_code == 400


def test_out_of_office_answers_once_unless_it_is_suppressed(post):
    now = post.tenant.clock.now()
    away = {"starts": now.isoformat(), "ends": now.replace(year=now.year + 1).isoformat(), "message": "In the hills"}
    post.control.patch(f"/people/{post.ada.mail}", json={"out_of_office": away}).raise_for_status()
    post.send(post.draft(singleValueExtendedProperties=[{"id": SUPPRESS, "value": "48"}]))
    post.arrive()
    assert post.folder("inbox") == []
    for _ in range(2):
        post.send(post.draft())
        post.arrive()
    (reply,) = post.folder("inbox")
    assert reply["subject"] == "Automatic reply: How was it?"
    assert reply["from"]["emailAddress"]["address"] == post.ada.mail


def test_only_mailboxes_of_ours_can_be_read_or_written(post):
    path = f"/users/{post.ada.id}"
    codes = [
        post.graph.get(f"{path}/messages").status_code,
        post.graph.post(f"{path}/messages", json={"subject": "x"}).status_code,
        post.graph.post(f"{path}/sendMail", json={"message": {"subject": "x"}}).status_code,
    ]
    assert codes == [403, 403, 403]
    message = post.draft(**{"from": {"emailAddress": {"address": post.ada.mail}}})
    assert post.graph.post(f"{post.path}/messages/{message['id']}/send").status_code == 403


def test_what_was_sent_can_be_marked_but_not_rewritten(post):
    message = post.draft()
    path = f"{post.path}/messages/{message['id']}"
    assert post.graph.patch(path, json={"subject": "Other"}).json()["subject"] == "Other"
    post.send(message)
    post.arrive()
    assert post.graph.patch(path, json={"subject": "Again"}).status_code == 400
    assert post.graph.patch(path, json={"isRead": False}).json()["isRead"] is False
    assert post.graph.delete(path).status_code == 204
    assert [one["subject"] for one in post.folder("deleteditems")] == ["Other"]
    assert post.graph.delete(path).status_code == 204
    assert post.graph.get(path).status_code == 404


def test_messages_have_the_shapes_of_the_published_schema(post):
    contract = load_contract()
    message = post.draft(singleValueExtendedProperties=[{"id": OURS, "value": "1"}])
    path = f"{post.path}/messages/{message['id']}"
    answers = [
        post.graph.get(f"{post.path}/messages"),
        post.graph.get(
            path, params={"$expand": f"singleValueExtendedProperties($filter=id eq '{OURS}'),attachments"}
        ),
        post.graph.patch(path, json={"categories": ["pods"]}),
        post.graph.get(f"{post.path}/mailFolders"),
        post.graph.get(f"{post.path}/mailFolders/Inbox"),
        post.graph.get(f"{post.path}/mailFolders/drafts/messages/delta"),
        post.graph.post(f"{path}/send"),
        post.graph.get(path),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 200, 202, 404]
    assert [one for answer in answers for one in violations(contract, answer)] == []
