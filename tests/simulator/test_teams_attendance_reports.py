"""A call makes one report, some minutes after it has ended, in the shapes of the documentation."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from .contract import load_contract, violations


class Pod:
    """A weekly meeting of organizer One, with Ada and Grace, on a clock that stands at the start of the call."""

    def __init__(self, simulator, graph: httpx.Client, control: httpx.Client) -> None:
        tenant = simulator.tenant
        self.graph, self.control, self.tenant = graph, control, tenant
        self.organizer = tenant.organizers[0]
        self.ada, self.grace = [one for one in tenant.directory.people if one.kind == "person"][:2]
        now = tenant.clock.now()
        self.meeting = tenant.teams.mint_meeting(
            self.organizer, subject="Pod", starts_at=now, ends_at=now + timedelta(hours=1), recurring=True
        )
        self.path = f"/users/{self.organizer.id}/onlineMeetings/{self.meeting.id}/attendanceReports"

    def wait(self, **length: float) -> None:
        to = self.tenant.clock.now() + timedelta(**length)
        self.control.post("/clock", json={"to": to.isoformat()}).raise_for_status()

    def joins(self, person=None, **more: object) -> bool:
        who = {"person": person.mail} if person else {}
        answer = self.control.post("/calls/join", json={"join_url": self.meeting.join_url, **who, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()["admitted"]

    def leaves(self, person=None, **more: str) -> None:
        who = {"person": person.mail} if person else {}
        answer = self.control.post("/calls/leave", json={"join_url": self.meeting.join_url, **who, **more})
        assert answer.status_code == 200, answer.text

    def meets(self, *people, minutes: int = 30) -> None:
        for one in people:
            self.joins(one)
        self.wait(minutes=minutes)
        for one in people:
            self.leaves(one)

    def reports(self) -> list[dict]:
        return self.graph.get(self.path).json()["value"]

    def records(self) -> list[dict]:
        """Of the newest report."""
        return self.graph.get(f"{self.path}/{self.reports()[0]['id']}/attendanceRecords").json()["value"]

    def set(self, **switches: object) -> None:
        self.control.post("/switches", json=switches).raise_for_status()


@pytest.fixture
def pod(simulator, graph, control) -> Pod:
    return Pod(simulator, graph, control)


def test_a_report_is_listed_four_minutes_after_the_call_and_its_records_only_on_the_report_itself(pod):
    pod.meets(pod.ada, pod.grace, minutes=30)
    assert pod.reports() == []
    pod.wait(minutes=4)
    (listed,) = pod.reports()
    assert listed["attendanceRecords"] == []
    assert listed["totalParticipantCount"] == 2
    plain = pod.graph.get(f"{pod.path}/{listed['id']}").json()
    assert "attendanceRecords" not in plain
    full = pod.graph.get(f"{pod.path}/{listed['id']}", params={"$expand": "attendanceRecords"}).json()
    ada = next(one for one in full["attendanceRecords"] if one["emailAddress"] == pod.ada.mail)
    assert ada["identity"] == {"id": pod.ada.id, "displayName": pod.ada.name, "tenantId": None}
    assert ada["role"] == "Presenter"
    assert ada["totalAttendanceInSeconds"] == 1800
    assert [sorted(one) for one in ada["attendanceIntervals"]] == [
        ["durationInSeconds", "joinDateTime", "leaveDateTime"]
    ]


def test_coming_back_makes_another_interval_and_coming_back_after_the_end_another_report(pod):
    pod.joins(pod.ada)
    pod.joins(pod.grace)
    pod.wait(minutes=10)
    pod.leaves(pod.ada)
    pod.wait(minutes=5)
    pod.joins(pod.ada)
    pod.wait(minutes=10)
    pod.leaves(pod.ada)
    pod.leaves(pod.grace)
    pod.wait(minutes=10)
    assert {one["emailAddress"]: len(one["attendanceIntervals"]) for one in pod.records()} == {
        pod.ada.mail: 2,
        pod.grace.mail: 1,
    }
    pod.meets(pod.grace, minutes=1)
    pod.wait(minutes=4)
    assert len(pod.reports()) == 2


def test_two_devices_at_once_are_two_intervals_that_count_twice(pod):
    pod.joins(pod.ada, device="laptop")
    pod.joins(pod.ada, device="phone")
    pod.wait(minutes=10)
    pod.leaves(pod.ada, device="phone")
    pod.leaves(pod.ada, device="laptop")
    pod.wait(minutes=4)
    (ada,) = pod.records()
    assert len(ada["attendanceIntervals"]) == 2
    assert ada["totalAttendanceInSeconds"] == 1200
    pod.set(record_per_device=True)
    assert [one["totalAttendanceInSeconds"] for one in pod.records()] == [600, 600]


def test_telephones_anonymous_people_and_masked_ones_have_no_account(pod):
    pod.joins(pod.ada, kind="masked")
    pod.joins(pod.grace)
    pod.joins(kind="phone", name="+41 79 555 01 99")
    pod.joins(kind="anonymous", name="Mallory")
    pod.joins(kind="guest", name="Linus (Guest)")
    pod.wait(minutes=10)
    pod.leaves(pod.ada, kind="masked")
    pod.leaves(pod.grace)
    pod.leaves(kind="phone", name="+41 79 555 01 99")
    pod.leaves(kind="anonymous", name="Mallory")
    pod.leaves(kind="guest", name="Linus (Guest)")
    pod.wait(minutes=4)
    told = {one["identity"]["displayName"]: one for one in pod.records()}
    assert told[None]["identity"]["id"] is None
    assert told[None]["emailAddress"] is None
    assert told["Mallory"]["identity"]["id"] is None
    assert told["+41 79 555 01 99"]["role"] == "Attendee"
    assert told["Linus (Guest)"]["identity"]["id"] is not None
    assert told[pod.grace.name]["emailAddress"] == pod.grace.mail


def test_nobody_is_admitted_when_only_a_service_account_may_let_people_in(pod):
    settings = {"lobbyBypassSettings": {"scope": "organizer"}}
    assert pod.graph.patch(pod.path.removesuffix("/attendanceReports"), json=settings).status_code == 200
    assert pod.joins(pod.ada) is False
    pod.wait(minutes=30)
    pod.leaves(pod.ada)
    pod.wait(hours=3)
    assert pod.reports() == []
    assert pod.control.get("/calls").json() == []


def test_a_stranger_waits_until_somebody_is_inside(pod):
    assert pod.joins(kind="anonymous", name="Mallory") is False
    pod.wait(minutes=3)
    assert pod.joins(pod.ada) is True
    (call,) = pod.control.get("/calls").json()
    assert [one["name"] for one in call["participants"]] == [pod.ada.name, "Mallory"]
    assert len({one["intervals"][0]["joined_at"] for one in call["participants"]}) == 1


def test_the_list_shows_the_fifty_newest_reports_and_the_others_can_be_read_by_id(pod):
    for _ in range(52):
        pod.meets(pod.ada, minutes=1)
        pod.wait(minutes=1)
    pod.wait(minutes=4)
    listed = pod.reports()
    assert len(listed) == 50
    assert listed == sorted(listed, key=lambda one: one["meetingStartDateTime"], reverse=True)
    oldest = pod.meeting.calls[0]
    assert oldest.id not in {one["id"] for one in listed}
    assert pod.graph.get(f"{pod.path}/{oldest.id}").status_code == 200


def test_a_report_can_be_late_or_never_come_or_be_switched_off(pod):
    pod.meets(pod.ada, pod.grace, minutes=30)
    join_url = pod.meeting.join_url
    pod.control.post("/reports", json={"join_url": join_url, "delay_minutes": 120}).raise_for_status()
    pod.wait(minutes=119)
    assert pod.reports() == []
    assert (
        pod.control.get("/state").json()["next_event_at"]
        == ((pod.meeting.calls[0].ended_at or datetime.min.replace(tzinfo=UTC)) + timedelta(minutes=120)).isoformat()
    )
    pod.wait(minutes=1)
    assert len(pod.reports()) == 1
    pod.control.post("/reports", json={"join_url": join_url, "delay_minutes": -1}).raise_for_status()
    assert pod.reports() == []
    pod.control.post("/reports", json={"join_url": join_url, "delay_minutes": None}).raise_for_status()
    assert len(pod.reports()) == 1
    pod.set(engagement_report="Disabled")
    assert pod.reports() == []


def test_a_running_call_may_show_an_empty_report_that_fills_later(pod):
    pod.set(report_while_running=True)
    pod.joins(pod.ada)
    pod.joins(pod.grace)
    pod.wait(minutes=10)
    (running,) = pod.reports()
    assert running["totalParticipantCount"] == 0
    assert pod.records() == []
    pod.leaves(pod.ada)
    pod.leaves(pod.grace)
    pod.wait(minutes=4)
    (final,) = pod.reports()
    assert (final["id"], final["totalParticipantCount"]) == (running["id"], 2)


def test_a_running_call_may_show_a_partial_report(pod):
    pod.control.post("/reports", json={"join_url": pod.meeting.join_url, "while_running": "partial"})
    pod.joins(pod.ada)
    pod.wait(minutes=10)
    pod.joins(pod.grace)
    pod.leaves(pod.ada)
    partial = {one["emailAddress"]: one["totalAttendanceInSeconds"] for one in pod.records()}
    assert partial == {pod.ada.mail: 600, pod.grace.mail: 0}
    early = pod.reports()[0]["id"]
    pod.wait(minutes=10)
    pod.leaves(pod.grace)
    pod.wait(minutes=4)
    assert [one["id"] for one in pod.reports()] == [early]
    assert [one["totalAttendanceInSeconds"] for one in pod.records()] == [600, 600]


def test_one_meeting_may_have_its_own_delay_and_a_record_for_each_device(pod):
    told = {"join_url": pod.meeting.join_url, "delay_minutes": 120, "record_per_device": True}
    assert pod.control.post("/reports", json=told).json()["delay_minutes"] == 120
    pod.joins(pod.ada)
    pod.joins(pod.ada, device="mobile")
    pod.wait(minutes=10)
    pod.leaves(pod.ada)
    pod.leaves(pod.ada, device="mobile")
    pod.wait(minutes=119)
    assert pod.reports() == []
    pod.wait(minutes=1)
    assert [one["emailAddress"] for one in pod.records()] == [pod.ada.mail, pod.ada.mail]
    refused = pod.control.post("/reports", json={"join_url": pod.meeting.join_url, "while_running": "half"})
    assert refused.status_code == 400


def test_one_organizers_policy_may_allow_no_reports(pod):
    pod.meets(pod.ada, pod.grace)
    pod.wait(minutes=4)
    assert len(pod.reports()) == 1
    pod.control.patch(f"/people/{pod.organizer.mail}", json={"engagement_report": "Disabled"}).raise_for_status()
    assert pod.reports() == []


def test_people_of_other_organizations_and_hidden_addresses(pod):
    pod.joins(pod.ada, shows_address=False)
    pod.joins(kind="federated", name="linus@other.example")
    pod.wait(minutes=10)
    pod.leaves(pod.ada)
    pod.leaves(kind="federated", name="linus@other.example")
    pod.wait(minutes=4)
    ada, linus = pod.records()
    assert (ada["identity"]["id"], ada["emailAddress"]) == (pod.ada.id, None)
    assert (linus["identity"]["displayName"], linus["emailAddress"]) == ("linus@other.example", None)
    assert linus["identity"]["tenantId"] not in (None, pod.tenant.id)
    pod.set(federated_people_have_ids=False)
    assert pod.records()[1]["identity"] == {"id": None, "displayName": "linus@other.example", "tenantId": None}


def test_reports_are_kept_for_a_year_while_the_meeting_is_alive(pod):
    pod.meets(pod.ada, minutes=1)
    for _ in range(9):
        pod.wait(days=45)
        pod.meets(pod.grace, minutes=1)
    pod.wait(minutes=4)
    assert len(pod.reports()) == 9


def test_joins_and_leaves_can_be_announced_for_later(pod):
    starts_at = pod.tenant.clock.now() + timedelta(days=1)
    assert pod.joins(pod.ada, at=starts_at.isoformat()) is False
    pod.leaves(pod.ada, at=(starts_at + timedelta(minutes=40)).isoformat())
    assert pod.control.get("/state").json()["next_event_at"] == starts_at.isoformat()
    pod.wait(days=2)
    (call,) = pod.control.get("/calls").json()
    assert call["started_at"] == starts_at.isoformat()
    assert call["ended_at"] == (starts_at + timedelta(minutes=40)).isoformat()


def test_reports_have_the_shapes_of_the_published_schema(pod):
    contract = load_contract()
    pod.meets(pod.ada, pod.grace, minutes=30)
    pod.wait(minutes=4)
    one = f"{pod.path}/{pod.reports()[0]['id']}"
    answers = [
        pod.graph.get(pod.path),
        pod.graph.get(one, params={"$expand": "attendanceRecords"}),
        pod.graph.get(f"{one}/attendanceRecords"),
        pod.graph.get(pod.path.removesuffix("/attendanceReports")),
        pod.graph.get(f"{pod.path}/none"),
    ]
    assert [violation for answer in answers for violation in violations(contract, answer)] == []
