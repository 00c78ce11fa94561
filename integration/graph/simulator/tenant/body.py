"""Event bodies as Exchange stores them: HTML always, with the block Outlook adds for an online meeting."""

import re
from functools import lru_cache
from html import escape, unescape

from .events import OnlineMeeting

PREVIEW_LENGTH = 255
HEAD = (
    '<html>\r\n<head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n</head>\r\n<body>\r\n'
)
FOOT = "\r\n</body>\r\n</html>\r\n"
LINE_ENDS = re.compile(r"<(?:br\s*/?|/p|/div|/li|/h[1-6]|/tr)>", re.I)
UNSEEN = re.compile(r"<(head|style|script|title)\b.*?</\1>|<!--.*?-->", re.I | re.S)
TAG = re.compile(r"<[^>]+>")


def stored(content: str, *, is_html: bool) -> str:
    """What is kept of a body sent: a whole HTML page; an empty body stays empty."""
    if not content:
        return ""
    inner = content if is_html else escape(content, quote=False).replace("\n", "<br>\r\n")
    return inner if "<html" in inner.lower() else HEAD + inner + FOOT


def with_block(html: str, meeting: OnlineMeeting) -> str:
    """The body with the meeting's block at its end."""
    page = html or HEAD + FOOT
    at = page.lower().rfind("</body>")
    at = at if at >= 0 else len(page)
    return page[:at] + meeting.conference_block_html + page[at:]


def has_block(html: str, meeting: OnlineMeeting) -> bool:
    """Whether the join link still stands in the body."""
    return meeting.join_url in html or escape(meeting.join_url) in html or meeting.join_url in unescape(html)


@lru_cache(maxsize=4096)
def as_text(html: str) -> str:
    """The plain text Exchange derives from an HTML body."""
    lines = LINE_ENDS.sub("\n", UNSEEN.sub("", html.replace("\r\n", " ").replace("\n", " ")))
    text = unescape(TAG.sub("", lines)).replace("\xa0", " ")
    return "\r\n".join(re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n")).strip()


def preview(html: str) -> str:
    return as_text(html)[:PREVIEW_LENGTH]
