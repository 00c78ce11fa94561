"""A roster file between its upload and its import: it is looked at first, then imported, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from integration.errors import NotThere
from integration.language import lazy
from integration.people.models import RosterUpload
from integration.people.roster import RosterImport, import_roster, preview_roster
from integration.people.roster_file import COLUMNS, RefusedLine

KEPT_FOR = timedelta(hours=2)
EXAMPLE = (
    ("Ada Lovelace", "ada@example.com", "analyst", "research", "grace@example.com", "2026-09-01"),
    ("Alan Turing", "alan@example.com", "engineer", "research", "grace@example.com", "2024-02-15"),
)
EXAMPLE_MORE = (
    ("sql; excel", "python", "Europe/Zurich", "de", "", "ada.lovelace@example.com"),
    ("python", "sql", "Europe/London", "en", "2024-06-01", ""),
)


def keep_upload(
    session: Session, lines: Sequence[str], *, file_name: str, by: str, at: datetime, now: datetime
) -> RosterUpload:
    """Keep a file that can be used until it is imported; files that expired are deleted.

    ``at`` is an instant of the real clock, ``now`` of the other one. Raises InputRefused when the file as a whole
    cannot be used.
    """
    preview_roster(session, lines, now=now)
    forget_expired_uploads(session, at=at)
    upload = RosterUpload(
        file_name=file_name[:200], text="".join(lines), uploaded_by=by, uploaded_at=at, expires_at=at + KEPT_FOR
    )
    session.add(upload)
    session.flush()
    return upload


def upload_of(session: Session, upload_id: int, *, by: str, at: datetime, to_import: bool = False) -> RosterUpload:
    """Somebody's own upload, locked when it is to be imported; raises NotThere when it expired or is another's."""
    wanted = select(RosterUpload).where(
        RosterUpload.id == upload_id, RosterUpload.uploaded_by == by, RosterUpload.expires_at >= at
    )
    upload = session.scalar(wanted.with_for_update() if to_import else wanted)
    if upload is None:
        raise NotThere(lazy("roster file"), upload_id)
    return upload


def preview_of(session: Session, upload: RosterUpload, *, now: datetime) -> RosterImport:
    """What importing the file would do now; once it was imported, what it did."""
    if upload.outcome is None:
        return preview_roster(session, upload.text.splitlines(keepends=True), now=now)
    refused = tuple(RefusedLine(**line) for line in upload.outcome["refused"])
    return RosterImport(**{**upload.outcome, "refused": refused})


def forget_expired_uploads(session: Session, *, at: datetime) -> None:
    """Delete files that nobody can import any more, by the real clock."""
    session.execute(delete(RosterUpload).where(RosterUpload.expires_at < at))


def import_upload(session: Session, upload: RosterUpload, *, at: datetime, now: datetime) -> RosterImport | None:
    """Import the file and forget its text; None when that was done before."""
    if upload.imported_at is not None:
        return None
    done = import_roster(session, upload.text.splitlines(keepends=True), now=now)
    upload.text, upload.imported_at, upload.outcome = "", at, asdict(done)
    return done


def example_rows() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The header and lines of a roster that can be imported as it is."""
    header = tuple(names[0] for names in COLUMNS.values())
    return header, [first + more for first, more in zip(EXAMPLE, EXAMPLE_MORE, strict=True)]
