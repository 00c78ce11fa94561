"""The words of Teams in its attendance exports, by language. Pure.

A language stands here when a public example of its headers is known; tests/attendance/export_words.py names them.
Whoever downloads in another language is asked which column is which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Column(StrEnum):
    """What a column of an export holds; ``FIRST`` and ``LAST`` are over all stays of a person."""

    NAME = "name"
    JOINED = "joined"
    LEFT = "left"
    FIRST = "first"
    LAST = "last"
    DURATION = "duration"
    MAIL = "mail"
    UPN = "upn"
    ROLE = "role"
    ACTION = "action"
    AT = "at"


@dataclass(frozen=True)
class Words:
    """A language's headers, in lower case, and what its lists call joining and leaving."""

    columns: Mapping[str, Column]
    joined: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()


LANGUAGES: Mapping[str, Words] = {
    "en": Words(
        {
            "name": Column.NAME,
            "full name": Column.NAME,
            "first join": Column.FIRST,
            "last leave": Column.LAST,
            "in-meeting duration": Column.DURATION,
            "duration": Column.DURATION,
            "join time": Column.JOINED,
            "leave time": Column.LEFT,
            "email": Column.MAIL,
            "participant id (upn)": Column.UPN,
            "role": Column.ROLE,
            "user action": Column.ACTION,
            "timestamp": Column.AT,
        },
        joined=frozenset({"joined", "joined before"}),
        left=frozenset({"left"}),
    ),
    "de": Words(
        {
            "name": Column.NAME,
            "erster beitritt": Column.FIRST,
            "letztes verlassen": Column.LAST,
            "dauer der besprechung": Column.DURATION,
            "dauer": Column.DURATION,
            "beitreten": Column.JOINED,
            "verlassen": Column.LEFT,
            "e-mail": Column.MAIL,
            "teilnehmer-id (upn)": Column.UPN,
            "rolle": Column.ROLE,
        }
    ),
    "es": Words(
        {
            "nombre": Column.NAME,
            "primera entrada": Column.FIRST,
            "última salida": Column.LAST,
            "duración de la reunión": Column.DURATION,
            "correo electrónico": Column.MAIL,
            "id. de participante (upn)": Column.UPN,
            "rol": Column.ROLE,
        }
    ),
    "pt": Words(
        {
            "nome": Column.NAME,
            "nome completo": Column.NAME,
            "primeiro ingresso": Column.FIRST,
            "primeira entrada": Column.FIRST,
            "última saída": Column.LAST,
            "duração na reunião": Column.DURATION,
            "duração da reunião": Column.DURATION,
            "duração": Column.DURATION,
            "horário de entrada": Column.JOINED,
            "horário de saída": Column.LEFT,
            "email": Column.MAIL,
            "id do participante (upn)": Column.UPN,
            "função": Column.ROLE,
        }
    ),
    "pl": Words(
        {
            "imię i nazwisko": Column.NAME,
            "pierwsze dołączenie": Column.FIRST,
            "ostatnie wyjście": Column.LAST,
            "czas udziału w spotkaniu": Column.DURATION,
            "godzina dołączenia": Column.JOINED,
            "godzina opuszczenia": Column.LEFT,
            "adres e-mail": Column.MAIL,
            "identyfikator uczestnika (upn)": Column.UPN,
            "rola": Column.ROLE,
        }
    ),
    "ja": Words(
        {
            "名前": Column.NAME,
            "初めての参加": Column.FIRST,
            "最終退出": Column.LAST,
            "会議の長さ": Column.DURATION,
            "メール": Column.MAIL,
            "メール アドレス": Column.MAIL,
            "参加者 id (upn)": Column.UPN,
            "役割": Column.ROLE,
        }
    ),
}
# The seconds of a unit, by how it is written in any of the languages.
UNITS: Mapping[str, int] = {
    **dict.fromkeys(
        ("h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "godz", "hora", "horas", "時間"), 3600
    ),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "minuten", "minuto", "minutos", "分"), 60),
    **dict.fromkeys(
        ("s", "sec", "secs", "second", "seconds", "sek", "sekunden", "seg", "segundo", "segundos", "秒"), 1
    ),
}


@dataclass(frozen=True)
class Header:
    """The columns of a table by their place, and the language they are written in; None: told by somebody."""

    language: str | None
    places: Mapping[Column, int]

    @property
    def is_list(self) -> bool:
        """Whether each line is an action, as in the older lists."""
        return {Column.ACTION, Column.AT} <= self.places.keys()

    @property
    def has_stays(self) -> bool:
        """Whether each line is one stay, not a person's first and last moment."""
        return Column.JOINED in self.places or self.is_list


def header_of(cells: Sequence[str]) -> Header | None:
    """The header that these cells are; None when they are none in a language we read."""
    for language, words in LANGUAGES.items():
        places: dict[Column, int] = {}
        for place, cell in enumerate(cells):
            column = words.columns.get(" ".join(cell.split()).casefold())
            if column is not None:
                places.setdefault(column, place)
        if is_enough(places):
            return Header(language, places)
    return None


def is_enough(places: Mapping[Column, int]) -> bool:
    """Whether these columns say who was there and when."""
    known = places.keys()
    times = (
        {Column.JOINED, Column.LEFT},
        {Column.JOINED, Column.DURATION},
        {Column.FIRST, Column.LAST},
        {Column.FIRST, Column.DURATION},
        {Column.ACTION, Column.AT},
    )
    return Column.NAME in known and any(wanted <= known for wanted in times)
