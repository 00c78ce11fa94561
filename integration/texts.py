"""Every text that the source has for people, and the catalogs of its translations: ``make texts``.

Texts are read off the source as it is, from Python, pages and mails; a catalog then has exactly these, those without
a translation empty. Nothing is guessed from similar texts, and no line numbers are kept: a catalog changes when a
text does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from integration.language import FOLDER, LANGUAGES

PACKAGE = Path(__file__).parent
METHODS = [("**.html", "jinja2"), ("**.mjml", "jinja2")]
OPTIONS = {pattern: {"silent": "false"} for pattern, _method in METHODS}  # a template that does not parse is an error
KEYWORDS = {"_": None, "words": None, "gettext": None, "lazy": None, "Lazy": None, "ngettext": (1, 2)}
SOURCE_LANGUAGE = "en"
WIDTH = 118
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w+(?:!r)?\}")  # ours, and those of Click
NUMBER = {"%(n)s"}


def catalog_path(language: str) -> Path:
    """Where the translations into a language are."""
    return FOLDER / language / "messages.po"


def translated_languages() -> tuple[str, ...]:
    """The languages that need a catalog: all of ours but that of the source."""
    return tuple(language for language in LANGUAGES if language != SOURCE_LANGUAGE)


def texts_in_source() -> Catalog:
    """Every text of the source."""
    found = Catalog(project="Learning Pods")
    for _file, _line, text, _comments, _context in extract_from_dir(PACKAGE, METHODS, OPTIONS, KEYWORDS):
        found.add(text)
    for path in sorted(PACKAGE.rglob("*.py")):
        for text in _texts_of_code(ast.parse(path.read_text(encoding="utf-8"))):
            found.add(text)
    return found


def read_catalog(language: str) -> Catalog:
    """The translations into a language, empty where nobody has begun."""
    if not catalog_path(language).exists():
        return Catalog(locale=language, project="Learning Pods")
    with catalog_path(language).open("rb") as file:
        return read_po(file, locale=language)


def merge(language: str) -> Catalog:
    """Write a catalog with exactly the texts of the source, keeping what is translated; returns it."""
    source, known = texts_in_source(), read_catalog(language)
    merged = Catalog(locale=language, project="Learning Pods", fuzzy=False)
    for message in sorted(_messages(source), key=_first):
        translated = known.get(message.id)
        merged.add(
            message.id, translated.string if translated else None, flags=translated.flags if translated else ()
        )
    catalog_path(language).parent.mkdir(parents=True, exist_ok=True)
    with catalog_path(language).open("wb") as file:
        file.write(_header(language))
        write_po(file, merged, width=WIDTH, no_location=True, omit_header=True)
    return merged


def faults(catalog: Catalog, source: Catalog) -> list[str]:
    """What is wrong with a catalog: missing, needless, untranslated and doubtful texts, and other placeholders."""
    wrong = [f"not in the catalog: {_first(each)!r}" for each in _messages(source) if catalog.get(each.id) is None]
    wrong += [f"no longer said: {_first(each)!r}" for each in _messages(catalog) if source.get(each.id) is None]
    for message in _messages(catalog):
        if not message.string or not all(_strings(message.string)):
            wrong.append(f"not translated: {_first(message)!r}")
        elif message.fuzzy:
            wrong.append(f"marked as doubtful: {_first(message)!r}")
        elif not _same_placeholders(message):
            wrong.append(f"other placeholders: {_first(message)!r}")
    return wrong


def _texts_of_code(tree: ast.Module) -> Iterator[str | tuple[str, str]]:
    """Read off the syntax tree: Babel's own reader of Python sees nothing inside f-strings."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in KEYWORDS:
            continue
        given = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if KEYWORDS[node.func.id] is None and len(given) == 1:
            yield given[0]
        elif len(given) == 2:
            yield given[0], given[1]


def _same_placeholders(message: Message) -> bool:
    """Nothing may come or go, but for the number, which a singular can leave out ("one session")."""
    wanted = [_placeholders(text) for text in _strings(message.id)]
    given = [_placeholders(text) for text in _strings(message.string)]
    if len(wanted) == 1 or len(given) == 1:
        return wanted == given
    return (
        wanted[-1] == given[-1]
        and wanted[0] - NUMBER == given[0] - NUMBER
        and given[0] <= wanted[0] | wanted[-1] | NUMBER
    )


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def _messages(catalog: Catalog) -> Iterable[Message]:
    return (message for message in catalog if message.id)


def _first(message: Message) -> str:
    return _strings(message.id)[0]


def _strings(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)  # type: ignore[arg-type]


def _header(language: str) -> bytes:
    plural = Catalog(locale=language).plural_forms
    return (
        'msgid ""\nmsgstr ""\n'
        '"Project-Id-Version: Learning Pods\\n"\n'
        f'"Language: {language}\\n"\n'
        f'"Plural-Forms: {plural}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n\n'
    ).encode()


def main() -> None:
    """Bring every catalog up to the source, and name what is still to be translated."""
    source = texts_in_source()
    for language in translated_languages():
        left = faults(merge(language), source)
        print(f"{catalog_path(language).relative_to(PACKAGE.parent)}: {len(left)} to do", *left, sep="\n  ")


if __name__ == "__main__":
    main()
