"""A roster as spreadsheets write it (pure): CSV in UTF-8 with or without BOM, comma, semicolon or tab.

Good lines are kept, bad ones are named with their number and the reason; so are columns that nobody knows.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from integration.errors import InputRefused
from integration.language import gettext as _
from integration.language import lazy

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "full name", "display name"),
    "mail": ("mail", "e mail", "email", "mail address", "address"),
    "role": ("role", "job title", "title"),
    "department": ("department", "team"),
    "manager_mail": ("manager", "manager mail", "manager email"),
    "employed_on": ("start date", "employed on", "hired on", "start"),
    "teaches": ("skills taught", "teaches", "teach"),
    "wants": ("skills wanted", "wants", "learns"),
    "time_zone": ("time zone", "timezone", "zone"),
    "language": ("language", "locale"),
    "competent_on": ("competent on", "milestone on", "competency date"),
    "other_mails": ("other addresses", "other mails", "aliases"),
}
NEEDED = ("name", "mail")
LONGEST_TEXT = 200
LONGEST_MAIL = 320  # RFC 5321, 4.5.3.1: 64 for the local part, 255 for the domain, and the sign between
MAIL = re.compile(r"[^@\s<>\"',;:()\[\]\\]+@[^@\s<>\"',;:()\[\]\\.]+(\.[^@\s<>\"',;:()\[\]\\.]+)+")
FORMULA = "=+-@|%\t\r"  # what a spreadsheet takes for the beginning of a formula
DATES = ("%Y-%m-%d", "%d.%m.%Y")


@dataclass(frozen=True)
class RefusedLine:
    number: int  # 1-based, as an editor shows it; the header is line 1
    reason: str


@dataclass(frozen=True)
class RosterLine:
    """One person of the file. A field that is None was empty; ``columns`` are those the file has at all."""

    number: int
    mail: str
    name: str
    columns: frozenset[str]
    role: str | None = None
    department: str | None = None
    manager_mail: str | None = None
    employed_on: date | None = None
    competent_on: date | None = None
    time_zone: str | None = None
    language: str | None = None
    teaches: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    other_mails: tuple[str, ...] = ()


@dataclass(frozen=True)
class RosterFile:
    lines: tuple[RosterLine, ...]
    refused: tuple[RefusedLine, ...]
    unknown_columns: tuple[str, ...]


class _Refused(Exception):
    """Why a line cannot be used."""


def read_lines(path: Path) -> list[str]:
    """The lines of a roster file, with their line ends; raises InputRefused when it cannot be read as UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputRefused(
            lazy("%(file)s cannot be read: %(why)s.", file=str(path), why=str(error.strerror)),
            remedy=lazy("Name a file that is there and that we may read."),
        ) from error
    return lines_of(content, name=path.name)


def lines_of(content: bytes, *, name: str) -> list[str]:
    """The lines of a file called ``name``, with their line ends; raises InputRefused when it is not UTF-8 text."""
    if not content.strip():
        raise InputRefused(lazy("%(name)s is empty.", name=name), remedy=_first_line())
    if b"\0" in content or content.startswith(b"\x89PNG"):
        raise InputRefused(lazy("%(name)s is not a text file.", name=name), remedy=_save_as())
    try:
        return content.decode("utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        if _is_windows_1252(content):
            raise InputRefused(lazy("%(name)s is Windows-1252, not UTF-8.", name=name), remedy=_save_as()) from error
        raise InputRefused(lazy("%(name)s is not UTF-8.", name=name), remedy=_save_as()) from error


def parse_roster(lines: Iterable[str]) -> RosterFile:
    """Everybody in the file whose line can be used.

    Raises InputRefused when name or mail is no column, or when quotes that nobody closes swallow the file.
    """
    try:
        return _parse(lines)
    except csv.Error as error:
        raise InputRefused(
            lazy("The roster cannot be read as CSV: %(reason)s.", reason=error),
            remedy=lazy("Look for quotes that are opened and never closed."),
        ) from error


def _parse(lines: Iterable[str]) -> RosterFile:
    text = list(lines)
    header = text[0].removeprefix("\ufeff") if text else ""
    records = csv.reader([header, *text[1:]], delimiter=_delimiter(header))
    names, unknown = _columns(next(records, []))
    good: dict[str, RosterLine] = {}
    refused: list[RefusedLine] = []
    for number, cells in _numbered(records):
        try:
            line = _line(number, cells, names)
            _refuse_double(line, good)
            good[line.mail] = line
        except _Refused as reason:
            refused.append(RefusedLine(number, str(reason)))
    return RosterFile(tuple(good.values()), tuple(refused), unknown)


def _save_as() -> str:
    return _('Save it as "CSV UTF-8" and try again.')


def _first_line() -> str:
    names = ", ".join(aliases[0] for aliases in COLUMNS.values())
    return _("Its first line names the columns, such as %(names)s.", names=names)


def _is_windows_1252(content: bytes) -> bool:
    """What spreadsheets on Windows call plain "CSV": letters with accents, and no control characters."""
    if any(byte < 32 and byte not in b"\t\r\n" for byte in content):
        return False
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _columns(header: list[str]) -> tuple[list[str | None], tuple[str, ...]]:
    """Our name of each column (None where we know none), and the names that are unknown."""
    known = {alias: column for column, aliases in COLUMNS.items() for alias in aliases}
    names = [known.get(re.sub(r"[\s_-]+", " ", cell).strip().lower()) for cell in header]
    for needed in NEEDED:
        if needed not in names:
            raise InputRefused(lazy("The roster has no column '%(column)s'.", column=needed), remedy=_first_line())
    doubles = {name for name in names if name and names.count(name) > 1}
    if doubles:
        raise InputRefused(
            lazy("The roster has the column '%(column)s' twice.", column=min(doubles)),
            remedy=lazy("Remove one of them."),
        )
    unknown = tuple(cell.strip() for cell, name in zip(header, names, strict=True) if name is None and cell.strip())
    return names, unknown


def _numbered(records: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Records that are not empty, with the number of the line on which each begins."""
    before = 1
    for cells in records:
        number, before = before + 1, records.line_num  # type: ignore[attr-defined]
        if any(cell.strip() for cell in cells):
            yield number, cells


def _line(number: int, cells: list[str], names: list[str | None]) -> RosterLine:
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        told = _(
            "has %(n)s cells, the header %(m)s: put quotes around text with separators", n=len(cells), m=len(names)
        )
        raise _Refused(told)
    found = {name: _inert(cell) for name, cell in zip(names, cells, strict=False) if name is not None}
    if not found.get("name"):
        raise _Refused(_("has no name"))
    return RosterLine(
        number=number,
        mail=_mail(found.get("mail", ""), "mail"),
        name=found["name"],
        columns=frozenset(name for name in names if name),
        role=found.get("role") or None,
        department=found.get("department") or None,
        manager_mail=_mail(found["manager_mail"], "manager") if found.get("manager_mail") else None,
        employed_on=_date(found.get("employed_on", ""), "start date"),
        competent_on=_date(found.get("competent_on", ""), "competent on"),
        time_zone=_zone(found.get("time_zone", "")),
        language=found.get("language") or None,
        teaches=_skills(found.get("teaches", "")),
        wants=_skills(found.get("wants", "")),
        other_mails=tuple(_mail(part, "other addresses") for part in _parts(found.get("other_mails", ""))),
    )


def _inert(cell: str) -> str:
    """One line of text that no spreadsheet will take for a formula when it is exported again."""
    text = " ".join(cell.split()).lstrip(FORMULA).strip()
    if len(text) > LONGEST_TEXT + LONGEST_MAIL:
        raise _Refused(_("has a cell of %(n)s characters", n=len(text)))
    return "".join(letter for letter in text if letter.isprintable())


def _mail(text: str, column: str) -> str:
    mail = text.strip().lower()
    if not mail:
        raise _Refused(_("has no %(column)s", column=column))
    if len(mail) > LONGEST_MAIL or not MAIL.fullmatch(mail):
        raise _Refused(_("has the %(column)s '%(text)s', which is no address", text=text, column=column))
    return mail


def _date(text: str, column: str) -> date | None:
    if not text:
        return None
    for pattern in DATES:
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007 (a date has no zone)
        except ValueError:
            continue
    raise _Refused(_("has the %(column)s '%(text)s': write it like 2026-12-31", text=text, column=column))


def _zone(text: str) -> str | None:
    if not text:
        return None
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _Refused(_("has the time zone '%(zone)s': write it like Europe/Zurich", zone=text)) from error


def _skills(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(skill.lower() for part in _parts(text) if (skill := _inert(part))))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;|]", text) if part.strip()]


def _refuse_double(line: RosterLine, good: Mapping[str, RosterLine]) -> None:
    first = good.get(line.mail)
    if first is not None:
        raise _Refused(_("names %(mail)s again, who is in line %(line)s", mail=line.mail, line=first.number))
