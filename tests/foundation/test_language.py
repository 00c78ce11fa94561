"""Languages: what is said in which, and that nothing that people read is left out of a catalog."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest
from babel.messages.catalog import Catalog

from integration import formats
from integration.language import gettext, language, lazy, ngettext, speaking, spoken
from integration.texts import faults, read_catalog, texts_in_source, translated_languages

WINTER = datetime(2026, 1, 24, 9, 30, tzinfo=UTC)
SUMMER = datetime(2026, 7, 4, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize("translated", translated_languages())
def test_every_text_of_the_source_is_translated_with_its_placeholders(translated: str) -> None:
    assert faults(read_catalog(translated), texts_in_source()) == [], "make texts, then translate what it lists"


def test_texts_of_pages_mails_and_code_are_read_off_the_source_and_none_is_markup() -> None:
    source = texts_in_source()
    for text in ("Skip to the content", "Join in Teams", "Please choose yes or no.", "Not at all"):
        assert text in source
    assert [message.id for message in source if "</" in str(message.id)] == []


@pytest.mark.parametrize(
    ("text", "translation", "flags", "fault"),
    [
        ("Hello %(name)s", "", (), "not translated"),
        ("Hello %(name)s", "Guten Tag", (), "other placeholders"),
        ("Hello %(name)s", "Guten Tag %(Name)s", (), "other placeholders"),
        ("Hello %(name)s", "Guten Tag %(name)s", ("fuzzy",), "doubtful"),
        (("%(n)s pod of %(all)s", "%(n)s pods of %(all)s"), ("ein Lernpod", "%(n)s von %(all)s"), (), "placeholders"),
        (("%(n)s pod", "%(n)s pods"), ("%(n)s Lernpod", ""), (), "not translated"),
    ],
)
def test_a_careless_translation_is_noticed(
    text: str | tuple[str, str], translation: str | tuple[str, str], flags: tuple[str, ...], fault: str
) -> None:
    source, catalog = Catalog(), Catalog(locale="de")
    source.add(text)
    catalog.add(text, translation, flags=flags)
    (found,) = faults(catalog, source)
    assert fault in found


def test_a_text_that_is_new_and_one_that_is_gone_are_noticed_and_a_singular_may_leave_the_number_out() -> None:
    source, catalog = Catalog(), Catalog(locale="de")
    source.add("New")
    source.add(("%(n)s pod", "%(n)s pods"))
    catalog.add("Gone", "Weg")
    catalog.add(("%(n)s pod", "%(n)s pods"), ("ein Lernpod", "%(n)s Lernpods"))
    assert faults(catalog, source) == ["not in the catalog: 'New'", "no longer said: 'Gone'"]


def test_a_language_that_we_do_not_speak_is_english_and_a_country_makes_no_difference() -> None:
    assert [spoken(each) for each in ("de-CH", "de_AT", "DE", "fr", "", None)] == ["de", "de", "de", "en", "en", "en"]


def test_a_language_ends_with_its_block_and_is_spoken_in_one_thread_only() -> None:
    heard: list[str] = []
    label = lazy("Thank you")
    with speaking("de"):
        thread = threading.Thread(target=lambda: heard.append(language()))
        thread.start()
        thread.join()
        assert (str(label), gettext("Role")) == ("Vielen Dank", "Rolle")
        assert [ngettext("%(n)s person", "%(n)s people", n) for n in (0, 1, 2)] == [
            "0 Personen",
            "1 Person",
            "2 Personen",
        ]
    assert (heard, str(label)) == (["en"], "Thank you")


@pytest.mark.parametrize(
    ("at", "zone", "english", "german"),
    [
        (WINTER, "Europe/Zurich", "24 Jan 2026, 10:30 CET", "24.01.2026, 10:30 MEZ"),
        (SUMMER, "Europe/Zurich", "4 Jul 2026, 10:30 CEST", "04.07.2026, 10:30 MESZ"),
        (SUMMER, "Europe/London", "4 Jul 2026, 09:30 BST", "04.07.2026, 09:30 Europe/London"),
        (WINTER, "Asia/Kolkata", "24 Jan 2026, 15:00 Asia/Kolkata", "24.01.2026, 15:00 Asia/Kolkata"),
        (WINTER, None, "24 Jan 2026, 09:30 UTC", "24.01.2026, 09:30 UTC"),
        (WINTER, "Atlantis/Capital", "24 Jan 2026, 09:30 UTC", "24.01.2026, 09:30 UTC"),
    ],
)
def test_an_instant_is_told_with_a_zone_that_its_reader_knows(
    at: datetime, zone: str | None, english: str, german: str
) -> None:
    assert formats.moment(at, zone) == english
    with speaking("de"):
        assert formats.moment(at, zone) == german


def test_days_and_figures_are_written_as_the_language_does() -> None:
    on = date(2026, 3, 2)
    told = [
        lambda: formats.day(on),
        lambda: formats.day_of_year(on),
        lambda: formats.table_day(on),
        lambda: formats.chart_day(on),
        lambda: formats.number(12345.5),
        lambda: formats.number(4, 1),
        lambda: formats.signed(-0.25, 1),
        lambda: formats.percent(0.424),
        lambda: formats.listed(["Ada", "Grace", "Alan"]),
    ]
    english = ["2 March 2026", "2 March", "Mon 02 Mar 2026", "2 Mar", "12,345.5", "4.0", "-0.2", "42%"]
    assert [say() for say in told] == [*english, "Ada, Grace and Alan"]
    german = ["2. März 2026", "2. März", "Mo., 02.03.2026", "2.3.", "12.345,5", "4,0", "-0,2", "42\xa0%"]
    with speaking("de"):
        assert [say() for say in told] == [*german, "Ada, Grace und Alan"]
