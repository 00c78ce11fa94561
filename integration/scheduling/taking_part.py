"""One person in or out of a program, with what follows for its pods, told before it is done.

Whoever is taken out leaves the program's pods: only they are mailed, a cancellation for each series that they are
invited to. Adding them again brings them back into the pod they were in last, if it still meets: only they are
invited. What was attended and answered stays either way.

An exception, a meeting that was moved or answered on its own, keeps attendees of its own in Outlook: it costs one
mail more, whether somebody comes or goes (https://learn.microsoft.com/graph/api/event-update).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import Conflict
from integration.language import lazy, ngettext
from integration.people.models import Person
from integration.scheduling.drift.drifts import left_out
from integration.scheduling.membership import exceptions_to_come, join_pod, leave_pod, running
from integration.scheduling.models import Pod, PodMember, Program, ProgramMember, Series
from integration.scheduling.programs import add_members, lock_program


@dataclass(frozen=True)
class Following:
    """What follows: the pods that are left or joined again, and how many mails the person gets. Nobody else gets any.

    ``changes`` is False when the person is in (or out) already. ``apart``: how many of the mails are about a single
    meeting, as far as Outlook was read.
    """

    changes: bool
    pods: tuple[str, ...] = ()
    mails: int = 0
    apart: int = 0


def preview_removal(session: Session, program: Program, person: Person, *, now: datetime) -> Following:
    """What follows from taking somebody out; nothing is changed."""
    pods = [each.pod for each in _memberships(session, program, person) if each.left_at is None]
    on_them = [series for pod in pods for series in running(pod, at=now) if _is_invited(series, person)]
    whole, apart = _mails(session, on_them, person, now=now)
    return Following(
        changes=_membership(session, program, person) is not None,
        pods=tuple(pod.name for pod in pods),
        mails=whole + apart,
        apart=apart,
    )


def remove_member(session: Session, program: Program, person: Person, *, now: datetime) -> Following:
    """Take somebody out of a program and its pods; taken out before: changes nothing."""
    lock_program(session, program.id)
    following = preview_removal(session, program, person, now=now)
    member = _membership(session, program, person)
    if member is None:
        return following
    session.delete(member)
    for each in _memberships(session, program, person):
        if each.left_at is None:
            leave_pod(session, each, at=now)
    session.flush()
    session.expire(program, ["members"])
    return following


def preview_addition(
    session: Session, program: Program, person: Person, *, now: datetime, may_mail: bool
) -> Following:
    """What follows from adding somebody; nothing is changed. Raises Conflict for somebody who has left."""
    if not person.is_here:
        raise Conflict(
            lazy("%(name)s has left the company.", name=person.name),
            remedy=lazy("Bring the roster up to date first."),
        )
    pod = _last_pod(session, program, person, now=now)
    whole, apart = _mails(session, running(pod, at=now) if pod and may_mail else [], person, now=now)
    return Following(
        changes=_membership(session, program, person) is None,
        pods=(pod.name,) if pod else (),
        mails=whole + apart,
        apart=apart,
    )


def add_member(session: Session, program: Program, person: Person, *, now: datetime, may_mail: bool) -> Following:
    """Let somebody take part, in the pod they were in last if it still meets; in it already: changes nothing."""
    lock_program(session, program.id)
    following = preview_addition(session, program, person, now=now, may_mail=may_mail)
    if not following.changes:
        return following
    pod = _last_pod(session, program, person, now=now)
    session.expire(program, ["members"])
    add_members(session, program, [person])
    if pod is not None:
        join_pod(session, pod, person, now=now)
    return following


def apart_words(following: Following) -> str:
    """Why it is more than one mail, in the language that is spoken; empty when no single meeting costs one."""
    if not following.apart:
        return ""
    return ngettext(
        "%(n)s of them is about a meeting that was moved or answered on its own.",
        "%(n)s of them are about meetings that were moved or answered on their own.",
        following.apart,
    )


def _membership(session: Session, program: Program, person: Person) -> ProgramMember | None:
    wanted = select(ProgramMember).where(ProgramMember.program_id == program.id)
    return session.scalar(wanted.where(ProgramMember.participant_id == person.participant_id))


def _memberships(session: Session, program: Program, person: Person) -> Sequence[PodMember]:
    wanted = select(PodMember).join(Pod).where(Pod.program_id == program.id)
    return session.scalars(wanted.where(PodMember.participant_id == person.participant_id)).all()


def _last_pod(session: Session, program: Program, person: Person, *, now: datetime) -> Pod | None:
    """The pod that somebody left last, if it still meets; None as well for somebody who is in one."""
    known = _memberships(session, program, person)
    left = [(each.left_at, each.pod) for each in known if each.left_at is not None]
    if not left or len(left) < len(known):
        return None
    pod = max(left, key=lambda pair: pair[0])[1]
    return pod if running(pod, at=now) else None


def _is_invited(series: Series, person: Person) -> bool:
    """Whether Outlook has them on the series, so that taking them off tells them."""
    return series.invited_at is not None and any(
        each.participant_id == person.participant_id and each.is_wanted and not each.held for each in series.attendees
    )


def _mails(session: Session, several: Sequence[Series], person: Person, *, now: datetime) -> tuple[int, int]:
    """How many mails somebody gets who comes to these series or goes: about whole series, and about single meetings.

    Where somebody took them off in Outlook, nothing is written before that is decided.
    """
    whole = apart = 0
    for series in several:
        out = left_out(session, series.id)
        whole += (None, person.mail) not in out
        apart += sum((one.id, person.mail) not in out for one in exceptions_to_come(series, at=now))
    return whole, apart
