"""What a message of the outbox is about, in words: the pod, the person or the mailbox behind a task and an id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.language import Lazy, lazy
from integration.mail.models import Inbox, Mail, OldDraft
from integration.outbox import Message
from integration.people.models import Person
from integration.scheduling.models import Occurrence, Plan, Pod, Program, ProgramLeader, Series
from integration.webhooks.models import MailboxSync, Subscription

TASKS: Mapping[str, Lazy] = {
    "series.push": lazy("Write a series to Outlook"),
    "series.cancel": lazy("Cancel a series in Outlook"),
    "series.pull": lazy("Read a series from Outlook"),
    "series.repair": lazy("Put a series back in Outlook"),
    "occurrence.freeze": lazy("Note who is invited"),
    "occurrence.collect": lazy("Read the attendance reports"),
    "occurrence.ask": lazy("Ask for feedback"),
    "occurrence.ask_met": lazy("Ask whether the pod met"),
    "mail.send": lazy("Send a mail"),
    "draft.remove": lazy("Remove an old draft"),
    "inbox.read": lazy("Read what was sent to us"),
    "letter.purge": lazy("Throw away a message that was done"),
    "subscription.ensure": lazy("Keep a subscription to notifications"),
    "notifications.heed": lazy("Heed notifications"),
    "notification.open": lazy("Open a notification about a call"),
    "call_record.read": lazy("Read the record of a call"),
    "mailbox.sweep": lazy("Read a calendar again"),
    "summary.compile": lazy("Write a weekly summary"),
    "guide.send": lazy("Send the facilitator’s guide"),
    "plan.draft": lazy("Draft a plan"),
    "person.resolve": lazy("Look somebody up in the directory"),
    "doctor.run": lazy("Check every permission"),
    "announcement.deliver": lazy("Tell a receiver of an event"),
}


@dataclass(frozen=True)
class Subject:
    """The thing behind a message; ``program_id`` None: of none; ``page`` is the endpoint of its page, if any."""

    label: str
    program_id: int | None = None
    page: str = ""
    parts: Mapping[str, int] = field(default_factory=dict)  # of that page's address


Found = dict[int, Subject]
Finder = Callable[[Session, Sequence[int]], Found]


def task_words(task: str) -> str:
    """A task as people call it; one without words by its own name."""
    return str(TASKS.get(task, task))


def subjects_of(session: Session, messages: Iterable[Message]) -> dict[int, Subject]:
    """What each message (by its id) is about, in one query per kind of thing; rows that are gone say so."""
    by_kind: defaultdict[str, list[Message]] = defaultdict(list)
    for message in messages:
        by_kind[message.kind].append(message)
    found: dict[int, Subject] = {}
    for kind, group in by_kind.items():
        known = _known(session, kind, [int(each.subject) for each in group if each.subject.isdigit()])
        for message in group:
            key = int(message.subject) if message.subject.isdigit() else 0
            found[message.id] = known.get(key) or Subject(f"{kind} {message.subject}")
    return found


def _known(session: Session, kind: str, ids: Sequence[int]) -> Found:
    finder = FINDERS.get(kind)
    return finder(session, ids) if finder and ids else {}


def _series(session: Session, ids: Sequence[int]) -> Found:
    wanted = select(Series.id, Pod.id, Pod.name, Program.id, Program.name).join(Series.pod).join(Pod.program)
    rows = session.execute(wanted.where(Series.id.in_(ids)))
    return {key: _pod(pod, name, program, title) for key, pod, name, program, title in rows}


def _occurrences(session: Session, ids: Sequence[int]) -> Found:
    wanted = select(Occurrence.id, Pod.id, Pod.name, Program.id, Program.name)
    wanted = wanted.join(Occurrence.series).join(Series.pod).join(Pod.program)
    rows = session.execute(wanted.where(Occurrence.id.in_(ids)))
    return {key: _pod(pod, name, program, title) for key, pod, name, program, title in rows}


def _pod(pod_id: int, pod: str, program_id: int, program: str) -> Subject:
    return Subject(f"{pod}, {program}", program_id, "pods.show", {"pod_id": pod_id})


def _plans(session: Session, ids: Sequence[int]) -> Found:
    rows = session.execute(select(Plan.id, Program.id, Program.name).join(Plan.program).where(Plan.id.in_(ids)))
    return {key: Subject(name, program, "plans.show", {"plan_id": key}) for key, program, name in rows}


def _leaders(session: Session, ids: Sequence[int]) -> Found:
    wanted = select(ProgramLeader.id, Program.id, Program.name, Person.name)
    rows = session.execute(
        wanted.join(ProgramLeader.program).join(ProgramLeader.person).where(ProgramLeader.id.in_(ids))
    )
    return {
        key: Subject(f"{leader}, {name}", program, "programs.show", {"program_id": program})
        for key, program, name, leader in rows
    }


def _mails(session: Session, ids: Sequence[int]) -> Found:
    rows = session.execute(select(Mail.id, Mail.to_name, Mail.subject).where(Mail.id.in_(ids)))
    return {key: Subject(f"{name}: {subject}") for key, name, subject in rows}


def _drafts(session: Session, ids: Sequence[int]) -> Found:
    wanted = select(OldDraft.id, Mail.to_name, Mail.subject).join(OldDraft.mail).where(OldDraft.id.in_(ids))
    return {key: Subject(f"{name}: {subject}") for key, name, subject in session.execute(wanted)}


def _people(session: Session, ids: Sequence[int]) -> Found:
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {key: Subject(name, None, "people.show", {"person_id": key}) for key, name in rows}


def _inboxes(session: Session, ids: Sequence[int]) -> Found:
    rows = session.execute(select(Inbox.id, Inbox.address).where(Inbox.id.in_(ids)))
    return {key: Subject(address) for key, address in rows}


def _mailboxes(session: Session, ids: Sequence[int]) -> Found:
    rows = session.execute(select(MailboxSync.id, MailboxSync.mailbox).where(MailboxSync.id.in_(ids)))
    return {key: Subject(mailbox) for key, mailbox in rows}


def _subscriptions(session: Session, ids: Sequence[int]) -> Found:
    wanted = select(Subscription.id, Subscription.mailbox, Subscription.topic).where(Subscription.id.in_(ids))
    return {key: Subject(mailbox or topic) for key, mailbox, topic in session.execute(wanted)}


FINDERS: Mapping[str, Finder] = {
    "series": _series,
    "occurrence": _occurrences,
    "guide": _occurrences,
    "plan": _plans,
    "summary": _leaders,
    "mail": _mails,
    "draft": _drafts,
    "person": _people,
    "inbox": _inboxes,
    "mailbox": _mailboxes,
    "subscription": _subscriptions,
    "notifications": _subscriptions,
}
