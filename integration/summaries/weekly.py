"""What a leader reads on Monday: two or three figures with target, n and change, one win, one risk.

Pure: figures in, words out. Nothing about fewer than k people leaves this file as a figure (docs: definitions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integration.formats import listed, number, percent, signed
from integration.language import gettext as _
from integration.language import lazy, ngettext
from integration.metrics.figures import PodFigures, ProgramFigures
from integration.metrics.small_groups import in_words, shown

EARLIEST_WEEKS = 2  # before, a frequency per 28 days is a guess
MET, NOT_MET, TOO_EARLY = lazy("met"), lazy("not met"), lazy("too early to tell")


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


def _participation(now: ProgramFigures, before: ProgramFigures, *, targets: Targets, visible: bool) -> Kpi:
    rate, name = now.participation, _("Participation")
    target = _("%(figure)s or more", figure=percent(targets.participation))
    unknown = _uncounted(rate.unknown_occurrences)
    if not visible:
        people = ngettext("%(n)s person", "%(n)s people", now.people)
        return Kpi(name, _("too few people to tell"), target, str(TOO_EARLY), people, "", unknown)
    if rate.value is None:
        return Kpi(name, _("no attendance known yet"), target, str(TOO_EARLY), "", "", unknown)
    value = percent(rate.value)
    if rate.high is not None and percent(rate.high) != value:
        up_to = _("up to %(high)s if everybody who could not be identified was invited", high=percent(rate.high))
        unknown = f"{up_to}; {unknown}" if unknown else up_to
    invitations = ngettext(
        "%(attended)s of %(n)s invitation", "%(attended)s of %(n)s invitations", rate.invited, attended=rate.attended
    )
    n = f"{invitations}, {_meetings(rate.known_occurrences)}"
    change = _change(rate.value, before.participation.value)
    return Kpi(name, value, target, _verdict(now, targets), n, change, unknown)


def _verdict(now: ProgramFigures, targets: Targets) -> str:
    """Decided only when the interval over pods leaves no doubt; with few pods there is none."""
    interval = now.participation.interval
    if interval is None:
        return str(TOO_EARLY)
    if interval.low >= targets.participation:
        return str(MET)
    return str(NOT_MET if interval.high < targets.participation else TOO_EARLY)


def _frequency(now: ProgramFigures, before: ProgramFigures, *, targets: Targets) -> Kpi:
    frequency, name = now.frequency, _("Sessions per pod in four weeks")
    target = _("%(figure)s or more", figure=number(targets.sessions))
    unknown = _not_known_to_be_held(frequency.unknown)
    if frequency.value is None:
        return Kpi(name, _("no session yet"), target, str(TOO_EARLY), "", "", unknown)
    weeks = max((pod.held + pod.not_held + pod.unknown_occurrences for pod in now.pods), default=0)
    reached = MET if frequency.value >= targets.sessions else NOT_MET
    if weeks < EARLIEST_WEEKS or (reached is NOT_MET and frequency.unknown):
        reached = TOO_EARLY
    change = _difference(frequency.value, before.frequency.value)
    held = ngettext("%(held)s held by %(n)s pod", "%(held)s held by %(n)s pods", frequency.pods, held=frequency.held)
    return Kpi(name, number(frequency.value, 1), target, str(reached), held, change, unknown)


def _satisfaction(published: PublishedMean, *, k: int) -> Kpi:
    name, target = _("Satisfaction (1 to 5)"), _("no target")
    if published.mean is None:
        words = _("too few, or too alike, to show")
        return Kpi(name, words, target, str(TOO_EARLY), "", "", _("shown from %(least)s people on", least=k))
    answered = ngettext(
        "a mean in halves, %(n)s answer to %(asked)s questions",
        "a mean in halves, %(n)s answers to %(asked)s questions",
        published.n,
        asked=published.asked,
    )
    return Kpi(name, _("%(mean)s of 5", mean=number(published.mean)), target, "", answered, "", "")


def _pod(pod: PodFigures, *, visible: bool) -> str:
    words = in_words(pod)
    if visible and pod.participation.value is not None:
        invited = pod.participation.invited
        share = percent(pod.participation.value)
        of = ngettext("%(share)s of %(n)s invitation", "%(share)s of %(n)s invitations", invited, share=share)
        return f"{words}, {of}"
    return words


def _win(now: ProgramFigures, before: ProgramFigures) -> str:
    held = now.frequency.held - before.frequency.held
    met = sum(1 for pod in now.pods if pod.held)
    if not held:
        return _("No session was held in the past week, so there is no win to report.")
    sessions = ngettext("%(n)s session held in the past week", "%(n)s sessions held in the past week", held)
    if met == len(now.pods):
        return ngettext(
            "All %(n)s pod has met, %(sessions)s.", "All %(n)s pods have met, %(sessions)s.", met, sessions=sessions
        )
    return ngettext(
        "%(n)s of %(all)s pods has met, %(sessions)s.",
        "%(n)s of %(all)s pods have met, %(sessions)s.",
        met,
        all=len(now.pods),
        sessions=sessions,
    )


def _risk(pods: Sequence[PodFigures]) -> str:
    never = [pod.name for pod in pods if not pod.held and pod.not_held + pod.unknown_occurrences > 0]
    if never:
        return ngettext(
            "%(pods)s has not met so far as we know: a word with its members would help.",
            "%(pods)s have not met so far as we know: a word with its members would help.",
            len(never),
            pods=listed(never),
        )
    unknown = sum(pod.unknown_occurrences for pod in pods)
    if unknown:
        return ngettext(
            "%(n)s session of unknown attendance: the figures leave them out.",
            "%(n)s sessions of unknown attendance: the figures leave them out.",
            unknown,
        )
    missed = [pod.name for pod in pods if pod.not_held]
    if not missed:
        return _("Nothing stands out this week.")
    return ngettext("%(pods)s missed a session.", "%(pods)s missed a session each.", len(missed), pods=listed(missed))


def _meetings(count: int) -> str:
    return ngettext("%(n)s session", "%(n)s sessions", count) if count else ""


def _uncounted(count: int) -> str:
    if not count:
        return ""
    return ngettext(
        "%(n)s session of unknown attendance, not counted",
        "%(n)s sessions of unknown attendance, not counted",
        count,
    )


def _not_known_to_be_held(count: int) -> str:
    if not count:
        return ""
    return ngettext("%(n)s session not known to have been held", "%(n)s sessions not known to have been held", count)


def _difference(now: float, before: float | None) -> str:
    if before is None:
        return ""
    difference = round(now - before, 1)
    return _("as last week") if difference == 0 else _("%(change)s on last week", change=signed(difference, 1))


def _change(now: float, before: float | None) -> str:
    if before is None:
        return ""
    points = round((now - before) * 100)
    if points == 0:
        return _("as last week")
    return ngettext(
        "%(change)s point on last week", "%(change)s points on last week", abs(points), change=signed(points)
    )
