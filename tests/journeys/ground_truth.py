"""The figures of a pilot, computed from what really happened in the tenant: nothing here knows the product.

Standard library and HTTP only. The definitions are those of docs/definitions.md, written a second time on purpose.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.request import urlopen

GERMAN_MONTHS = {2: "Februar", 3: "März", 4: "April", 5: "Mai"}  # in which pilots are played
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=60)
THRESHOLD, TOGETHER = timedelta(minutes=10), timedelta(minutes=5)
KIND_CASES = {"room": "shares a room", "phone": "on the phone", "guest": "brings a guest"}

Span = tuple[datetime, datetime]


@dataclass
class PodTruth:
    """One pod's sums; ``unknown`` counts occurrences without a call."""

    invited: int = 0
    attended: int = 0
    came: Counter[str] = field(default_factory=Counter)  # how often each person attended
    held: int = 0
    unknown: int = 0
    seconds: float = 0.0
    held_with_call: int = 0
    first: datetime | None = None
    last: datetime | None = None


def ask(tenant_url: str, path: str) -> Any:
    with urlopen(f"{tenant_url}{path}") as answer:
        return json.load(answer)


def pods_of(tenant_url: str, said: Iterable[tuple[str, str, str]]) -> dict[str, PodTruth]:
    """Sums per pod. ``said``: what people say they answered to "did you meet?", as (address, subject, yes or no)."""
    calls, letters = ask(tenant_url, "/control/calls"), ask(tenant_url, "/control/messages")
    answers = _answers(said, letters)
    found: dict[str, PodTruth] = {}
    for series in ask(tenant_url, "/control/events"):
        name = series["subject"].rpartition(": ")[2]
        pod = found.setdefault(name, PodTruth())
        mine = [call for call in calls if call["join_url"] in series["join_urls"]]
        mails = [letter for letter in letters if letter["subject"].endswith(series["subject"])]
        for instance in series["instances"]:
            answer = next((answers[subject] for subject in _questions(name, instance) if subject in answers), None)
            _count(pod, instance, mine, mails, answer)
    return found


def awkward_cases(tenant_url: str) -> set[str]:
    """What was out of the ordinary, in the words of the demonstration, from calls, replies and accounts alone."""
    calls, people = ask(tenant_url, "/control/calls"), ask(tenant_url, "/control/people")
    found = {KIND_CASES[who["kind"]] for call in calls for who in call["participants"] if who["kind"] in KIND_CASES}
    for series in ask(tenant_url, "/control/events"):
        mine = [call for call in calls if call["join_url"] in series["join_urls"]]
        windows = [_window(instance) for instance in series["instances"]]
        met = [bool(_stays(mine, window)) for window in windows]
        if not all(met):
            found.add("meets in person" if any(met) else "never meets")
        found = found.union(*(_cases_of_stays(mine, window) for window in windows))
        found |= {"declines once" for instance in series["instances"] if _is_declined_alone(instance, series)}
    return found | {"leaves" for person in people if person["kind"] == "person" and not person["enabled"]}


def _cases_of_stays(calls: list[dict[str, Any]], window: Span) -> set[str]:
    found: set[str] = set()
    for who in (who for call in calls for who in call["participants"]):
        stays = [(*_span_of(stay), stay["device"]) for stay in who["intervals"]]
        stays = sorted(stay for stay in stays if window[0] <= stay[0] < window[1])
        if stays and stays[0][0] >= window[0] + BEFORE + timedelta(minutes=10):
            found.add("late")
        if len({device for _, _, device in stays}) > 1:
            found.add("two devices")
        elif len(_union([(joined, left) for joined, left, _ in stays])) > 1:
            found.add("rejoins")
    return found


def _is_declined_alone(instance: dict[str, Any], series: dict[str, Any]) -> bool:
    """Whether somebody who did not decline the series declined this meeting of it."""
    always = {each["address"]: each["response"] for each in series["attendees"]}
    return any(
        each["response"] == "declined" and always.get(each["address"], "declined") != "declined"
        for each in instance["attendees"]
    )


def _count(
    pod: PodTruth,
    instance: dict[str, Any],
    calls: list[dict[str, Any]],
    mails: list[dict[str, Any]],
    answer: str | None,
) -> None:
    window = _window(instance)
    starts = window[0] + BEFORE
    pod.first = min(pod.first or starts, starts)
    pod.last = max(pod.last or starts, starts)
    invited = _invited(mails, at=starts)
    stays = _stays(calls, window)
    if not stays:
        _declare(pod, len(invited), answer)
        return
    pod.invited += len(invited)
    came = [mail for mail in invited if _length(_union(stays.get(mail, []))) >= THRESHOLD]
    pod.attended += len(came)
    pod.came.update(came)
    together = _together([_union(spans) for spans in stays.values()])
    if together >= TOGETHER:
        pod.held += 1
        pod.held_with_call += 1
        pod.seconds += together.total_seconds()


def _invited(mails: list[dict[str, Any]], *, at: datetime) -> set[str]:
    """Who had an invitation at an instant, and had not been uninvited: read from the mails that Outlook sent."""
    invited: set[str] = set()
    for mail in sorted(mails, key=lambda mail: str(mail["sent_at"])):
        if datetime.fromisoformat(mail["sent_at"]) > at:
            break
        who = {address.lower() for address in mail["recipients"]}
        if mail["kind"] == "meetingRequest":
            invited |= who
        if mail["kind"] == "meetingCancelled":
            invited -= who
    return invited


def _declare(pod: PodTruth, invited: int, answer: str | None) -> None:
    """Who came to an occurrence without a call is unknown, unless its facilitator said no: then it is nought of n."""
    pod.held += answer == "yes"
    pod.invited += invited if answer == "no" else 0
    pod.unknown += answer != "no"


def _answers(said: Iterable[tuple[str, str, str]], letters: list[dict[str, Any]]) -> dict[str, str]:
    """The last answer to each question, by its subject; nobody can have answered a mail that never reached them."""
    delivered = {(letter["recipients"][0], letter["subject"]) for letter in letters if letter["kind"] == "mail"}
    answers: dict[str, str] = {}
    for reader, subject, answer in said:
        assert (reader, subject) in delivered, f"{reader} never got {subject!r}"
        answers[subject] = answer
    return answers


def _questions(pod: str, instance: dict[str, Any]) -> list[str]:
    """The subjects that a question about a meeting can have, in whatever zone and language its day was written."""
    starts = datetime.fromisoformat(instance["starts_at"])
    days = [starts + timedelta(days=shift) for shift in (-1, 0, 1)]
    english = [f"{pod}, {day.day} {day:%B}: did you meet?" for day in days]
    return english + [f"{pod}, {day.day}. {GERMAN_MONTHS[day.month]}: Haben Sie sich getroffen?" for day in days]


def _window(instance: dict[str, Any]) -> Span:
    starts, ends = (datetime.fromisoformat(instance[key]) for key in ("starts_at", "ends_at"))
    return starts - BEFORE, ends + AFTER


def _span_of(stay: dict[str, Any]) -> Span:
    return datetime.fromisoformat(stay["joined_at"]), datetime.fromisoformat(stay["left_at"])


def _stays(calls: list[dict[str, Any]], window: Span) -> dict[str, list[Span]]:
    """Everybody's presence inside the window, by address, or by name for those without one."""
    stays: dict[str, list[Span]] = defaultdict(list)
    for call in calls:
        for who in call["participants"]:
            for stay in who["intervals"]:
                joined, left = _span_of(stay)
                joined, left = max(joined, window[0]), min(left, window[1])
                if joined < left:
                    stays[(who["person"] or who["name"]).lower()].append((joined, left))
    return stays


def _union(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for joined, left in sorted(spans):
        if merged and joined <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(left, merged[-1][1]))
        else:
            merged.append((joined, left))
    return merged


def _length(spans: list[Span]) -> timedelta:
    return sum((left - joined for joined, left in spans), timedelta())


def _together(people: list[list[Span]]) -> timedelta:
    """How long two or more were there: a sweep over everybody's comings and goings."""
    moves = sorted((at, step) for spans in people for span in spans for at, step in zip(span, (1, -1), strict=True))
    present, since, total = 0, None, timedelta()
    for at, step in moves:
        if present >= 2 and since is not None:
            total += at - since
        present, since = present + step, at
    return total
