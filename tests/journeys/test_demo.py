"""`pods demo`, run as a visitor runs it: its figures, its mails as files, and what it said to Graph."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import pytest

PEOPLE, WEEKS = 12, 3
LONGEST_SECONDS = 300
CHECKER = Path(__file__).parents[3] / "shared" / "graph" / "contract" / "check_traffic.py"
KINDS = {"feedback-request", "feedback-reminder", "facilitator-guide", "weekly-summary", "did-you-meet"}
COHORT = {"median_days", "low", "high", "n", "censored"}
PROGRAM = {
    "name": set[str](),
    "participation": {"value", "low", "high", "attended", "invited", "unknown_occurrences"},
    "held": set[str](),
    "frequency_per_28_days": set[str](),
    "mean_duration_minutes": set[str](),
    "satisfaction": {"value", "n"},
    "time_to_competency": {"baseline", "pilot", "verdict"},
    "pods": set[str](),
}
SHADOW_SHIFTS = {"offered", "booked", "completed", "cancelled", "no_show", "waiting"}

pytestmark = pytest.mark.xdist_group("demo")


@dataclass(frozen=True)
class Demo:
    """What the command left behind."""

    printed: str
    folder: Path
    traffic: Path
    summary: dict[str, Any]

    @property
    def program(self) -> dict[str, Any]:
        return self.summary["programs"][0]


class Page(HTMLParser):
    """The pictures and links of a mail."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pictures: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.pictures.append(dict(attrs))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    traffic, out = folder / "t.jsonl", folder / "out"
    command = [sys.executable, "-m", "integration.cli", "demo", "--no-serve"]
    command += ["--record", str(traffic), "--out", str(out), "--people", str(PEOPLE), "--weeks", str(WEEKS)]
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS, env=environ)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return Demo(done.stdout + done.stderr, out, traffic, summary)


def mail_of(demo: Demo, kind: str) -> EmailMessage:
    content = (demo.folder / "mail" / f"{kind}.eml").read_bytes()
    return cast(EmailMessage, message_from_bytes(content, policy=default))


def test_every_figure_that_is_promised_is_there(demo: Demo) -> None:
    assert {"programs", "mails", "shadow_shifts", "people", "graph_requests", "seconds"} <= set(demo.summary)
    for name, parts in PROGRAM.items():
        assert name in demo.program
        assert parts <= set(demo.program[name] if parts else ()), name
    for cohort in ("baseline", "pilot"):
        assert set(demo.program["time_to_competency"][cohort]) >= COHORT
    assert set(demo.summary["shadow_shifts"]) == SHADOW_SHIFTS
    assert demo.summary["graph_requests"] > 0
    assert demo.summary["seconds"] > 0


def test_figures_are_fractions_that_nobody_has_rounded(demo: Demo) -> None:
    rate = demo.program["participation"]
    assert rate["value"] == rate["attended"] / rate["invited"]
    assert rate["low"] <= rate["value"] <= rate["high"] <= 1
    for pod in demo.program["pods"]:
        known = pod["participation"]
        assert known["value"] == (known["attended"] / known["invited"] if known["invited"] else None)


def test_what_is_not_known_is_null_and_never_nought(demo: Demo) -> None:
    assert set(demo.summary["shadow_shifts"].values()) == {None}  # the demonstration plays none
    (silent,) = [pod for pod in demo.program["pods"] if pod["held"] == 0]
    assert silent["mean_duration_minutes"] is None
    rate = silent["participation"]
    assert rate["unknown_occurrences"] + rate["known_occurrences"] == WEEKS
    assert rate["unknown_occurrences"] > 0
    assert rate["value"] == (0 if rate["known_occurrences"] else None)  # a denied meeting is known: nought of n


def test_a_case_is_named_only_when_the_pilot_was_long_enough_for_it(demo: Demo) -> None:
    assert "never meets" in demo.summary["people"]
    assert "declines once" not in demo.summary["people"]  # would be in week four


def test_there_is_a_mail_of_each_kind_as_file_and_as_page(demo: Demo) -> None:
    files = {path.name for path in (demo.folder / "mail").iterdir()}
    assert files == {f"{kind}{end}" for kind in KINDS for end in (".eml", ".html")}
    assert set(demo.summary["mails"]) >= KINDS | {"invitation"}
    assert demo.summary["mails"]["invitation"] == PEOPLE


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_mail_can_be_read_without_html_and_without_seeing(demo: Demo, kind: str) -> None:
    mail = mail_of(demo, kind)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert len(text.get_content().split()) > 20
    shown = html.get_content()
    enclosed = {str(part["Content-ID"]).strip("<>") for part in mail.walk() if part["Content-ID"]}
    pictures = Page(shown).pictures
    assert {str(picture["src"]).removeprefix("cid:") for picture in pictures} == enclosed
    assert all(str(picture["src"]).startswith("cid:") and picture["alt"] for picture in pictures)
    page = (demo.folder / "mail" / f"{kind}.html").read_text(encoding="utf-8")
    assert page.split() == shown.split()


def test_the_summary_has_a_picture_and_can_be_unsubscribed_from(demo: Demo) -> None:
    mail = mail_of(demo, "weekly-summary")
    assert [part.get_content_type() for part in mail.walk() if part["Content-ID"]] == ["image/png"]
    assert "http" in str(mail["List-Unsubscribe"])


def test_nothing_is_left_for_a_person_to_look_at(demo: Demo) -> None:
    assert "parked" not in demo.printed
    assert "Traceback" not in demo.printed


def test_what_was_said_to_graph_is_as_microsoft_publishes_it(demo: Demo) -> None:
    if not CHECKER.exists():
        pytest.skip("the contract checker is not beside this checkout")
    with demo.traffic.open(encoding="utf-8") as lines:
        exchanges = sum(1 for _ in lines)
    checked = subprocess.run(
        [sys.executable, str(CHECKER), str(demo.traffic)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout[-2000:]
    assert (checked.stdout + checked.stderr).splitlines()[-1].startswith(f"{exchanges} ")
    assert exchanges == demo.summary["graph_requests"] > 100
