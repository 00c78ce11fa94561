"""A mail as a file that every mail program opens: HTML and plain text, pictures inside (RFC 2045, 2387, 2392)."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from integration.mail.mails import Content


def eml_of(content: Content, *, sender: str, to_address: str, to_name: str, sent_at: datetime, tag: str) -> bytes:
    """The bytes of an ``.eml``; ``tag`` makes the Message-ID, so that the same mail gives the same file.

    What leaves through Exchange has the HTML only: a second body cannot be stored there.
    """
    message = EmailMessage(policy=SMTP)
    message["Subject"] = content.subject
    message["From"] = Address("Learning Pods", addr_spec=sender)
    message["To"] = Address(to_name, addr_spec=to_address)
    message["Date"] = sent_at
    message["Message-ID"] = f"<{tag}@{sender.rpartition('@')[2]}>"
    if content.list_unsubscribe:
        message["List-Unsubscribe"] = f"<{content.list_unsubscribe}>"
    message.set_content(content.text)
    message.add_alternative(content.html, subtype="html")
    _add_pictures(message, content)
    return message.as_bytes()


def _add_pictures(message: EmailMessage, content: Content) -> None:
    parts = message.get_payload()
    assert isinstance(parts, list)
    html = parts[1]
    assert isinstance(html, EmailMessage)
    for picture in content.pictures:
        kind, _, subtype = picture.content_type.partition("/")
        html.add_related(
            picture.content,
            maintype=kind,
            subtype=subtype,
            cid=f"<{picture.content_id}>",
            filename=picture.name,
            disposition="inline",
        )
