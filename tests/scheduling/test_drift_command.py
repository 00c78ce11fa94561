"""`pods drift` as somebody types it: what differs, who would be mailed, a decision, and who made it in the trail."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from getpass import getuser

import pytest
from sqlalchemy import select

from integration.admin.models import AuditEntry
from integration.graph.simulator.faults import Fault
from integration.serve import start_embedded_redis
from tests.scheduling.conftest import Office
from tests.scheduling.drifting import invited, mails, move, take_off, unlink, work
from tests.scheduling.test_commands import pods as typed_pods

Pods = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def queue_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Graph is asked by the command itself, and requests are counted in a queue."""
    server = start_embedded_redis(tmp_path_factory.mktemp("queue"))
    yield server.url
    server.stop()


@pytest.fixture
def pods(office: Office, queue_url: str) -> Pods:
    """`pods` in a shell: words, and what is typed into it."""
    settings = office.tools.settings
    given = {name: settings.required(name) for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")}
    return partial(typed_pods, office, redis_url=queue_url, WEBHOOKS="off", LOG_LEVEL="WARNING", **given)


def trail(office: Office) -> list[tuple[str, str, object]]:
    with office.tools.database.reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(each.actor, each.action, each.after) for each in entries]


def test_nothing_differs(office: Office, pods: Pods):
    invited(office)

    done = pods("drift")

    assert (done.returncode, done.stderr) == (0, "")
    assert "1 series is as wanted." in done.stdout
    assert pods("drift", "--repair").stdout == done.stdout


def test_what_differs_is_printed_and_nothing_is_changed(office: Office, pods: Pods):
    series_id = invited(office)
    take_off(office, series_id, "Alan")

    with mails(office) as told:
        done = pods("drift", "Onboarding")
        work(office)

    assert (done.returncode, told, trail(office)) == (0, {}, [])
    assert "No. 1, Pod 01: Attendee missing, since 2 Mar 2026" in done.stdout
    assert f"    {office.mails('Alan')[0]} was taken off the series in Outlook." in done.stdout
    assert "0 series are as wanted." in done.stdout
    assert pods("drift", "Onbording").returncode == 1


def test_a_decision_says_whom_it_mails_and_stands_in_the_audit_trail(office: Office, pods: Pods):
    series_id = invited(office)
    take_off(office, series_id, "Alan")

    with mails(office) as told:
        refused = pods("drift", "--repair", typed="put back\nn\n")
        work(office)
    assert told == {}
    assert "Nothing was changed." in refused.stdout
    assert trail(office) == []

    with mails(office) as told:
        done = pods("drift", "--repair", typed="put back\ny\n")
        work(office)

    assert told == {("Alan", "meetingRequest"): 1}
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 mail is sent:" in done.stdout
    assert f"{office.mails('Alan')[0]}: 1" in done.stdout
    assert "1 difference is decided." in done.stdout
    decision = {"decision": "put back", "kind": "attendee missing", "mails": 1}
    assert trail(office) == [(f"terminal:{getuser()}", "pod.repair", decision)]
    assert "1 series is as wanted." in pods("drift").stdout


def test_keeping_what_outlook_has_mails_nobody_and_stands_in_the_trail_too(office: Office, pods: Pods):
    series_id = invited(office)
    move(office, series_id, "2026-03-10T11:30")

    with mails(office) as told:
        done = pods("drift", "--repair", typed="adopt\ny\n")
        work(office)

    assert told == {}
    assert "Nobody is mailed." in done.stdout
    assert [after for _, _, after in trail(office)] == [{"decision": "adopt", "kind": "series moved", "mails": 0}]


def test_unasked_only_what_the_policy_proposes_is_put_back(office: Office, pods: Pods):
    series_id = invited(office)
    unlink(office)
    take_off(office, series_id, "Alan")

    done = pods("drift", "--repair", "--yes")
    work(office)

    assert "needs a person." in done.stdout
    assert [after["kind"] for _, _, after in trail(office)] == ["link missing"]  # type: ignore[index]


def test_a_series_that_cannot_be_compared_is_named(office: Office, pods: Pods):
    invited(office)
    office.simulator.faults.order(Fault(do="status", method="GET", path="/events/", status=403, times=None))

    done = pods("drift")

    assert done.returncode == 1
    assert "Onboarding" in done.stdout
    assert "0 series are as wanted." in done.stdout


@pytest.mark.parametrize("typed", ["", "leave\n"])
def test_whoever_leaves_it_or_hangs_up_changes_nothing(office: Office, pods: Pods, typed: str):
    series_id = invited(office)
    take_off(office, series_id, "Alan")

    pods("drift", "--repair", typed=typed)

    work(office)
    assert trail(office) == []


def test_to_a_german_everything_is_said_in_german(office: Office, pods: Pods):
    series_id = invited(office)
    take_off(office, series_id, "Alan")
    alan = office.mails("Alan")[0]

    shown = pods("drift", LC_ALL="de_CH.UTF-8")
    done = pods("drift", "--repair", typed="put back\ny\n", LC_ALL="de_CH.UTF-8")
    work(office)
    after = pods("drift", LC_ALL="de_CH.UTF-8")

    assert "Nr. 1, Pod 01: Jemand fehlt, seit 02.03.2026, 08:00 MEZ" in shown.stdout
    assert f"put back: Wieder einladen: 1 Mail, an {alan}." in shown.stdout
    assert "0 Terminserien sind wie gewünscht." in shown.stdout
    assert "Was stimmt bei Nr. 1?" in done.stdout
    assert "1 Abweichung ist entschieden. Den Rest erledigen die Worker." in done.stdout
    assert after.stdout == "1 Terminserie ist wie gewünscht.\n"
