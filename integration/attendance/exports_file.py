"""An attendance export as Teams lets an organizer download it: from bytes to who was there when. Pure.

Forms: a list of actions (Full Name, User Action, Timestamp); a table of people (first join, last leave, duration); a
table of stays (join time, leave time); the latter two also as sections of one file. Whatever stands around the tables
is not read but kept as labels, among which the title of the meeting is found.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from integration.attendance.exports_times import Order, Written, orders_of, seconds_of, written
from integration.attendance.exports_words import LANGUAGES, Column, Header, header_of, is_enough
from integration.errors import InputRefused
from integration.language import gettext as _
from integration.language import lazy

LARGEST_BYTES = 512 * 1024  # about a thousand people, in UTF-16
MOST_LINES = 5_000
MOST_CELLS = 60  # of a line
LONGEST_CELL = 500
ADDRESS = "@"
LINE_END = re.compile(r"\r\n|\r|\n")  # nothing else: a name can hold other signs that Python would break a line at


@dataclass(frozen=True)
class Row:
    """One stay, or one person's first and last moment; ``seconds`` is their length without breaks, where told."""

    number: int  # of the line
    name: str
    addresses: tuple[str, ...]
    joined: Written | None  # None: was there already when a list began
    left: Written | None
    seconds: int | None


@dataclass(frozen=True)
class ExportFile:
    """What an export says. ``orders``: how its dates can be read; ``has_breaks``: whether stays are told apart."""

    language: str | None
    rows: tuple[Row, ...]
    labels: tuple[str, ...]
    orders: frozenset[Order]
    has_breaks: bool


class ColumnsUnknown(InputRefused):
    """No header that we can read: somebody has to say which column is which. ``table`` is what stands there."""

    def __init__(self, table: tuple[tuple[str, ...], ...]) -> None:
        super().__init__(
            _("The headers of this file are in a language that we do not read."),
            remedy=_("Say which column holds the name, the joining and the leaving."),
        )
        self.table = table


def read_export(content: bytes, *, columns: Mapping[Column, int] | None = None) -> ExportFile:
    """What a file says; ``columns`` are places (from 0) that somebody told, for headers we cannot read.

    Raises ColumnsUnknown, or InputRefused with what would be right.
    """
    lines = _lines(_text(content))
    labels = tuple(cells[1] for _number, cells in lines if len([cell for cell in cells if cell]) == 2 and cells[0])
    header, table = _told(lines, columns) if columns else _found(lines)
    rows = tuple(_actions(header, table) if header.is_list else _stays(header, table))
    if not rows:
        raise InputRefused(
            lazy("There is nobody in this file."), remedy=lazy("Download the report again, after the call.")
        )
    moments = [moment for row in rows for moment in (row.joined, row.left) if moment is not None]
    orders = orders_of(moments)
    if not orders or all(moment.date is None for moment in moments):
        raise InputRefused(
            lazy("The dates of this file cannot be read in one order."),
            remedy=lazy("Download it again, and do not save it in a spreadsheet in between."),
        )
    return ExportFile(header.language, rows, labels, orders, header.has_stays)


def _text(content: bytes) -> str:
    if len(content) > LARGEST_BYTES:
        raise InputRefused(
            lazy("This file is larger than %(n)s kB.", n=LARGEST_BYTES // 1024),
            remedy=lazy("Attendance exports of pods are smaller: choose the file that Teams wrote for one meeting."),
        )
    if not content.strip():
        raise InputRefused(lazy("This file is empty."), remedy=lazy("Download the report again, after the call."))
    try:
        text = content.decode(_encoding(content))
    except UnicodeDecodeError as error:
        raise InputRefused(lazy("This file is neither UTF-16 nor UTF-8."), remedy=_as_teams_wrote_it()) from error
    if any(ord(letter) < 32 and letter not in "\t\r\n" for letter in text):
        raise InputRefused(lazy("This is not a text file."), remedy=_as_teams_wrote_it())
    return text


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = content[:2_000]
    if head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"  # some programs leave the mark away
    return "utf-8-sig"


def _as_teams_wrote_it() -> str:
    return _("Choose the CSV file as Teams wrote it.")


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Each line with its number, as trimmed cells; empty ones are kept, for they end a table."""
    written_lines = LINE_END.split(text)
    if len(written_lines) > MOST_LINES:
        raise InputRefused(
            lazy("This file has more than %(n)s lines.", n=MOST_LINES),
            remedy=lazy("Choose the export of a single meeting."),
        )
    longest = MOST_CELLS * LONGEST_CELL
    for number, line in enumerate(written_lines, start=1):
        if len(line) > longest:
            raise _refused(number, _("is too long"))
    delimiter = max("\t,;", key=lambda sign: sum(line.count(sign) for line in written_lines[:50]))
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL  # Teams quotes nothing between tabs
    lines: list[tuple[int, list[str]]] = []
    for number, line in enumerate(written_lines, start=1):
        # Line by line: a quote that nobody closes ends with its line instead of swallowing the file.
        cells = [cell.strip() for row in csv.reader([line], delimiter=delimiter, quoting=quoting) for cell in row]
        _refuse_hostile(number, cells)
        lines.append((number, cells))
    return lines


def _refuse_hostile(number: int, cells: Sequence[str]) -> None:
    if len(cells) > MOST_CELLS:
        raise _refused(number, _("has %(n)s columns", n=len(cells)))
    if any(len(cell) > LONGEST_CELL for cell in cells):
        raise _refused(number, _("has a cell of more than %(n)s characters", n=LONGEST_CELL))


def _refused(number: int, why: str) -> InputRefused:
    return InputRefused(lazy("Line %(number)s %(why)s.", number=number, why=why), remedy=_as_teams_wrote_it())


def _found(lines: list[tuple[int, list[str]]]) -> tuple[Header, list[tuple[int, list[str]]]]:
    """The best table under a header we can read: stays before people, for they tell breaks."""
    tables = [
        (header, _table(lines, place + 1))
        for place, (_number, cells) in enumerate(lines)
        if (header := header_of(cells)) is not None
    ]
    filled = [one for one in tables if one[1]]
    if filled:
        return next((one for one in filled if one[0].has_stays), filled[0])
    if tables:
        return tables[0]
    raise ColumnsUnknown(tuple(tuple(cells) for _number, cells in _likeliest(lines)))


def _told(
    lines: list[tuple[int, list[str]]], columns: Mapping[Column, int]
) -> tuple[Header, list[tuple[int, list[str]]]]:
    if not is_enough(columns):
        raise InputRefused(
            lazy("These columns do not say who was there and when."),
            remedy=lazy("Name the columns of the name, the joining and the leaving."),
        )
    return Header(None, dict(columns)), _likeliest(lines)[1:]


def _likeliest(lines: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """The last table of the file with two moments in a line, its header first. Raises InputRefused without one."""
    starts = [place for place, (_number, cells) in enumerate(lines) if _moments(cells) >= 2]
    if not starts:
        raise InputRefused(
            lazy("This is no attendance export: no line says when somebody joined and left."),
            remedy=_as_teams_wrote_it(),
        )
    first = starts[-1]
    while first > 0 and _moments(lines[first - 1][1]) >= 2:
        first -= 1
    return lines[max(first - 1, 0) : first] + _table(lines, first)


def _moments(cells: Sequence[str]) -> int:
    return sum(written(cell) is not None for cell in cells)


def _table(lines: list[tuple[int, list[str]]], begin: int) -> list[tuple[int, list[str]]]:
    """The lines from there to the next empty one or the next header."""
    table: list[tuple[int, list[str]]] = []
    for number, cells in lines[begin:]:
        if not any(cells) or header_of(cells) is not None:
            break
        table.append((number, cells))
    return table


def _stays(header: Header, table: list[tuple[int, list[str]]]) -> Iterator[Row]:
    for number, cells in table:
        cell = _Cells(header, number, cells)
        begins = Column.JOINED if Column.JOINED in header.places else Column.FIRST
        ends = Column.LEFT if Column.JOINED in header.places else Column.LAST
        joined, left = cell.moment(begins), cell.moment(ends)
        seconds = seconds_of(cell.text(Column.DURATION))
        if joined is None:
            raise _refused(number, _("does not say when %(name)s joined", name=cell.text(Column.NAME)))
        if left is None and seconds is None:
            raise _refused(number, _("does not say when %(name)s left", name=cell.text(Column.NAME)))
        if header.has_stays and left is not None:
            seconds = None  # the moments say it better than a length that some languages write without seconds
        yield Row(number, cell.text(Column.NAME), cell.addresses(), joined, left, seconds)


def _actions(header: Header, table: list[tuple[int, list[str]]]) -> Iterator[Row]:
    """Joining and leaving put together; what was not told lasts from the beginning or to the end of the list."""
    words = LANGUAGES[header.language or "en"]
    there: dict[str, list[tuple[int, Written]]] = {}
    addresses: dict[str, tuple[str, ...]] = {}
    for number, cells in table:
        cell = _Cells(header, number, cells)
        name, action, at = cell.text(Column.NAME), cell.text(Column.ACTION).casefold(), cell.moment(Column.AT)
        if at is None or action not in words.joined | words.left:
            raise _refused(number, _("is neither a joining nor a leaving"))
        addresses[name] = cell.addresses()
        if action in words.joined:
            there.setdefault(name, []).append((number, at))
            continue
        joined = there[name].pop(0)[1] if there.get(name) else None
        yield Row(number, name, addresses[name], joined, at, None)
    for name, left_open in there.items():
        for number, joined in left_open:
            yield Row(number, name, addresses[name], joined, None, None)


@dataclass(frozen=True)
class _Cells:
    header: Header
    number: int
    cells: Sequence[str]

    def text(self, column: Column) -> str:
        place = self.header.places.get(column)
        return self.cells[place] if place is not None and place < len(self.cells) else ""

    def moment(self, column: Column) -> Written | None:
        text = self.text(column)
        if not text:
            return None
        found = written(text)
        if found is None:
            raise _refused(self.number, _("has the time '%(text)s', which we cannot read", text=text[:40]))
        return found

    def addresses(self) -> tuple[str, ...]:
        both = (self.text(Column.MAIL).lower(), self.text(Column.UPN).lower())
        return tuple(dict.fromkeys(each for each in both if ADDRESS in each))
