"""The text of an HTML mail, as Exchange and mail programs derive it: no layout, no hidden parts, each link once."""

from __future__ import annotations

import re
from html.parser import HTMLParser

SKIPPED = frozenset({"head", "style", "script", "title"})
BLOCKS = frozenset({"p", "div", "table", "tr", "ul", "ol", "blockquote", "section", "h1", "h2", "h3", "h4", "hr"})
VOID = frozenset({"br", "img", "hr", "meta", "link", "input", "col", "wbr"})
HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def text_of(html: str) -> str:
    """Plain text of a mail: paragraphs apart, cells side by side, "label: address" for a link, alt for a picture.

    An address that was shown before is not repeated.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipping: list[str] = []  # the open tags inside (and with) an element that is not shown
        self._link: str | None = None
        self._label_from = 0
        self._shown: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._skipping or tag in SKIPPED or HIDDEN.search(given.get("style", "")):
            self._skipping += [] if tag in VOID else [tag]
            return
        self._begin(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            if tag in self._skipping:
                del self._skipping[len(self._skipping) - 1 - self._skipping[::-1].index(tag) :]
            return
        if tag == "a":
            self._end_link()
        elif tag in ("td", "th"):
            self.parts.append(" ")
        elif tag in ("p", "h1", "h2", "h3", "h4"):
            self._break("\n\n")
        elif tag in BLOCKS or tag == "li":
            self._break("\n")

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.parts.append(re.sub(r"\s+", " ", data))

    def _begin(self, tag: str, given: dict[str, str]) -> None:
        if tag == "a":
            self._link, self._label_from = given.get("href"), len(self.parts)
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "li":
            self._break("\n")
            self.parts.append("- ")
        elif tag == "img":
            self.parts.append(given.get("alt", ""))
        elif tag in ("p", "h1", "h2", "h3", "h4"):
            self._break("\n\n")
        elif tag in BLOCKS:
            self._break("\n")

    def _break(self, ends: str) -> None:
        """End the line; layout tables nest deeply, and each level would otherwise leave an empty line behind."""
        written = "".join(self.parts[-2:]).rstrip(" ")
        if not self.parts:
            return
        if not written.endswith(ends):
            self.parts.append(ends[1:] if written.endswith("\n") else ends)

    def _end_link(self) -> None:
        label = " ".join("".join(self.parts[self._label_from :]).split())
        address, self._link = self._link, None
        if not address or address in self._shown or address.startswith("#"):
            return
        self._shown.add(address)
        plain = address.removeprefix("mailto:")
        if label != plain:
            self.parts.append(f": {plain}" if label else plain)
