"""Messages as a mailbox keeps them: one body, headers and properties, an id that moves and one that stays."""

import html
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from html.parser import HTMLParser
from typing import Literal

Kind = Literal[
    "mail",
    "meetingRequest",
    "meetingUpdate",
    "meetingCancelled",
    "meetingResponse",
    "meetingForwarded",
    "nonDelivery",
    "autoReply",
]


@dataclass(frozen=True)
class Address:
    name: str
    address: str


@dataclass
class Attachment:
    """A file in a message. `content` is what was sent, base64."""

    id: str
    name: str
    content_type: str
    content: str
    size: int
    is_inline: bool
    content_id: str | None
    modified_at: datetime


@dataclass(frozen=True)
class MeetingPart:
    """What makes a message a meeting message. Instants are UTC, None where the calendar did not say."""

    message_type: str
    event_uid: str | None = None
    event_type: str = "singleInstance"
    response: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    proposed: tuple[datetime, datetime] | None = None


@dataclass
class Message:
    """`folder` is a well-known name, or "transit": then it is nowhere to be found.

    `rest_id` changes with every move between folders, `immutable_id` does not.
    """

    immutable_id: str
    rest_id: str
    folder: str
    subject: str
    body: str
    body_type: Literal["html", "text"]
    created_at: datetime
    modified_at: datetime
    conversation_id: str
    internet_message_id: str
    sender: Address | None = None
    to: list[Address] = field(default_factory=list)
    cc: list[Address] = field(default_factory=list)
    bcc: list[Address] = field(default_factory=list)
    reply_to: list[Address] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    importance: str = "normal"
    is_draft: bool = False
    is_read: bool = False
    sent_at: datetime | None = None
    received_at: datetime | None = None
    kind: Kind = "mail"
    meeting: MeetingPart | None = None
    version: int = 1
    leaves_at: datetime | None = None
    keep: bool = True

    @property
    def recipients(self) -> list[Address]:
        return [*self.to, *self.cc, *self.bcc]

    @property
    def stored_html(self) -> str:
        """What GET answers for contentType html, whatever the sender wrote."""
        return stored_html(self.body) if self.body_type == "html" else text_as_html(self.body)

    @property
    def text(self) -> str:
        return derived_text(self.body) if self.body_type == "html" else self.body


_META = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'


@lru_cache(maxsize=4096)
def stored_html(body: str) -> str:
    """HTML as Exchange gives it back: wrapped when it was a fragment, with its own Content-Type in the head."""
    if not re.search(r"<html[\s>]", body, re.I):
        return f"<html><head>\r\n{_META}</head><body>{body}</body></html>"
    if re.search(r"http-equiv=.content-type", body, re.I):
        return body
    with_head = re.sub(r"(<head[^>]*>)", rf"\1\r\n{_META}", body, count=1, flags=re.I)
    return with_head if with_head != body else re.sub(r"(<html[^>]*>)", rf"\1<head>\r\n{_META}</head>", body, count=1)


def text_as_html(text: str) -> str:
    lines = "<br>\r\n".join(html.escape(text, quote=False).splitlines())
    return f'<html><head>\r\n{_META}</head><body><div class="PlainText">{lines}</div></body></html>'


@lru_cache(maxsize=4096)
def derived_text(body: str) -> str:
    """The text Exchange makes of HTML: lines for blocks, links behind their words in angle brackets."""
    parser = _Text()
    parser.feed(body)
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in "".join(parser.parts).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Text(HTMLParser):
    _BLOCKS = frozenset(
        [
            "p",
            "div",
            "br",
            "tr",
            "table",
            "ul",
            "ol",
            "li",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "blockquote",
            "hr",
            "section",
            "header",
            "footer",
        ]
    )
    _SILENT = frozenset(("head", "style", "script", "title"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._silent += tag in self._SILENT
        if tag == "li":
            self.parts.append("\n * ")
        elif tag in self._BLOCKS:
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")
        elif tag == "img" and (source := given.get("src") or "").startswith("cid:"):
            self.parts.append(f"[{source}]")
        if tag == "a":
            self._links.append(given.get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self._SILENT and self._silent > 0
        if tag in ("p", "table", "ul", "ol", "h1", "h2", "h3"):
            self.parts.append("\n")
        if tag == "a" and self._links and (link := self._links.pop()):
            self.parts.append(f"<{link}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(re.sub(r"\s+", " ", data))
