"""Languages: texts by gettext, plurals, dates and numbers by Babel; English is the language of the source.

Catalogs are `locale/<language>/messages.po`, read as they are: nothing has to be compiled. A page takes the language
of its visitor, a mail that of its reader, a terminal that of its locale.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = ("en", "de")
FOLDER = Path(__file__).parent / "locale"
LOCALE_NAMES = ("LC_ALL", "LC_MESSAGES", "LANG")
NO_LOCALE = ("C", "POSIX")
_current: ContextVar[str] = ContextVar("language", default="en")


@dataclass(frozen=True)
class Lazy:
    """A text that is said when somebody reads it, in their language: a label, or words that a worker wrote down.

    ``values`` fill its %(name)s: strings, numbers, dates, instants (shown in the zone they carry) and other texts.
    """

    message: str
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        from integration.formats import shown  # formats speaks through this file

        values = {name: shown(value) for name, value in self.values.items()}
        return gettext(self.message, **values) if self.message else ""


Wording = str | Lazy  # words of ours are lazy; those of people, and of rows from before, are as they stand


@contextmanager
def speaking(language: str | None) -> Iterator[None]:
    """Everything in the block is said in this language, or in English where we do not speak it."""
    token = _current.set(spoken(language))
    try:
        yield
    finally:
        _current.reset(token)


def speak(language: str | None) -> None:
    """From here on, in this request, speak this language."""
    _current.set(spoken(language))


def language() -> str:
    """The language that is spoken now."""
    return _current.get()


def spoken(language: str | None) -> str:
    """The nearest of our languages: "de-CH" is German; English for those we do not speak."""
    short = (language or "").replace("_", "-").partition("-")[0].lower()
    return short if short in LANGUAGES else "en"


def language_of_locale(environ: Mapping[str, str]) -> str:
    """The language of a terminal, as GNU's tools find it: LC_ALL, else LC_MESSAGES, else LANG names the locale.

    LANGUAGE, a list of wishes such as "fr:de", goes before it, but not before the locale C. English otherwise.
    """
    locale = next((environ[name] for name in LOCALE_NAMES if environ.get(name)), "C")
    if locale.partition(".")[0] in NO_LOCALE:
        return "en"
    wishes = [*environ.get("LANGUAGE", "").split(":"), locale]
    short = [re.split(r"[_.@-]", wish, maxsplit=1)[0].lower() for wish in wishes]
    return next((each for each in short if each in LANGUAGES), "en")


def gettext(message: str, /, **values: object) -> str:
    """The message in the current language, with %(name)s filled in."""
    text = _catalog(language()).gettext(message)
    return text % values if values else text


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """The message for so many things; ``%(n)s`` is the number, as the language writes it: 10,000 or 10.000."""
    written = format_decimal(number, locale=language())
    return _catalog(language()).ngettext(one, many, number) % {"n": written, **values}


def lazy(message: str, /, **values: object) -> Lazy:
    """The message, said later: in the language, and with the dates, of whoever reads it."""
    return Lazy(message, values)


def joined(*texts: Wording, between: str = " ") -> Wording:
    """Texts one after the other; empty ones are left out."""
    whole: Wording = ""
    for text in filter(None, texts):
        whole = Lazy(f"%(before)s{between}%(text)s", {"before": whole, "text": text}) if whole else text
    return whole


@lru_cache(maxsize=len(LANGUAGES))
def _catalog(language: str) -> NullTranslations:
    file = FOLDER / language / "messages.po"
    if not file.exists():
        return NullTranslations()
    with file.open("rb") as source:
        catalog = read_po(source, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)
