"""Drafts in a sender's mailbox: found again, and removed when nobody wants them any more, lest somebody sends them.

Run again, removing finds the draft gone: https://learn.microsoft.com/graph/api/message-delete
"""

from __future__ import annotations

from sqlalchemy import delete

from integration.graph.errors import NotFound
from integration.graph.resources import Message
from integration.log import get_logger
from integration.mail.models import OldDraft
from integration.tools import Tools

log = get_logger(__name__)

# The first takes it into Deleted Items, from where it could still be sent; the second takes it out of there.
DELETIONS = 2


def find_message(tools: Tools, sender: str, *, message_id: str | None, tag: str) -> Message | None:
    """A draft or a sent mail: by its id, or by our tag, since an id can change on the way to Sent Items."""
    if message_id is not None:
        try:
            return tools.graph.mail.get_message(sender, message_id)
        except NotFound:
            log.info("message not under its id", tag=tag)
    return tools.graph.mail.find_by_tag(sender, tag)


def remove_draft(tools: Tools, draft_id: int) -> None:
    """Remove the draft that a settled mail left; what left the mailbox meanwhile stays, gone already is done."""
    with tools.database.reading() as session:
        draft = session.get(OldDraft, draft_id)
    if draft is None:
        return
    if draft.sender in tools.settings.own_mailboxes:
        _remove(tools, draft)
    with tools.database.transaction() as session:
        session.execute(delete(OldDraft).where(OldDraft.id == draft_id))  # by whoever comes first


def _remove(tools: Tools, draft: OldDraft) -> None:
    for _deletion in range(DELETIONS):
        found = find_message(tools, draft.sender, message_id=draft.message_id, tag=draft.tag)
        if found is None:
            return
        if not found.is_draft:
            log.warning("old draft was sent", mail_id=draft.mail_id)
            return
        tools.graph.mail.delete_message(draft.sender, found.id)
    log.info("old draft removed", mail_id=draft.mail_id)
