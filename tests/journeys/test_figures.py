"""The demonstration's figures are those of what really happened in the tenant, and the same for the same seed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from integration.demo.closing import write_results
from integration.demo.play import played
from integration.demo.stage import Stage
from tests.journeys.ground_truth import PodTruth, ask, pods_of

PEOPLE, WEEKS, SEED = 24, 3, 7
CHECKER = Path(__file__).parents[3] / "shared" / "graph" / "contract" / "check_traffic.py"


class Pilot:
    """A pilot that was played: the stage still stands, and its files are written."""

    def __init__(self, on: Stage, summary: dict[str, Any], folder: Path, traffic: Path) -> None:
        self.on, self.summary, self.folder, self.traffic = on, summary, folder, traffic
        self.program = summary["programs"][0]
        self.truth = pods_of(on.tenant_url, said_met={"Pod 01": 1}, said_not={"Pod 06": 2})

    def total(self, name: str) -> float:
        return sum(getattr(pod, name) for pod in self.truth.values())


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    folder = tmp_path_factory.mktemp("pilot")
    traffic = folder / "traffic.jsonl"
    console = Console(quiet=True)
    with played(people=PEOPLE, weeks=WEEKS, seed=SEED, record=traffic, ports=None, console=console) as (on, found):
        write_results(on, found, folder)
        assert found.parked == 0
        yield Pilot(on, json.loads((folder / "summary.json").read_text(encoding="utf-8")), folder, traffic)


def test_attendance_of_every_pod_is_that_of_the_tenant(pilot: Pilot) -> None:
    told = {pod["name"]: pod for pod in pilot.program["pods"]}
    assert set(told) == set(pilot.truth)
    for name, truth in pilot.truth.items():
        rate = told[name]["participation"]
        assert (name, rate["invited"], rate["attended"]) == (name, truth.invited, truth.attended)
        assert (name, told[name]["held"], rate["unknown_occurrences"]) == (name, truth.held, truth.unknown)


def test_the_programs_figures_are_those_of_the_tenant(pilot: Pilot) -> None:
    rate = pilot.program["participation"]
    assert (rate["attended"], rate["invited"]) == (pilot.total("attended"), pilot.total("invited"))
    assert rate["value"] == rate["low"] == pilot.total("attended") / pilot.total("invited")
    assert rate["high"] == (rate["attended"] + rate["unknown_people"]) / rate["invited"]
    assert rate["unknown_occurrences"] == pilot.total("unknown") > 0
    assert pilot.program["held"] == pilot.total("held")
    days = sum(pod_days(pod) for pod in pilot.truth.values())
    assert pilot.program["frequency_per_28_days"] == pytest.approx(pilot.total("held") * 28 / days)
    minutes = pilot.total("seconds") / pilot.total("held_with_call") / 60
    assert pilot.program["mean_duration_minutes"] == pytest.approx(minutes, abs=1 / 60)


def pod_days(pod: PodTruth) -> float:
    assert pod.first is not None
    assert pod.last is not None
    return (pod.last - pod.first + timedelta(days=7)) / timedelta(days=1)


def test_what_is_not_known_is_null_and_never_nought(pilot: Pilot) -> None:
    assert set(pilot.summary["shadow_shifts"].values()) == {None}
    assert pilot.program["time_to_competency"]["verdict"] in ("met", "not met", "undecided")


def test_everybody_got_one_invitation_and_one_question_per_session(pilot: Pilot) -> None:
    letters = ask(pilot.on.tenant_url, "/control/messages")
    invitations = Counter(letter["recipients"][0] for letter in letters if letter["kind"] == "meetingRequest")
    assert set(invitations.values()) == {1}
    assert len(invitations) == PEOPLE
    questions = Counter(
        (letter["recipients"][0], letter["subject"])
        for letter in letters
        if letter["subject"].endswith("how was it?")
    )
    assert set(questions.values()) == {1}
    assert pilot.summary["mails"]["invitation"] == PEOPLE
    first_questions = [subject for _, subject in questions if subject.startswith("Pod")]
    assert pilot.program["satisfaction"]["asked"] == len(first_questions) == pilot.total("attended")


def test_the_awkward_cases_really_occurred(pilot: Pilot) -> None:
    calls = ask(pilot.on.tenant_url, "/control/calls")
    kinds = {who["kind"] for call in calls for who in call["participants"]}
    assert {"member", "phone", "room", "guest"} <= kinds
    stays = [who["intervals"] for call in calls for who in call["participants"]]
    assert any(len({stay["device"] for stay in each}) == 2 for each in stays)
    assert "never meets" in pilot.summary["people"]
    gone = [person for person in ask(pilot.on.tenant_url, "/control/people") if not person["enabled"]]
    assert [person["kind"] for person in gone].count("person") == 1


def test_there_is_one_mail_of_each_kind_as_file_and_as_page(pilot: Pilot) -> None:
    kinds = {path.stem for path in (pilot.folder / "mail").glob("*.eml")}
    assert kinds >= {"feedback-request", "feedback-reminder", "facilitator-guide", "weekly-summary", "did-you-meet"}
    assert kinds == {path.stem for path in (pilot.folder / "mail").glob("*.html")}
    mail = message_from_bytes((pilot.folder / "mail" / "weekly-summary.eml").read_bytes(), policy=default)
    parts = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    assert sorted(parts) == ["image/png", "text/html", "text/plain"]
    assert str(mail["List-Unsubscribe"]).strip().startswith("<http")
    picture = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    html = (pilot.folder / "mail" / "weekly-summary.html").read_text(encoding="utf-8")
    assert f"cid:{picture['Content-ID'].strip('<>')}" in html
    assert 'alt="Participation by week' in html


def test_the_traffic_is_as_microsoft_publishes_it(pilot: Pilot) -> None:
    if not CHECKER.exists():
        pytest.skip("the contract checker is not beside this checkout")
    checked = subprocess.run(
        [sys.executable, str(CHECKER), str(pilot.traffic)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout[-2000:]
    exchanges = int((checked.stdout + checked.stderr).splitlines()[-1].split()[0])
    assert exchanges == len(pilot.traffic.read_text(encoding="utf-8").splitlines()) > 300


@pytest.mark.parametrize(("seed", "same"), [(SEED, True), (SEED + 1, False)])
def test_the_same_seed_gives_the_same_figures_and_another_seed_others(pilot: Pilot, seed: int, same: bool) -> None:
    console = Console(quiet=True)
    with played(people=PEOPLE, weeks=WEEKS, seed=seed, record=None, ports=None, console=console) as (_, again):
        assert (json.loads(json.dumps(again.summary["programs"])) == pilot.summary["programs"]) is same
