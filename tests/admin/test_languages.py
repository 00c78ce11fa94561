"""Pages speak the language of their visitor, and tell times on the visitor's wall."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from flask import render_template_string

from integration.admin.checkups import record_finding
from integration.admin.door import public
from integration.admin.models import Checkup
from integration.admin.permissions import Role
from integration.attendance.collection import NO_REPORTS
from integration.language import lazy
from integration.people.models import Participant, Person
from integration.scheduling.models import Plan
from integration.wording import kept
from tests.admin.conftest import Site
from tests.admin.test_today import move, parked, pod

GERMAN = {"Accept-Language": "de-CH,de;q=0.9,en;q=0.5"}
AT = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
SHOWN = "{{ at|moment }} / {{ at|day }} / {{ on|day }} / {{ 1234.5|number }} / {{ 0.42|percent }} / {{ none|moment }}"


def know(site: Site, name: str, *, language: str | None, time_zone: str | None) -> str:
    mail = f"{name.lower()}@pods.example"
    with site.tools.database.transaction() as session:
        session.add(
            Person(name=name, mail=mail, language=language, time_zone=time_zone, participant=Participant(), skills=[])
        )
    return mail


def show_everything(site: Site) -> None:
    view = public(lambda: render_template_string(SHOWN, at=AT, on=date(2026, 3, 2)))
    site.app.add_url_rule("/shown", "shown", view)


def test_a_page_says_in_which_language_it_is_and_that_another_visitor_gets_another(site: Site):
    german, english = site.browser().get("/", headers=GERMAN), site.browser().get("/")

    assert '<html lang="de"' in german.text
    assert "Kleine Gruppen" in german.text
    assert german.headers["Content-Language"] == "de"
    assert "Accept-Language" in german.headers["Vary"]
    assert '<html lang="en"' in english.text
    assert english.headers["Content-Language"] == "en"


def test_what_a_person_chose_counts_more_than_the_browser(site: Site):
    grace = site.browser(know(site, "Grace", language="en", time_zone=None))
    alan = site.browser(know(site, "Alan", language="de", time_zone=None))

    assert '<html lang="en"' in grace.get("/nowhere", headers=GERMAN).text
    assert '<html lang="de"' in alan.get("/nowhere").text


def test_errors_are_explained_in_the_language_too_also_by_the_door_and_for_nobody_after_them(site: Site):
    missing = site.browser().get("/nowhere", headers=GERMAN)
    ada = site.browser(know(site, "Ada", language="de", time_zone=None))
    refused = ada.get("/admin/access/nobody")

    assert (missing.status_code, "Nicht gefunden" in missing.text) == (404, True)
    assert '<html lang="de"' in refused.text
    assert "Not Found" in site.browser().get("/nowhere").text


def test_times_are_on_the_visitors_wall_and_figures_in_the_visitors_language(site: Site):
    show_everything(site)
    alan = site.browser(know(site, "Alan", language="de", time_zone="Europe/Zurich"))
    grace = site.browser(know(site, "Grace", language="en", time_zone="America/New_York"))

    assert alan.get("/shown").text == (
        "25.11.2026, 00:30 MEZ / 25. November 2026 / 2. März 2026 / 1.234,5 / 42\xa0% / –"
    )
    assert grace.get("/shown").text == (
        "24 Nov 2026, 18:30 America/New_York / 24 November 2026 / 2 March 2026 / 1,234.5 / 42% / –"
    )


def test_troubles_that_workers_wrote_down_are_told_in_the_visitors_language(site: Site):
    refused = lazy("The receiver answered %(status)s.", status=503)
    with site.tools.database.transaction() as session:
        series = pod(session, "Pod of Grace")
        series.trouble = lazy("Outlook made the series without a Teams link.")
        occurrence = series.occurrences[0]
        move(occurrence, timedelta(days=-2))
        occurrence.attendance, occurrence.attendance_reason = "unknown", NO_REPORTS
        message = parked(series)
        message.last_error = refused
        checkup = Checkup(asked_at=AT, asked_by="ada@pods.example", begun_at=AT, ended_at=AT, findings=[])
        session.add_all([message, checkup])
        session.flush()
        record_finding(session, checkup.id, check=lazy("directory"), remedy=lazy("Check REDIS_URL."))
        plan = Plan(program=series.pod.program, made_at=AT, state="failed", content={})
        plan.trouble, plan.remedy = lazy("The mailbox does not take the time zone %(zone)s.", zone="Mars"), None
        session.add(plan)
        session.flush()
        plan_id, pod_id = plan.id, series.pod_id
    alan = site.browser(know(site, "Alan", language="de", time_zone=None), Role.ADMINISTRATOR)

    assert "Outlook hat die Serie ohne Teams-Link angelegt." in alan.get(f"/admin/pods/{pod_id}").text
    assert "Outlook hat die Serie ohne Teams-Link angelegt." in alan.get("/admin/pods").text
    today, health = alan.get("/admin/").text, alan.get("/admin/health").text
    assert "Outlook hat die Serie ohne Teams-Link angelegt." in today
    assert "Berichte dieses Organisators kommen nicht an." in today
    assert "Der Empfänger antwortete mit 503." in health
    assert "Verzeichnis" in health
    assert "Prüfen Sie REDIS_URL." in health
    assert "Das Postfach nimmt die Zeitzone Mars nicht an." in alan.get(f"/admin/plans/{plan_id}").text
    grace = site.browser(know(site, "Grace", language="en", time_zone=None), Role.ADMINISTRATOR)
    assert "Outlook made the series without a Teams link." in grace.get("/admin/").text


def test_a_plan_drafted_for_one_reader_is_read_by_another_in_german(site: Site):
    saturday = {"weekday": "Saturday", "time": "21:00", "missing": {"grace@pods.example": kept(lazy("not asked"))}}
    with site.tools.database.transaction() as session:
        series = pod(session, "Pod of Grace")
        shown = {
            "name": "Pod 01", "time_zone": "UTC", "weekday": None, "time": None, "starts_local": None,
            "starts_at": None, "minutes": 30, "sessions": 0, "members": ["grace@pods.example"],
            "names": {"grace@pods.example": "Grace"}, "organizer": "learning@pods.example", "facilitators": [],
            "dates": [], "problems": [kept(lazy("%(name)s: %(assumed)s.", name="Grace", assumed=lazy("not asked")))],
            "compromises": [saturday],
        }  # fmt: skip
        reason = {"mail": "grace@pods.example", "pod": "Pod 01", "reason": kept(lazy("not asked"))}
        content = {
            "pods": [shown], "people_without_slot": [reason], "people_without_pod": [], "mails": {}, "held": [],
            "series": 0, "changes": 0, "seconds": 1,
        }  # fmt: skip
        plan = Plan(program=series.pod.program, made_at=AT, content=content)
        session.add(plan)
        session.flush()
        plan_id = plan.id
    alan = site.browser(know(site, "Alan", language="de", time_zone=None), Role.ADMINISTRATOR)

    page = alan.get(f"/admin/plans/{plan_id}").text
    assert "Grace: nicht gefragt." in page
    assert "(Pod 01): nicht gefragt" in page
    assert "Samstag 21:00" in page
