from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from integration.api.models import ApiToken, RepeatableRequest
from integration.api.repeating import KEPT, Answer, forget_old, once
from integration.clock import real_now
from integration.errors import Conflict
from integration.scheduling.models import Program
from tests.at_once import at_once

PROGRAM = {"name": "Onboarding", "outcome": "o", "metric": "m", "baseline": "b", "starts_on": "2026-03-02"}
KEY = {"Idempotency-Key": "7c4a"}


def programs(api) -> int:
    with api.site.tools.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Program)) or 0


def test_a_repeated_request_has_its_effect_once_and_the_same_answer(api):
    script = api.script()

    first, second = (script.post("/programs", json=PROGRAM, headers=KEY) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.data, first.headers["Location"]) == (second.data, second.headers["Location"])
    assert second.headers["Idempotent-Replayed"] == "true"
    assert programs(api) == 1


def test_the_same_key_with_another_request_is_refused_and_another_token_has_its_own_keys(api):
    script, other = api.script("one"), api.script("two")
    script.post("/programs", json=PROGRAM, headers=KEY)

    assert script.post("/programs", json={**PROGRAM, "name": "Else"}, headers=KEY).status_code == 422
    assert other.post("/programs", json={**PROGRAM, "name": "Else"}, headers=KEY).status_code == 201
    assert script.post("/programs", json=PROGRAM, headers={"Idempotency-Key": "x" * 256}).status_code == 400


def test_a_request_that_failed_may_be_corrected_under_the_same_key(api):
    script = api.script()

    assert script.post("/programs", json={**PROGRAM, "members": ["a@b.example"]}, headers=KEY).status_code == 400
    assert script.post("/programs", json=PROGRAM, headers=KEY).status_code == 201


def test_of_many_at_once_one_does_the_work_and_the_others_are_told_to_wait_or_get_its_answer(api):
    script = api.script()

    def ask():
        client = api.site.app.test_client()
        headers = {"Authorization": f"Bearer {script.token}", **KEY}
        return client.post("/api/v1/programs", json=PROGRAM, headers=headers).status_code

    statuses = at_once(*[ask] * 6)
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert programs(api) == 1


def test_a_request_whose_worker_died_is_taken_over_after_a_while_and_forgotten_after_a_day(api):
    api.script()
    database = api.site.tools.database
    with database.transaction() as session:
        token_id = session.scalars(select(ApiToken.id)).one()
        session.add(RepeatableRequest(token_id=token_id, key="k", request_hash="h", asked_at=real_now()))

    def repeat() -> tuple[Answer, bool]:
        return once(database, lambda _: Answer(200, {"a": 1}), token_id=token_id, key="k", request_hash="h")

    with pytest.raises(Conflict):
        repeat()
    with database.transaction() as session:
        session.execute(update(RepeatableRequest).values(asked_at=real_now() - timedelta(minutes=3)))
    assert repeat() == (Answer(200, {"a": 1}), False)
    assert repeat() == (Answer(200, {"a": 1}), True)
    with database.transaction() as session:
        forget_old(session, now=real_now() + KEPT + timedelta(minutes=1))
    assert repeat() == (Answer(200, {"a": 1}), False)
