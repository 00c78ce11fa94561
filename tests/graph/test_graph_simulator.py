"""The client and the simulated tenant over real HTTP; their traffic keeps to Microsoft's contract."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from integration.graph.client import Graph, connect
from integration.graph.errors import Forbidden, NotFound
from integration.graph.resources import Attendee, EventChanges, EventDraft, MailDraft, WeeklyRule
from integration.graph.simulator.faults import Faults
from integration.graph.simulator.http.app import create_simulator
from integration.graph.simulator.http.record import Recorder
from integration.graph.simulator.http.server import serve
from integration.graph.simulator.tenant.tenant import Tenant
from tests.graph.scripted import Settings

CHECKER = Path(__file__).resolve().parents[3] / "shared" / "graph" / "contract" / "check_traffic.py"


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    return tmp_path / "traffic.jsonl"


@pytest.fixture
def graph(tenant: Tenant, traffic: Path) -> Iterator[Graph]:
    recorder = Recorder(traffic)
    server = serve(create_simulator(tenant, faults=Faults(), recorder=recorder), "127.0.0.1", 0).start()
    door = connect(Settings(f"{server.url}/v1.0", tenant.id, tenant.app.id, tenant.app.secret))
    yield door
    door.close()
    server.stop()
    recorder.close()


def first_session(tenant: Tenant) -> datetime:
    day = tenant.clock.now() + timedelta(days=21)
    return day.replace(hour=9, minute=0, second=0, microsecond=0, tzinfo=None)


def build_draft(tenant: Tenant) -> EventDraft:
    starts = first_session(tenant)
    weekly = WeeklyRule(starts.date(), 6)
    return EventDraft(
        "Pod", "<p>Agenda</p>", starts, timedelta(hours=1), "Europe/Zurich", "tx-1", "pod-1", weekly=weekly
    )


def test_a_series_lives_from_silent_create_to_cancellation(tenant: Tenant, graph: Graph, traffic: Path) -> None:
    organizer = tenant.organizers[0]
    box = organizer.mail
    ada, grace = [person.mail for person in tenant.directory.people if person.kind == "person"][:2]
    window = (tenant.clock.now(), tenant.clock.now() + timedelta(days=90))

    series = graph.calendar.create_event(box, build_draft(tenant))
    assert graph.calendar.create_event(box, build_draft(tenant)).id == series.id
    found = graph.calendar.find_by_tag(box, "pod-1")
    assert found
    assert found.id == series.id
    before = graph.calendar.delta(box, *window)
    sessions = graph.calendar.instances(box, series.id, *window)
    assert len(sessions) == 6
    assert {_wall(each.starts_at) for each in sessions} == {"09:00"}  # across the change of clocks

    graph.calendar.delete_event(box, sessions[2].id)
    invited = graph.calendar.update_event(box, series.id, EventChanges(attendees=(Attendee(ada), Attendee(grace))))
    assert {each.address for each in invited.attendees} == {ada, grace}
    moved = graph.calendar.update_event(
        box, sessions[1].id, EventChanges(starts_local=first_session(tenant) + timedelta(days=8))
    )
    assert moved.type == "exception"
    after = graph.calendar.delta_from(before.link)
    assert sessions[2].id in {each.id for each in after.removed}
    answers = graph.batch([graph.calendar.part_to_get(box, each.id) for each in sessions])
    assert [each.status for each in answers] == [200, 200, 404, 200, 200, 200]

    assert series.join_url
    meeting = graph.meetings.by_join_url(organizer.id, series.join_url)
    assert graph.meetings.reports(organizer.id, meeting.id) == ()
    people = graph.availability.schedules(box, [ada, "nobody@example.com"], *window)
    assert people[ada].working_hours
    assert people["nobody@example.com"].error

    graph.calendar.cancel_event(box, series.id, "No room")
    graph.calendar.cancel_event(box, series.id, "No room")
    with pytest.raises(NotFound):
        graph.calendar.get_event(box, series.id)
    keeps_the_contract(traffic, requests=graph.requests())


def test_a_mail_leaves_by_draft_and_send(tenant: Tenant, graph: Graph, traffic: Path) -> None:
    sender = tenant.senders[0].mail
    ada = next(person.mail for person in tenant.directory.people if person.kind == "person")
    mail = MailDraft(ada, "Ada", "Hello", "<p>Hi</p>", "mail-1", list_unsubscribe="https://pods.example/u/1")
    draft = graph.mail.create_draft(sender, mail)
    found = graph.mail.find_by_tag(sender, "mail-1")
    assert found
    assert (found.id, found.is_draft, found.recipients) == (draft.id, True, (ada,))
    graph.mail.send_draft(sender, draft.id)
    assert graph.mail.inbox(sender, tenant.clock.now()) == ()
    keeps_the_contract(traffic, requests=graph.requests())


def test_people_and_roles_are_read_and_an_employees_mailbox_is_not_written(tenant: Tenant, graph: Graph) -> None:
    ada = next(person for person in tenant.directory.people if person.kind == "person")
    assert {user.id for user in graph.directory.users()} == {person.id for person in tenant.directory.people}
    assert graph.directory.user(ada.mail).department == ada.department
    assert "User.Read.All" in graph.token_roles()
    with pytest.raises(Forbidden) as caught:
        graph.calendar.create_event(ada.mail, build_draft(tenant))
    assert "RBAC for Applications" in caught.value.remedy
    with pytest.raises(NotFound):
        graph.directory.user("nobody@example.com")


def keeps_the_contract(traffic: Path, *, requests: int) -> None:
    if not CHECKER.exists():
        return  # the facts above were checked all the same
    ran = subprocess.run([sys.executable, str(CHECKER), str(traffic)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    judged = re.search(r"(\d+) exchanges, 0 with errors", ran.stderr)  # its summary goes there
    assert judged, ran.stderr
    assert int(judged.group(1)) == requests  # an empty recording has no errors either


def _wall(at: datetime) -> str:
    return at.astimezone(ZoneInfo("Europe/Zurich")).strftime("%H:%M")
