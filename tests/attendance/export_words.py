"""Attendance exports as Teams writes them, in each language that a public example is known of, from what happened.

The people are ours; only headers and the forms of dates and lengths are Microsoft's. Where only a number is named, it
is a file's in the index of public code in which they were looked up, which does not tell its repository. No public
example was found in French, Italian or Dutch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

NBSP = "\u00a0"
NARROW = "\u202f"


@dataclass(frozen=True)
class Stay:
    joined: datetime
    left: datetime


@dataclass(frozen=True)
class Attendee:
    """Somebody in a call; the moments are on the wall of whoever downloads."""

    name: str
    mail: str
    stays: tuple[Stay, ...]
    role: str = "Attendee"

    @property
    def length(self) -> timedelta:
        return sum((stay.left - stay.joined for stay in self.stays), timedelta())


@dataclass(frozen=True)
class Tongue:
    """How Teams writes in one language; ``people`` and ``stays`` are the headers that are known, by their order:
    name, first or join, last or leave, length, mail, UPN, role (an empty one is not in the file)."""

    moment: Callable[[datetime], str]
    length: Callable[[timedelta], str]
    people: Sequence[str] = ()
    stays: Sequence[str] = ()
    actions: Sequence[str] = ()
    sections: Sequence[str] = ("1. Summary", "2. Participants", "3. In-Meeting Activities")
    title: str = "Meeting title"
    order: str = "dmy"
    words: Mapping[str, str] = field(default_factory=lambda: {"joined": "Joined", "left": "Left"})


def _american(at: datetime) -> str:
    half = "AM" if at.hour < 12 else "PM"
    return f"{at.month}/{at.day}/{at:%y}, {at.hour % 12 or 12}:{at:%M:%S}{NARROW}{half}"


def _dotted(at: datetime) -> str:
    return f"{at:%d.%m.%y, %H:%M:%S}"


def _dotted_long(at: datetime) -> str:
    return f"{at:%d.%m.%Y, %H:%M:%S}"


def _slashed(at: datetime) -> str:
    return f"{at:%d/%m/%y, %H:%M:%S}"


def _slashed_year_first(at: datetime) -> str:
    return f"{at.year}/{at.month}/{at.day} {at.hour}:{at:%M:%S}"


def _units(hours: str, minutes: str, seconds: str) -> Callable[[timedelta], str]:
    def written(length: timedelta) -> str:
        whole = int(length.total_seconds())
        parts = ((whole // 3600, hours), (whole % 3600 // 60, minutes), (whole % 60, seconds))
        return " ".join(f"{n}{unit}" for n, unit in parts if n) or f"0{seconds}"

    return written


TONGUES: Mapping[str, Tongue] = {
    # github.com/dvaneynde/teams-attendance, data/utf8/IDL-15-11-22.csv: the file with sections, day first.
    # github.com/dominikhoebert/Teams-Attendance-Klassenbuch-Writer, README.md: the list (Full Name, User Action,
    # Timestamp, "dd/mm/yyyy, HH:MM:SS").
    "English of Britain": Tongue(
        _slashed,
        _units("h", "m", "s"),
        ("Name", "First join", "Last leave", "In-meeting duration", "Email", "Participant ID (UPN)", "Role"),
        ("Name", "Join time", "Leave time", "Duration", "Email", "", "Role"),
        ("Full Name", "User Action", "Timestamp"),
        ("1. Summary", "2. Participants", "3. In-Meeting activities"),
    ),
    # github.com/Aennson/MoneyWastedCallTeams, src/lib/csvParser.test.ts (amostraEN): month first, AM and PM.
    # github.com/zeborg/MS-Teams-Attendance-Simplifier and many others: the older table (Full Name, Join Time, ...).
    "English of America": Tongue(
        _american,
        _units("h", "m", "s"),
        ("Name", "First Join", "Last Leave", "In-Meeting Duration", "Email", "Participant ID (UPN)", "Role"),
        ("Full Name", "Join Time", "Leave Time", "Duration", "Email", "Participant ID (UPN)", "Role"),
        ("Full Name", "User Action", "Timestamp"),
        order="mdy",
    ),
    # github.com/jonasqz/EnaiblerGTM-Academy-, src/core/webinars/attendance-csv.test.ts ("reads the Teams attendance
    # list (UTF-16, tabs, German)").
    "German": Tongue(
        _dotted,
        _units(" Std.", " Min.", " Sek."),
        (
            "Name",
            "Erster Beitritt",
            "Letztes Verlassen",
            "Dauer der Besprechung",
            "E-Mail",
            "Teilnehmer-ID (UPN)",
            "Rolle",
        ),
        ("Name", "Beitreten", "Verlassen", "Dauer", "E-Mail", "", "Rolle"),
        sections=("1. Zusammenfassung", "2. Teilnehmer", "3. Aktivitäten in der Besprechung"),
        title="Besprechungstitel",
    ),
    # github.com/faculuceroh/Proyecto_Final_Asistencia, includes/TeamsAttendanceParser.php: the table of people, with
    # American dates and lengths like "1 h 48 min 58 s" around spaces that do not break; the column of the UPN is in
    # file 34320942081 of the index (JavaScript: "Id. de participante (UPN)"). Both skip the third section, and no
    # public example of its headers was found: there only the second is read.
    "Spanish": Tongue(
        _american,
        _units(f"{NBSP}h", f"{NBSP}min", f"{NBSP}s"),
        (
            "Nombre",
            "Primera entrada",
            "Última salida",
            "Duración de la reunión",
            "Correo electrónico",
            "Id. de participante (UPN)",
            "Rol",
        ),
        sections=("1. Resumen", "2. Participantes", "3. Actividades de la reunión"),
        title="Título de la reunión",
        order="mdy",
    ),
    # github.com/Aennson/MoneyWastedCallTeams, src/lib/csvParser.test.ts (amostraPT), and file 24265656487 of the
    # index (the older table: "Nome Completo;Horário de Entrada;Horário de Saída;Duração;Email;Função;ID do ...").
    "Portuguese": Tongue(
        _slashed,
        _units("h", "m", "s"),
        (
            "Nome",
            "Primeiro ingresso",
            "Última saída",
            "Duração na reunião",
            "Email",
            "ID do participante (UPN)",
            "Função",
        ),
        (
            "Nome Completo",
            "Horário de Entrada",
            "Horário de Saída",
            "Duração",
            "Email",
            "ID do participante (UPN)",
            "Função",
        ),
        sections=("1. Resumo", "2. Participantes", "3. Atividades em Reunião"),
        title="Título da reunião",
    ),
    # github.com/joao8tunes/meeting-raffle, raffle/samples.py (teams_report_pt): other words for the same columns.
    "Portuguese, otherwise": Tongue(
        _slashed,
        _units("h", "m", "s"),
        (
            "Nome",
            "Primeira Entrada",
            "Última Saída",
            "Duração da Reunião",
            "Email",
            "ID do participante (UPN)",
            "Função",
        ),
        ("Nome", "Horário de Entrada", "Horário de Saída", "Duração", "Email", "", "Função"),
        sections=("1. Resumo", "2. Participantes", "3. Atividades em Reunião"),
        title="Título da reunião",
    ),
    # github.com/maciej-radziejewski/get-attendance, attendance.py (the older table, "%d.%m.%Y, %H:%M:%S");
    # github.com/mlodyjesienin/teams-attendance, src/App.js (the title, and of the table of people the name, the
    # length and the role by their places); file 42644954534 of the index (its other headers).
    "Polish": Tongue(
        _dotted_long,
        _units(" godz.", " min", " sek."),
        (
            "Imię i nazwisko",
            "Pierwsze dołączenie",
            "Ostatnie wyjście",
            "Czas udziału w spotkaniu",
            "Adres e-mail",
            "Identyfikator uczestnika (UPN)",
            "Rola",
        ),
        ("Imię i nazwisko", "Godzina dołączenia", "Godzina opuszczenia", "", "", "", "Rola"),
        sections=("1. Podsumowanie", "2. Uczestnicy", "3. Działania podczas spotkania"),
        title="Tytuł spotkania",
    ),
    # github.com/nuitsjp/teams-board, .kiro/specs/apply-domain-model/research.md (the table of people and its lengths)
    # and tests/logic/csv-transformer.test.js ("2026/1/15 19:00:00"). The headers of the third section are in neither.
    "Japanese": Tongue(
        _slashed_year_first,
        _units(" 時間", " 分", " 秒"),
        ("名前", "初めての参加", "最終退出", "会議の長さ", "メール", "参加者 ID (UPN)", "役割"),
        sections=("1. 要約", "2. 参加者", "3. 会議中のアクティビティ"),
        title="会議のタイトル",
        order="ymd",
    ),
}


def sections(tongue: Tongue, call: Sequence[Attendee], *, title: str = "Pod 1") -> list[list[str]]:
    """Summary, participants and activities in one file."""
    unread = ("?", "?", "?") if not tongue.stays else ()
    return [
        [tongue.sections[0]],
        [tongue.title, title],
        ["#", str(len(call))],
        [],
        [tongue.sections[1]],
        *people(tongue, call),
        [],
        [tongue.sections[2]],
        *(stays(tongue, call) if not unread else [list(unread)]),
    ]


def people(tongue: Tongue, call: Sequence[Attendee]) -> list[list[str]]:
    """A line per person: the first moment, the last one, and how long altogether."""
    rows = [
        (
            each.name,
            tongue.moment(each.stays[0].joined),
            tongue.moment(each.stays[-1].left),
            tongue.length(each.length),
            each.mail,
            each.mail,
            each.role,
        )
        for each in call
    ]
    return _without_empty(tongue.people, rows)


def stays(tongue: Tongue, call: Sequence[Attendee]) -> list[list[str]]:
    """A line per stay."""
    rows = [
        (
            each.name,
            tongue.moment(stay.joined),
            tongue.moment(stay.left),
            tongue.length(stay.left - stay.joined),
            each.mail,
            each.mail,
            each.role,
        )
        for each in call
        for stay in each.stays
    ]
    return _without_empty(tongue.stays, rows)


def actions(tongue: Tongue, call: Sequence[Attendee]) -> list[list[str]]:
    """A line for each joining and each leaving, without addresses."""
    found = [
        (moment, each.name, word)
        for each in call
        for stay in each.stays
        for moment, word in ((stay.joined, "joined"), (stay.left, "left"))
    ]
    rows = [[name, tongue.words[word], tongue.moment(moment)] for moment, name, word in sorted(found)]
    return [list(tongue.actions), *rows]


def as_file(lines: Sequence[Sequence[str]], *, encoding: str = "utf-16", delimiter: str = "\t") -> bytes:
    """The bytes that Teams (tabs in UTF-16), an older Teams or a browser (commas in UTF-8) would write."""
    quoted = [[f'"{cell}"' if delimiter == "," and "," in cell else cell for cell in line] for line in lines]
    return "\r\n".join(delimiter.join(line) for line in quoted).encode(encoding)


def _without_empty(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    kept = [place for place, name in enumerate(header) if name]
    return [[line[place] for place in kept] for line in (header, *rows)]
