"""The guide of whoever facilitates: a pod that meets in a room is led to its code and to where it is confirmed."""

from __future__ import annotations

import pytest

from integration.db import Database
from integration.scheduling.guide import CheckInPages, guide_content
from tests.attendance.build import build_person, build_series

PAGES = CheckInPages("https://pods.example/check-in/key/code", "https://pods.example/me/sessions/7")


@pytest.mark.parametrize(("language", "asked"), [("en", "Do you meet in a room?"), ("de", "in einem Raum?")])
def test_ada_is_led_to_the_code_and_to_the_page_on_which_she_confirms(
    sqlite_database: Database, language: str, asked: str
) -> None:
    with sqlite_database.transaction() as session:
        ada = build_person(session, "Ada")
        ada.language = language
        occurrence = build_series(session, [ada]).occurrences[0]
        guide = guide_content(occurrence, ada, guests=[], join_url=None, check_in=PAGES)
        without_names = guide_content(occurrence, ada, guests=[], join_url=None)
    for address in (PAGES.code_url, PAGES.session_url):
        assert f'href="{address}"' in guide.html
        assert address in guide.text
    assert asked in guide.text
    assert asked not in without_names.text
