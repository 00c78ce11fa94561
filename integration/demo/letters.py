"""How people read the mails of the product: every link is opened once, as mail scanners do; some answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx

from integration.demo.behaviour import feedback_of
from integration.errors import PodsError
from integration.language import lazy

LINK = re.compile(r'href="([^"]+)"')
FEEDBACK, MET = "/feedback/", "/feedback/met/"


class Form(HTMLParser):
    """The first form of a page: where it is sent, and what it would send as it was opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = given.get("action") or ""
        chosen = tag == "input" and (given.get("type") not in ("radio", "checkbox") or "checked" in given)
        if chosen and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""


@dataclass(frozen=True)
class Said:
    """What somebody answered to "did you meet?", as they know it themselves: of which mail, and "yes" or "no"."""

    reader: str
    subject: str
    answer: str


class Readers:
    """Reads new letters as their recipients. ``at`` puts an act on the agenda; ``scores`` are the answers posted, and
    ``said`` those to "did you meet?"; both are noted when the product has taken them."""

    def __init__(
        self, *, seed: int, at: Callable[[datetime, Callable[[], None]], None], met: Callable[[str], str | None]
    ) -> None:
        self._seed, self._at, self._met = seed, at, met
        self._http = httpx.Client(timeout=30, follow_redirects=True)
        self._questions: Counter[str] = Counter()
        self._answered: set[str] = set()
        self.scores: list[int] = []
        self.said: list[Said] = []

    def close(self) -> None:
        self._http.close()

    def read(self, letter: dict[str, Any], *, now: datetime) -> None:
        """Open every link as a scanner does, then perhaps decide to answer."""
        links = [unescape(link) for link in LINK.findall(letter["body_html"] or "")]
        ours = [link for link in dict.fromkeys(links) if FEEDBACK in link]
        if letter["kind"] != "mail" or not ours:
            return
        for link in ours[:2]:  # two are enough to show that a GET changes nothing
            self._http.get(link).raise_for_status()
        reader = letter["recipients"][0]
        if MET in ours[0]:
            self._decide_whether_met(ours, reader, letter["subject"], now=now)
        else:
            self._decide_score(ours, reader, now=now)

    def _decide_score(self, links: list[str], reader: str, *, now: datetime) -> None:
        question = links[0].partition("?")[0]
        if question in self._answered:
            return
        self._questions[reader] += 1
        decided = feedback_of(reader, str(self._questions[reader]), seed=self._seed)
        if decided is None:
            self._answered.add(question)  # somebody who does not answer does not answer the reminder either
            return
        score, after = decided
        self._answered.add(question)
        link = next(link for link in links if re.search(rf"[?&]\w+={score}\b", link))
        self._at(now + after, lambda: self._send_score(link, score))

    def _send_score(self, link: str, score: int) -> None:
        self._send(link)
        self.scores.append(score)

    def _decide_whether_met(self, links: list[str], reader: str, subject: str, *, now: datetime) -> None:
        answer = self._met(subject)
        if answer is None:
            return
        link = next(link for link in links if re.search(rf"[?&]\w+={answer}\b", link))
        said = Said(reader, subject, answer)
        self._at(now + timedelta(hours=2), lambda: self._send_said(link, said))

    def _send_said(self, link: str, said: Said) -> None:
        self._send(link)
        self.said.append(said)

    def _send(self, link: str) -> None:
        page = self._http.get(link).raise_for_status()
        form = Form(page.text)
        if form.action is None:
            raise PodsError(
                lazy("The page behind a mail's link has no form (%(page)s).", page=page.url.path.split("/")[1])
            )
        self._http.post(str(page.url.join(form.action or str(page.url))), data=form.fields).raise_for_status()
