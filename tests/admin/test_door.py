from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from integration.admin import door
from integration.admin.models import WebSession
from integration.admin.permissions import (
    PERMISSIONS,
    Permission,
    Reach,
    Role,
    Thing,
    Visitor,
    may,
    programs_within_reach,
)
from integration.admin.sessions import IDLE, end_sessions_of, forget_ended, open_session
from integration.clock import real_now
from integration.jobs import tidy


def visitor(*roles: Role, **known: object) -> Visitor:
    return Visitor(mail="ada@pods.example", name="Ada", roles=frozenset(roles), **known)  # type: ignore[arg-type]


def test_a_view_without_a_rule_keeps_the_application_from_starting():
    app = Flask("open")
    app.add_url_rule("/open", "left_open", lambda: "everybody")

    with pytest.raises(RuntimeError, match="left_open"):
        door.refuse_open_views(app)


def test_every_permission_is_in_the_table_and_given_to_somebody():
    assert set(PERMISSIONS) == set(Permission)
    assert all(PERMISSIONS.values())


def test_a_coordinator_limited_to_a_program_reaches_that_one_only():
    grace = visitor(Role.COORDINATOR, coordinates=frozenset({1}))

    assert may(grace, Permission.PROGRAM_SEE)
    assert may(grace, Permission.PROGRAM_SEE, Thing(program_id=1))
    assert not may(grace, Permission.PROGRAM_SEE, Thing(program_id=2))
    assert programs_within_reach(grace, Permission.PROGRAMS_SEE) == {1}


def test_a_coordinator_without_limits_and_an_administrator_reach_every_program():
    for role in (Role.COORDINATOR, Role.ADMINISTRATOR):
        assert may(visitor(role), Permission.PROGRAM_APPLY, Thing(program_id=9))
        assert programs_within_reach(visitor(role), Permission.PROGRAMS_SEE) is None


def test_a_leader_reaches_the_summaries_of_the_programs_they_lead_and_nothing_else():
    alan = visitor(Role.LEADER, leads=frozenset({3}))

    assert may(alan, Permission.SUMMARY_SEE, Thing(program_id=3))
    assert not may(alan, Permission.SUMMARY_SEE, Thing(program_id=1))
    assert not may(alan, Permission.PROGRAM_SEE, Thing(program_id=3))


def test_an_employee_reaches_their_own_pages_only():
    ada = visitor(Role.EMPLOYEE, person_id=7)

    assert may(ada, Permission.MY_PODS_SEE, Thing(person_id=7))
    assert not may(ada, Permission.MY_PODS_SEE, Thing(person_id=8))
    assert not may(visitor(Role.EMPLOYEE), Permission.MY_PODS_SEE, Thing(person_id=8))


def test_a_thing_that_is_nobodys_is_out_of_reach_of_whoever_has_only_their_own():
    limited = visitor(Role.COORDINATOR, coordinates=frozenset({1}))
    assert not may(limited, Permission.PROGRAM_SEE, Thing())


def test_a_token_does_no_more_than_its_scopes():
    script = visitor(Role.ADMINISTRATOR, scopes=frozenset({Permission.PEOPLE_SEE}))

    assert may(script, Permission.PEOPLE_SEE)
    assert not may(script, Permission.PEOPLE_IMPORT)


def test_only_employees_pages_are_open_to_every_role():
    for permission, reaches in PERMISSIONS.items():
        if Role.EMPLOYEE in reaches:
            assert reaches[Role.EMPLOYEE] is Reach.OWN, permission


def test_nobody_is_asked_to_sign_in_first_and_led_back_to_the_page(site):
    answer = site.browser().get("/auth/sessions?a=1")

    assert answer.status_code == 302
    assert answer.location == "/auth/sign-in?next=/auth/sessions?a%3D1"


def test_a_signed_in_employee_sees_their_own_page(site):
    assert site.browser("ada@pods.example").get("/auth/sessions").status_code == 200


def test_signing_out_ends_the_session_even_for_a_copy_of_its_cookie(site):
    browser = site.browser("ada@pods.example")
    name = site.app.config["SESSION_COOKIE_NAME"]
    copied = browser.get_cookie(name)
    assert copied is not None

    browser.post("/auth/sign-out")

    thief = site.app.test_client()
    thief.set_cookie(name, copied.value)
    assert thief.get("/auth/sessions").status_code == 302


def test_an_idle_session_and_one_that_is_too_old_end_by_the_real_clock(site):
    for age, ends in ((IDLE + timedelta(minutes=1), 302), (IDLE - timedelta(minutes=5), 200)):
        browser = site.app.test_client()
        with site.tools.database.transaction() as session:
            key = open_session(session, now=real_now() - age, mail="ada@pods.example")
        browser.set_cookie(site.app.config["SESSION_COOKIE_NAME"], key)
        assert browser.get("/auth/sessions").status_code == ends


def test_signing_out_everywhere_ends_every_browser_of_that_person_and_no_other(site):
    first, second = site.browser("ada@pods.example"), site.browser("Ada@pods.example")
    other = site.browser("grace@pods.example")

    with site.tools.database.transaction() as session:
        assert end_sessions_of(session, "ada@pods.example") == 2
        forget_ended(session, now=real_now())

    assert [each.get("/auth/sessions").status_code for each in (first, second, other)] == [302, 302, 200]


def test_sessions_that_ended_are_forgotten_when_the_scheduler_tidies(site):
    with site.tools.database.transaction() as session:
        open_session(session, now=real_now() - IDLE - timedelta(minutes=1), mail="ada@pods.example")
        open_session(session, now=real_now(), mail="grace@pods.example")

    tidy(site.tools)

    with site.tools.database.reading() as session:
        assert session.scalars(select(WebSession.mail)).all() == ["grace@pods.example"]
