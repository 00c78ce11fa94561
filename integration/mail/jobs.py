"""Sending mails through Exchange, each once.

Graph has no key that makes a repeated send harmless, so a mail is first a draft with our tag, by which it is found
again after a crash; only then is it sent (https://learn.microsoft.com/graph/api/message-send). A process may die
between any two lines here, and two may run at once.
"""

from __future__ import annotations

from datetime import datetime

from integration.due import earliest
from integration.duties import Duty
from integration.errors import Conflict
from integration.graph.errors import Forbidden, NotFound, Rejected, Throttled
from integration.graph.resources import InlinePicture, MailDraft, Message
from integration.language import lazy
from integration.log import get_logger
from integration.mail import sending
from integration.mail.inboxes import expect_answers
from integration.mail.jobs_drafts import find_message, remove_draft
from integration.mail.mails import SEALED_MAIL
from integration.mail.models import DRAFTING, SENDING, WAITING, Mail
from integration.mail.posting import ask_again_due, post_due
from integration.mail.sending import Outgoing
from integration.sealing import unsealed
from integration.tools import Tools

log = get_logger(__name__)

__all__ = ["DUTIES", "look_for_mails", "post_mails", "remove_draft", "send_mail"]


def send_mail(tools: Tools, mail_id: int) -> None:
    """Bring one mail as far as it goes now; running again, or twice at once, sends it no second time."""
    with tools.database.transaction() as session:
        mail = sending.begin(session, mail_id)
    if mail is None:
        return
    if mail.state == DRAFTING:
        _send_first(tools, mail)
        return
    if mail.look_at is None or mail.look_at <= tools.clock.now():
        _look(tools, mail)


def post_mails(tools: Tools, now: datetime) -> int:
    """Give due mails their sender and turn; returns how many were posted."""
    with tools.database.transaction() as session:
        return post_due(session, tools.settings, now=now)


def look_for_mails(tools: Tools, now: datetime) -> int:
    """Look again for mails whose sending was not seen to end; returns how many."""
    with tools.database.transaction() as session:
        return ask_again_due(session, now=now)


DUTIES: tuple[Duty, ...] = (
    Duty("post mails", earliest(Mail.due_at, Mail.state == WAITING), post_mails),
    Duty("look for mails", earliest(Mail.look_at, Mail.state == SENDING), look_for_mails),
)


def _send_first(tools: Tools, mail: Outgoing) -> None:
    draft = None if mail.is_fresh else _find(tools, mail)
    if draft is not None and not draft.is_draft:
        _record_sent(tools, mail, draft)
        return
    if not mail.is_wanted:
        _cancel(tools, mail, draft)
        return
    draft = draft or tools.graph.mail.create_draft(mail.sender, _draft(tools, mail))
    with tools.database.transaction() as session:
        is_ours = sending.record_draft(session, mail, message_id=draft.id, now=tools.clock.now())
    if is_ours:
        _send(tools, mail, draft.id)
        return
    _discard_surplus(tools, mail, draft)


def _send(tools: Tools, mail: Outgoing, message_id: str) -> None:
    """Send the draft that the row names; only the worker that wrote "sending" into the row comes here."""
    try:
        message = tools.graph.mail.get_message(mail.sender, message_id)
        if message.is_draft:
            tools.graph.mail.send_draft(mail.sender, message_id)
    except (Throttled, Rejected, Forbidden):
        with tools.database.transaction() as session:
            sending.record_not_sent(session, mail)
        raise
    except NotFound:
        log.warning("draft not found", mail_id=mail.id)  # deleted, or sent and on its way: the look date decides
        return
    _record_sent(tools, mail, message)


def _look(tools: Tools, mail: Outgoing) -> None:
    """The last send was not seen to end: find out what became of it."""
    found, now = _find(tools, mail), tools.clock.now()
    if found is not None and not found.is_draft:
        _record_sent(tools, mail, found)
        return
    if found is None:
        with tools.database.transaction() as session:
            sending.look_later(session, mail, now=now)
        return
    if not mail.is_wanted:
        _withdraw(tools, mail, found)
        return
    with tools.database.transaction() as session:
        is_ours = sending.send_again(session, mail, message_id=found.id, now=now)
    if is_ours:
        _send(tools, mail, found.id)


def _find(tools: Tools, mail: Outgoing) -> Message | None:
    return find_message(tools, mail.sender, message_id=mail.message_id, tag=mail.tag)


def _record_sent(tools: Tools, mail: Outgoing, message: Message) -> None:
    with tools.database.transaction() as session:
        sending.record_sent(
            session,
            mail,
            sent_at=message.sent_at or tools.clock.now(),
            conversation_id=message.conversation_id,
            internet_message_id=message.internet_message_id,
        )
        expect_answers(session, mail.sender, now=tools.clock.now())
    log.info("mail sent", mail_id=mail.id)


def _cancel(tools: Tools, mail: Outgoing, draft: Message | None) -> None:
    if draft is not None:
        tools.graph.mail.delete_message(mail.sender, draft.id)
    with tools.database.transaction() as session:
        sending.cancel(session, mail)


def _withdraw(tools: Tools, mail: Outgoing, draft: Message) -> None:
    """The person left and the draft did not: it is not sent again. The row first, so that nobody else sends it."""
    with tools.database.transaction() as session:
        is_ours = sending.cancel(session, mail)
    if is_ours:
        tools.graph.mail.delete_message(mail.sender, draft.id)


def _discard_surplus(tools: Tools, mail: Outgoing, draft: Message) -> None:
    """Somebody else went on while we were creating: leave the draft that the row names, delete any other of ours."""
    with tools.database.reading() as session:
        row = session.get(Mail, mail.id)
        kept = row.message_id if row else None
    if kept != draft.id:
        tools.graph.mail.delete_message(mail.sender, draft.id)


def _draft(tools: Tools, mail: Outgoing) -> MailDraft:
    pictures = tuple(
        InlinePicture(each.content_id, each.content_type, each.content, each.name) for each in mail.content.pictures
    )
    return MailDraft(
        to_address=mail.to_address,
        to_name=mail.to_name,
        subject=mail.content.subject,
        body_html=_html(tools, mail),
        tag=mail.tag,
        pictures=pictures,
        reply_to=mail.content.reply_to or tools.settings.reply_to or mail.sender,
        list_unsubscribe=mail.content.list_unsubscribe,
    )


def _html(tools: Tools, mail: Outgoing) -> str:
    if not mail.content.is_sealed:
        return mail.content.html
    html = unsealed(mail.content.html, purpose=SEALED_MAIL, secret_key=tools.settings.secret_key)
    if html is None:
        raise Conflict(
            lazy("Mail %(mail)s was sealed with another SECRET_KEY.", mail=mail.id),
            remedy=lazy("Set SECRET_KEY to what it was, or give this line up: the message stands on the page Today."),
        )
    return html
