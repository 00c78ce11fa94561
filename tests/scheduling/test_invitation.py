"""The invitation reads without CSS, names nobody's markup, and leaves Outlook's Teams block alone."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from integration.scheduling.invitation import (
    Invitation,
    Turn,
    body_html,
    exchanged,
    hash_of,
    says_the_same,
    shared_language,
)

TEAMS = '<div class="me-email-text"><div><a href="https://teams.example/join?a=1&amp;b=2">Join</a></div></div>'


def invitation(**changes) -> Invitation:
    wanted = {
        "pod": "Pod 01",
        "purpose": "New colleagues answer customers alone",
        "agenda": "Check-in\n- One shows something\n",
        "minutes": 30,
        "time_zone": "Europe/Zurich",
        "members": ("Ada Lovelace", "Grace Hopper"),
        "turns": (Turn(datetime.fromisoformat("2026-03-10T10:30"), "Ada Lovelace"),),
    }
    return Invitation(**{**wanted, **changes})


def page(ours: str) -> str:
    return f"<html><head></head><body>{ours}<br>{TEAMS}</body></html>"


def test_purpose_agenda_rotation_and_zone_stand_in_it():
    html = body_html(invitation())

    assert "Tue 10 Mar 2026, 10:30" in html
    assert "Zurich time (Europe/Zurich)" in html
    assert "<li>One shows something</li>" in html
    assert "style=" not in html


def test_mallorys_name_is_only_text():
    html = body_html(invitation(members=("<script>alert(1)</script>",), purpose='"><img src=x>'))

    assert "<script" not in html
    assert "<img" not in html


def test_a_new_text_leaves_the_teams_block_as_it_is():
    old, new = body_html(invitation()), body_html(invitation(purpose="Something else"))

    assert exchanged(page(old), new) == page(new)


def test_a_page_that_somebody_rewrote_is_not_overwritten():
    assert exchanged(f"<html><body><p>My own words</p>{TEAMS}</body></html>", body_html(invitation())) is None


def test_outlooks_rewriting_of_markup_is_no_change():
    ours = body_html(invitation())
    rewritten = page(ours).replace('<div id="pods-invitation">', '<div class="x" id="x_pods-invitation">\n<p></p>')

    assert says_the_same(rewritten, ours)
    assert not says_the_same(rewritten, body_html(invitation(minutes=60)))


@given(words=st.text(max_size=60), name=st.text(min_size=1, max_size=30))
def test_whatever_people_write_our_part_is_found_again(words, name):
    html = body_html(invitation(purpose=words, agenda=words, members=(name,)))

    assert exchanged(page(html), "OURS") == page("OURS")
    assert hash_of(html) == hash_of(body_html(invitation(purpose=words, agenda=words, members=(name,))))


def test_a_pod_that_shares_german_is_invited_in_german_and_a_mixed_one_in_english():
    german = body_html(invitation(language=shared_language(["de", "de-CH"])))

    assert "Di., 10.03.2026, 10:30" in german
    assert "Wer wann moderiert" in german
    assert "Zeit in Zurich (Europe/Zurich), je 30 Minuten" in german
    assert [shared_language(each) for each in (["de", "en"], ["de", None], ["fr", "fr"], [])] == ["en"] * 4
