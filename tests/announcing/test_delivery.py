"""A receiver that knows nothing but docs/api.md."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from integration.announcing import receivers
from integration.announcing.announcements import Event, announce, forget_old, retry_announcement
from integration.announcing.models import Announcement, Receiver
from integration.clock import real_now
from integration.errors import Conflict
from integration.outbox import Message, State


def is_genuine(post, secret: str) -> bool:
    """As docs/api.md tells receivers to check, with the standard library alone."""
    key = base64.b64decode(secret[len("whsec_") :])
    text = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    expected = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(post.headers["webhook-timestamp"])) < 300
    given = [each.removeprefix("v1,") for each in post.headers["webhook-signature"].split(" ")]
    return fresh and any(hmac.compare_digest(expected, each) for each in given)


def say(office, event: Event = Event.PLAN_APPLIED) -> int:
    with office.tools.database.transaction() as session:
        return announce(session, event, {"plan_id": 7}, 3)


def make_due(office) -> None:
    """As when the back-off has passed."""
    with office.tools.database.transaction() as session:
        session.execute(update(Message).where(Message.state == State.WAITING).values(due_at=real_now()))


def test_a_stranger_verifies_the_signature_and_notices_any_change(office, stranger):
    secret = office.add_receiver(stranger.url)
    assert say(office) == 1

    office.work()

    (post,) = stranger.posts
    assert is_genuine(post, secret)
    assert post.path == "/hooks?for=pods"
    assert json.loads(post.body)["type"] == "plan.applied"
    assert json.loads(post.body)["data"] == {"plan_id": 7, "program_id": 3}
    post.body = post.body.replace(b"7", b"8")
    assert not is_genuine(post, secret)


def test_a_receiver_that_is_down_gets_it_later_with_the_same_id_and_once_acknowledged_no_more(office, stranger):
    secret = office.add_receiver(stranger.url)
    stranger.answers = [503, 302]  # a redirect is not followed
    say(office)

    for _ in range(5):
        office.work()
        make_due(office)

    assert len(stranger.posts) == 3
    assert {each.path for each in stranger.posts} == {"/hooks?for=pods"}
    assert len({each.headers["webhook-id"] for each in stranger.posts}) == 1
    assert len({each.body for each in stranger.posts}) == 1
    assert all(is_genuine(each, secret) for each in stranger.posts)
    (row,) = office.announcements()
    assert (row.state, row.attempts, row.answered, row.trouble) == ("delivered", 3, 204, None)


def test_nobody_listening_is_tried_again_and_given_up_after_three_days(office, stranger):
    office.add_receiver("http://127.0.0.1:9/")
    say(office)
    office.work()
    assert office.announcements()[0].state == "waiting"

    with office.tools.database.transaction() as session:
        session.execute(update(Announcement).values(made_at=real_now() - timedelta(days=3, minutes=1)))
    make_due(office)
    office.work()

    (row,) = office.announcements()
    assert (row.state, row.attempts, row.answered) == ("failed", 2, None)
    assert "cannot be reached" in str(row.trouble)
    make_due(office)
    assert office.work() == 0


def test_a_failed_one_is_sent_once_more_when_somebody_asks_and_a_delivered_one_is_not(office, stranger):
    office.add_receiver(stranger.url)
    say(office)
    with office.tools.database.transaction() as session:
        old = real_now() - timedelta(days=4)
        session.execute(update(Announcement).values(made_at=old, state="failed"))
        session.execute(update(Message).values(state=State.DONE))
        retry_announcement(session, session.scalars(select(Announcement.id)).one())

    office.work()

    (row,) = office.announcements()
    assert (row.state, len(stranger.posts)) == ("delivered", 1)
    with office.tools.database.transaction() as session, pytest.raises(Conflict):
        retry_announcement(session, row.id)


def test_410_stops_the_receiver_and_what_still_waits_for_it_is_not_sent(office, stranger):
    office.add_receiver(stranger.url)
    stranger.answers = [410]
    say(office)
    office.work()
    say(office)
    office.work()

    assert len(stranger.posts) == 1
    with office.tools.database.reading() as session:
        assert session.scalars(select(Receiver)).one().stopped_at is not None
    assert say(office) == 0


def test_a_receiver_hears_only_what_it_asked_for_and_each_receiver_with_its_own_secret(office, stranger):
    picky = office.add_receiver(stranger.url + "&who=picky", "plan.undone")
    curious = office.add_receiver(stranger.url + "&who=curious")
    assert picky != curious

    assert (say(office, Event.PLAN_APPLIED), say(office, Event.PLAN_UNDONE)) == (1, 2)
    office.work()

    assert len(stranger.posts) == 3
    for post in stranger.posts:
        assert is_genuine(post, picky if "picky" in post.path else curious)


def test_after_a_rotation_only_the_new_secret_signs(office, stranger):
    old = office.add_receiver(stranger.url)
    with office.tools.database.transaction() as session:
        receiver_id = session.scalars(select(Receiver.id)).one()
        _, new = receivers.rotate_secret(session, receiver_id, secret_key=office.tools.settings.secret_key)
        stored = session.get_one(Receiver, receiver_id).secret
    say(office)
    office.work()

    assert (is_genuine(stranger.posts[0], new), is_genuine(stranger.posts[0], old)) == (True, False)
    assert new not in stored


def test_nothing_is_announced_when_the_change_is_rolled_back(office, stranger):
    office.add_receiver(stranger.url)

    class Broken(Exception):
        pass

    def break_off():
        with office.tools.database.transaction() as session:
            announce(session, Event.PLAN_APPLIED, {}, 1)
            raise Broken

    with pytest.raises(Broken):
        break_off()
    assert office.work() == 0


def test_what_is_long_over_is_forgotten_and_what_waits_is_not(office, stranger):
    office.add_receiver(stranger.url)
    say(office)
    office.work()
    say(office)

    with office.tools.database.transaction() as session:
        forget_old(session, now=real_now() + timedelta(days=31))

    assert [each.state for each in office.announcements()] == ["waiting"]
