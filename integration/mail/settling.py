"""What a person says became of an unclear mail: it arrived, it is to be sent once more, or it is given up.

Where it did not arrive its draft may still lie in the sender's mailbox: a worker removes it (``jobs_drafts``).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from integration import outbox
from integration.errors import Conflict
from integration.language import lazy
from integration.mail.mails import ERASED, new_tag
from integration.mail.models import CANCELLED, SENT, UNCLEAR, WAITING, Mail, OldDraft
from integration.mail.quiet import after_quiet_hours
from integration.outbox import Task


class Settlement(StrEnum):
    """What a person decides about a mail of which nobody could tell whether it left."""

    ARRIVED = "arrived"
    AGAIN = "again"
    GIVEN_UP = "given-up"


def settle(session: Session, mail_id: int, settlement: Settlement, *, now: datetime) -> Mail:
    """Settle an unclear mail, once: of two people who do so, the second gets Conflict, and nothing changes.

    Sent again it becomes a new draft under a new tag, so that the one nobody could find is not taken for it: the
    person may then get it twice. Raises Conflict as well when it is to go again to somebody who left or was erased.
    """
    mail = session.get(Mail, mail_id, with_for_update=True, populate_existing=True)
    if mail is None or mail.state != UNCLEAR:
        raise Conflict(
            lazy("Mail %(mail)s is not unclear any more.", mail=mail_id), remedy=lazy("Nothing is left to decide.")
        )
    if settlement is Settlement.ARRIVED:
        mail.state, mail.sent_at = SENT, mail.sending_since or now
    elif settlement is Settlement.GIVEN_UP:
        _leave_draft(session, mail)
        mail.state = CANCELLED
    else:
        _send_again(session, mail, now=now)
    session.flush()
    return mail


def _send_again(session: Session, mail: Mail, *, now: datetime) -> None:
    person = mail.participant.person
    if person is None or not person.is_here:
        raise Conflict(
            lazy("Whom mail %(mail)s was for is no longer here.", mail=mail.id), remedy=lazy("Give the mail up.")
        )
    if mail.html == ERASED:
        raise Conflict(lazy("What mail %(mail)s said was erased.", mail=mail.id), remedy=lazy("Give the mail up."))
    _leave_draft(session, mail)
    # The count of sends goes on: a worker that slept through all this does not take the new draft for its own.
    mail.state, mail.due_at = WAITING, after_quiet_hours(now, person.time_zone)
    mail.tag, mail.sender, mail.message_id, mail.sending_since = new_tag(), None, None, None


def _leave_draft(session: Session, mail: Mail) -> None:
    """Have the draft removed that the row names now."""
    if mail.sender is None:
        return
    draft = OldDraft(mail_id=mail.id, sender=mail.sender, tag=mail.tag, message_id=mail.message_id)
    session.add(draft)
    session.flush()
    outbox.add(session, Task.DRAFT_REMOVE, draft.id)
