"""Ada sees her own pods: when and where the next session is, what is known of her, and nothing of others."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from integration.admin.permissions import Role
from integration.attendance.models import Attendance
from integration.feedback.models import FeedbackAnswer, FeedbackRequest, MetRequest
from integration.people.models import Person
from integration.scheduling.models import PodMember, Series
from tests.attendance.build import build_person, build_series
from tests.portal.conftest import NOW

SCRIPT = "<script>alert(1)</script>"


def meet(session: Session, people: list[Person], *, name: str = "Pod 1", detail: str = "minutes") -> Series:
    """A pod that met on 4 and 11 March and meets on the 18th; the first of them facilitates then."""
    series = build_series(
        session,
        people,
        name=name,
        detail=detail,
        organizer_id=f"organizer of {name}",
        join_urls=(f"https://teams.example/{len(name)}",),
    )
    series.invited_at = NOW - timedelta(days=9)
    series.occurrences[2].facilitator_id = people[0].participant_id
    for person in people:
        session.add(PodMember(pod=series.pod, participant=person.participant, joined_at=NOW - timedelta(days=9)))
    session.flush()
    return series


def attended(session: Session, series: Series, person: Person, *, number: int, **known: object) -> None:
    row = {"attended": True, "seconds": 1500, "provenance": "measured", "known_at": NOW, **known}
    session.add(Attendance(occurrence=series.occurrences[number - 1], participant=person.participant, **row))


@pytest.fixture
def pods(site) -> dict[str, int]:
    """Ada and Grace in one pod, Mallory and Linus in another; returns the pods' ids."""
    with site.tools.database.transaction() as session:
        ada, grace, mallory, linus = (build_person(session, name) for name in ("Ada", "Grace", "Mallory", "Linus"))
        ada.time_zone = "America/New_York"
        own, other = meet(session, [ada, grace]), meet(session, [mallory, linus], name="Pod of others")
        own.occurrences[0].attendance = own.occurrences[1].attendance = "measured"
        attended(session, own, ada, number=1)
        attended(session, own, ada, number=2, attended=None, seconds=None, provenance="unknown", reason="By phone.")
        attended(session, own, grace, number=1, seconds=7 * 60)
        return {"own": own.pod_id, "other": other.pod_id}


def test_ada_sees_when_she_meets_next_in_her_own_zone_where_and_who_facilitates(site, pods):
    page = site.browser("ada@pods.example").get("/me/").text

    assert "18 Mar 2026, 05:00" in page
    assert 'href="https://teams.example/5"' in page
    assert "Facilitator: Ada" in page
    assert "Pod of others" not in page


def test_her_pod_tells_her_own_attendance_and_how_it_is_known_and_nobody_elses(site, pods):
    page = site.browser("ada@pods.example").get(f"/me/pods/{pods['own']}").text

    assert "25 minutes" in page
    assert "measured by Teams" in page
    assert "By phone." in page
    assert "7 minutes" not in page
    assert "Grace" in page


def test_the_pod_of_others_is_not_there_for_her_even_as_an_administrator(site, pods):
    for roles in ((), (Role.COORDINATOR,), (Role.ADMINISTRATOR,)):
        assert site.browser("ada@pods.example", *roles).get(f"/me/pods/{pods['other']}").status_code == 404
    assert site.browser("mallory@pods.example").get(f"/me/pods/{pods['other']}").status_code == 200
    assert site.browser("nobody@pods.example").get(f"/me/pods/{pods['own']}").status_code == 404


def test_whoever_is_not_on_the_roster_is_told_whom_to_ask(site):
    answer = site.browser("eve@pods.example").get("/me/")

    assert answer.status_code == 200
    assert "eve@pods.example is not on the roster" in answer.text


def test_ada_without_a_pod_has_nothing_to_do(site):
    with site.tools.database.transaction() as session:
        build_person(session, "Ada")

    assert "You are in no pod yet" in site.browser("ada@pods.example").get("/me/").text


def test_after_leaving_a_pod_her_past_stays_and_the_future_is_not_hers(site, pods):
    with site.tools.database.transaction() as session:
        ada = session.query(Person).filter_by(mail="ada@pods.example").one()
        session.query(PodMember).filter_by(participant_id=ada.participant_id).one().left_at = NOW

    browser = site.browser("ada@pods.example")
    page = browser.get(f"/me/pods/{pods['own']}").text

    assert "25 minutes" in page
    assert "teams.example" not in page + browser.get("/me/").text


def test_with_counts_only_nobody_is_said_to_have_missed_anything(site):
    with site.tools.database.transaction() as session:
        ada = build_person(session, "Ada")
        series = meet(session, [ada], detail="counts only")
        series.occurrences[0].attendance = "measured"
        address = f"/me/pods/{series.pod_id}"

    page = site.browser("ada@pods.example").get(address).text

    assert "this program keeps no names" in page
    assert "not known yet" in page
    assert "not attended" not in page


def test_a_question_that_is_open_leads_to_its_page_and_an_answered_or_old_one_is_gone(site, pods):
    with site.tools.database.transaction() as session:
        ada = session.query(Person).filter_by(mail="ada@pods.example").one()
        first, second, third = session.get_one(PodMember, 1).pod.series[0].occurrences
        asked = {"participant": ada.participant, "asked_at": NOW}
        later, past = NOW + timedelta(days=3), NOW - timedelta(hours=1)
        answered = FeedbackAnswer(score=4, answered_at=NOW)
        session.add(FeedbackRequest(occurrence=first, nonce="a", expires_at=later, answer=answered, **asked))
        session.add(FeedbackRequest(occurrence=second, nonce="b", expires_at=later, **asked))
        session.add(FeedbackRequest(occurrence=third, nonce="c", expires_at=past, **asked))
        session.add(MetRequest(occurrence=first, nonce="d", expires_at=later, **asked))
    browser = site.browser("ada@pods.example")

    page = browser.get("/me/").text
    links = [part.partition('"')[0] for part in page.split('href="') if part.startswith("/feedback/")]

    assert "2 questions are open" in page
    assert [browser.get(link).status_code for link in links] == [200, 200]


def test_the_address_of_her_feed_opens_without_signing_in(site, pods):
    page = site.browser("ada@pods.example").get("/me/").text
    shown = unescape(page.partition('readonly value="')[2].partition('"')[0])

    feed = site.browser().get(urlsplit(shown).path)

    assert (feed.status_code, feed.mimetype) == (200, "text/calendar")
    assert feed.text.count("BEGIN:VEVENT") == 3


def test_scripts_and_long_names_are_words_only(site):
    with site.tools.database.transaction() as session:
        ada, other = build_person(session, "Ada"), build_person(session, "Grace")
        ada.name, other.name = f"Ada {SCRIPT}", "Wilhelmina-" * 30
        series = meet(session, [ada, other], name=f"Pod {SCRIPT}")
        series.pod.program.outcome = SCRIPT
        attended(session, series, ada, number=1, reason=SCRIPT)
        address = f"/me/pods/{series.pod_id}"
    browser = site.browser("ada@pods.example", name=SCRIPT)

    assert SCRIPT not in browser.get(address).text + browser.get("/me/").text


def test_many_pods_cost_no_more_queries_than_one(site):
    with site.tools.database.transaction() as session:
        ada = build_person(session, "Ada")
        for number in range(12):
            meet(session, [ada], name=f"Pod {number:02}")
    browser, statements = site.browser("ada@pods.example"), list[str]()
    event.listen(site.tools.database.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))

    assert browser.get("/me/").status_code == 200
    assert len(statements) < 25
