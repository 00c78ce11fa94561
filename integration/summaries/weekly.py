"""What a leader reads on Monday: two or three figures with target, n and change, one win, one risk.

Pure: figures in, words out. Nothing about fewer than k people leaves this file as a figure (docs: definitions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integration.metrics.figures import PodFigures, ProgramFigures
from integration.metrics.small_groups import in_words, shown

EARLIEST_WEEKS = 2  # before, a frequency per 28 days is a guess
MET, NOT_MET, TOO_EARLY = "met", "not met", "too early to tell"


@dataclass(frozen=True)
class Targets:
    """The program's targets: a fraction, and occurrences held per pod per 28 days."""

    participation: float
    sessions: float
    small_group: int


@dataclass(frozen=True)
class PublishedMean:
    """Satisfaction as leaders may see it: in halves, None where it may not be shown."""

    mean: float | None
    n: int
    asked: int


@dataclass(frozen=True)
class Kpi:
    """One figure in words; ``value`` already says when there is no figure, and why."""

    name: str
    value: str
    target: str
    verdict: str
    n: str
    change: str
    not_known: str


@dataclass(frozen=True)
class WeeklySummary:
    program: str
    kpis: tuple[Kpi, ...]
    pods: tuple[tuple[str, str], ...]  # name, what may be said of it
    win: str
    risk: str


def weekly_summary(
    now: ProgramFigures, before: ProgramFigures, *, published: PublishedMean, targets: Targets
) -> WeeklySummary:
    """The summary of a program; ``before`` are the figures a week earlier, for the change."""
    may_show = shown(now, k=targets.small_group)
    return WeeklySummary(
        program=now.name,
        kpis=(
            _participation(now, before, targets=targets, visible=may_show.program_shown),
            _frequency(now, before, targets=targets),
            _satisfaction(published, k=targets.small_group),
        ),
        pods=tuple((pod.name, _pod(pod, visible=pod.pod_id in may_show.pods_shown)) for pod in now.pods),
        win=_win(now, before),
        risk=_risk(now.pods),
    )


def percent(fraction: float) -> str:
    return f"{fraction:.0%}"


def _participation(now: ProgramFigures, before: ProgramFigures, *, targets: Targets, visible: bool) -> Kpi:
    rate = now.participation
    target = f"{percent(targets.participation)} or more"
    unknown = _meetings(rate.unknown_occurrences, "of unknown attendance, not counted")
    if not visible:
        return Kpi("Participation", "too few people to tell", target, TOO_EARLY, f"{now.people} people", "", unknown)
    if rate.value is None:
        return Kpi("Participation", "no attendance known yet", target, TOO_EARLY, "", "", unknown)
    value = percent(rate.value)
    if rate.high is not None and percent(rate.high) != value:
        up_to = f"up to {percent(rate.high)} if everybody who could not be identified was invited"
        unknown = f"{up_to}; {unknown}" if unknown else up_to
    n = f"{rate.attended} of {rate.invited} invitations, {_meetings(rate.known_occurrences, '')}"
    return Kpi(
        "Participation",
        value,
        target,
        _verdict(now, targets),
        n,
        _change(rate.value, before.participation.value),
        unknown,
    )


def _verdict(now: ProgramFigures, targets: Targets) -> str:
    """Decided only when the interval over pods leaves no doubt; with few pods there is none."""
    interval = now.participation.interval
    if interval is None:
        return TOO_EARLY
    if interval.low >= targets.participation:
        return MET
    return NOT_MET if interval.high < targets.participation else TOO_EARLY


def _frequency(now: ProgramFigures, before: ProgramFigures, *, targets: Targets) -> Kpi:
    frequency = now.frequency
    target = f"{targets.sessions:g} or more"
    unknown = _meetings(frequency.unknown, "not known to have been held")
    if frequency.value is None:
        return Kpi("Sessions per pod in four weeks", "no session yet", target, TOO_EARLY, "", "", unknown)
    weeks = max((pod.held + pod.not_held + pod.unknown_occurrences for pod in now.pods), default=0)
    reached = MET if frequency.value >= targets.sessions else NOT_MET
    if reached == NOT_MET and frequency.unknown:
        reached = TOO_EARLY
    change = _difference(frequency.value, before.frequency.value)
    return Kpi(
        "Sessions per pod in four weeks",
        f"{frequency.value:.1f}",
        target,
        reached if weeks >= EARLIEST_WEEKS else TOO_EARLY,
        f"{frequency.held} held by {frequency.pods} pods",
        change,
        unknown,
    )


def _satisfaction(published: PublishedMean, *, k: int) -> Kpi:
    name, target = "Satisfaction (1 to 5)", "no target"
    if published.mean is None:
        return Kpi(name, "too few, or too alike, to show", target, TOO_EARLY, "", "", f"shown from {k} people on")
    answered = f"a mean in halves, {published.n} answers to {published.asked} questions"
    return Kpi(name, f"{published.mean:g} of 5", target, "", answered, "", "")


def _pod(pod: PodFigures, *, visible: bool) -> str:
    words = in_words(pod)
    if visible and pod.participation.value is not None:
        return f"{words}, {percent(pod.participation.value)} of {pod.participation.invited} invitations"
    return words


def _win(now: ProgramFigures, before: ProgramFigures) -> str:
    held = now.frequency.held - before.frequency.held
    met = sum(1 for pod in now.pods if pod.held)
    if held and met == len(now.pods):
        return f"All {met} pods have met, {_meetings(held, 'held in the past week')}."
    if held:
        return f"{met} of {len(now.pods)} pods have met, {_meetings(held, 'held in the past week')}."
    return "No session was held in the past week, so there is no win to report."


def _risk(pods: Sequence[PodFigures]) -> str:
    never = [pod.name for pod in pods if not pod.held and pod.not_held + pod.unknown_occurrences > 0]
    if never:
        return f"{_names(never)} not met so far as we know: a word with its members would help."
    unknown = sum(pod.unknown_occurrences for pod in pods)
    if unknown:
        return f"{_meetings(unknown, 'of unknown attendance')}: the figures leave them out."
    missed = [pod.name for pod in pods if pod.not_held]
    return f"{_names(missed)} missed a session." if missed else "Nothing stands out this week."


def _names(names: Sequence[str]) -> str:
    return f"{names[0]} has" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} have"


def _meetings(count: int, words: str) -> str:
    return f"{count} session{'' if count == 1 else 's'} {words}".strip() if count else ""


def _difference(now: float, before: float | None) -> str:
    if before is None:
        return ""
    difference = round(now - before, 1)
    return "as last week" if difference == 0 else f"{difference:+.1f} on last week"


def _change(now: float, before: float | None) -> str:
    if before is None:
        return ""
    points = round((now - before) * 100)
    return "as last week" if points == 0 else f"{points:+d} points on last week"
