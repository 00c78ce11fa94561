"""Mails as HTML, as text and as files."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateNotFound, UndefinedError

from integration.mail.eml import eml_of
from integration.mail.mails import Content, Picture
from integration.mail.rendering import day_and_time, render, text_of
from tests.mail.cast import NOON, SENDER

VALUES = {
    "question": "How useful was this session for your work?",
    "pod": "Pod Aurora",
    "program": "Onboarding",
    "when": "Monday 2 March, 13:00–13:30 (Europe/Zurich)",
    "choices": [
        {"face": "😞", "label": "1 – Not at all", "url": "https://pods.example/feedback/abc?score=1"},
        {"face": "😃", "label": "5 – Very much", "url": "https://pods.example/feedback/abc?score=5&from=mail"},
    ],
    "who_sees": "Leaders see averages only.",
    "may_be_absent": False,
    "is_reminder": False,
    "shared_url": None,
    "expires_on": "16 March",
    "language": "en",
}


def test_a_mail_names_its_language_its_colour_schemes_and_no_font_to_be_fetched() -> None:
    html = render("feedback-request", **VALUES)
    assert '<html lang="en"' in html
    assert '<meta name="color-scheme" content="light dark"' in html
    assert "prefers-color-scheme: dark" in html
    assert "system-ui" in html
    assert "fonts.googleapis" not in html
    assert "@import" not in html


def test_what_a_pod_is_called_cannot_become_markup() -> None:
    html = render("feedback-request", **VALUES | {"pod": "<script>alert(1)</script>\"'&\x00\x08"})
    assert "<script" not in html
    assert "<script>alert(1)</script>\"'& met on" in text_of(html)


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]), max_size=80))
def test_any_name_comes_out_as_it_was_but_for_white_space(name: str) -> None:
    text = text_of(render("did-you-meet", **_met_values() | {"pod": f"({name})"}))
    assert " ".join(text.split()).startswith(" ".join(f"Did ({name}) meet?".split()))


def test_the_text_reads_like_a_letter_with_each_link_once() -> None:
    text = text_of(render("feedback-request", **VALUES))
    assert text.splitlines() == [
        "How useful was this session for your work?",
        "",
        "Pod Aurora met on Monday 2 March, 13:00–13:30 (Europe/Zurich).",
        "😞 1 – Not at all: https://pods.example/feedback/abc?score=1",
        "😃 5 – Very much: https://pods.example/feedback/abc?score=5&from=mail",
        "Leaders see averages only.",
        "",
        "You get this mail because you took part in this session of Onboarding. There is one question per session "
        "and one reminder at most; you need not answer. The links are yours alone and work until 16 March.",
    ]


def test_a_value_that_the_template_needs_is_not_silently_empty() -> None:
    with pytest.raises(UndefinedError, match="pod"):
        render("feedback-request", **{name: value for name, value in VALUES.items() if name != "pod"})


def test_an_unknown_template_is_named() -> None:
    with pytest.raises(TemplateNotFound, match="love-letter"):
        render("love-letter")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo\n"),
        ("<ul><li>Ada</li><li>Grace</li></ul>", "- Ada\n- Grace\n"),
        ("<table><tr><td>Held</td><td>4</td></tr><tr><td>Invited</td><td>9</td></tr></table>", "Held 4\nInvited 9\n"),
        ('<a href="https://pods.example">https://pods.example</a>', "https://pods.example\n"),
        (
            '<a href="https://a.example">Here</a> <a href="https://a.example">again</a>',
            "Here: https://a.example again\n",
        ),
        ('<div style="display:none">preview</div><p>Shown</p>', "Shown\n"),
        ('<div style="DISPLAY : none"><div>a</div><br>b</div><p>Shown</p>', "Shown\n"),
        ("<head><style>p { color: red }</style></head><p>1 &lt; 2 &amp; é</p>", "1 < 2 & é\n"),
        ('<img src="cid:trend" alt="Participation rose to 61 %">', "Participation rose to 61 %\n"),
        ("<div><div><div>deep</div></div></div><div>next</div>", "deep\nnext\n"),
        ("a<!-- [if mso]><p>Outlook only</p><![endif] -->b", "ab\n"),
    ],
)
def test_html_as_text(html: str, text: str) -> None:
    assert text_of(html) == text


def test_the_time_of_a_session_is_told_on_the_wall_of_the_reader() -> None:
    starts, ends = datetime(2026, 3, 29, 7, tzinfo=UTC), datetime(2026, 3, 29, 7, 30, tzinfo=UTC)
    assert day_and_time(starts, ends, time_zone="Europe/Zurich") == "Sunday 29 March, 09:00–09:30 (Europe/Zurich)"
    assert day_and_time(starts, ends, time_zone="Asia/Kolkata") == "Sunday 29 March, 12:30–13:00 (Asia/Kolkata)"
    assert day_and_time(starts, ends, time_zone=None) == "Sunday 29 March, 07:00–07:30 (UTC)"


def test_a_file_has_both_bodies_its_pictures_and_a_way_to_stop() -> None:
    picture = Picture("trend", "image/png", b"\x89PNG", "trend.png")
    content = Content(
        "Pod Zoë – week 3",
        '<p>é<img src="cid:trend" alt="up"></p>',
        "é up\n",
        (picture,),
        "https://pods.example/stop",
    )
    raw = eml_of(content, sender=SENDER, to_address="ada@pods.example", to_name="Ada", sent_at=NOON, tag="mail-1")
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    assert message["Subject"] == "Pod Zoë – week 3"
    assert message["List-Unsubscribe"] == "<https://pods.example/stop>"
    assert message["Message-ID"] == "<mail-1@pods.example>"
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert plain.get_content().splitlines() == ["é up"]
    assert rich is not None
    assert 'alt="up"' in rich.get_content()
    pictures = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in pictures] == ["<trend>"]
    assert message.get_content_type() == "multipart/alternative"


def _met_values() -> dict[str, object]:
    return {
        "program": "Onboarding",
        "when": "Monday 2 March, 13:00–13:30 (Europe/Zurich)",
        "yes_url": "https://pods.example/feedback/met/abc?met=yes",
        "no_url": "https://pods.example/feedback/met/abc?met=no",
        "is_facilitator": True,
        "expires_on": "16 March",
        "language": "en",
    }
