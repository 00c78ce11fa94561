"""Who gets mail, counted message by message, with every doubtful rule answered both ways."""

import httpx
import pytest

from integration.graph.simulator.tenant.tenant import Tenant
from tests.simulator.calendar_steps import Outlook, Post, invite, single, starts, weekly

GUEST = "guest@elsewhere.example"


@pytest.fixture
def outlook(graph: httpx.Client, tenant: Tenant) -> Outlook:
    return Outlook(graph, tenant)


@pytest.fixture
def post(control: httpx.Client) -> Post:
    return Post(control)


@pytest.fixture
def people(tenant: Tenant) -> list[str]:
    """Ada, Grace and Alan: employees with a mailbox."""
    return [person.mail for person in tenant.directory.people if person.kind == "person" and person.exchange][:3]


def test_nobody_hears_of_an_event_without_attendees(outlook: Outlook, post: Post) -> None:
    made = outlook.create(weekly())
    outlook.delete(outlook.instances(made["id"])[1]["id"])
    outlook.patch(made["id"], {"subject": "Pod of Wednesday"})
    outlook.delete(made["id"])
    assert post.since() == {}


def test_a_create_with_attendees_invites_each_once(outlook: Outlook, post: Post, people: list[str]) -> None:
    outlook.create(weekly(attendees=invite(*people, GUEST)))
    assert post.since() == {(one, "meetingRequest"): 1 for one in (*people, GUEST)}


@pytest.mark.parametrize(("repeats", "cancellations"), [(False, 0), (True, 2)])
def test_inviting_to_a_silent_series_is_one_mail_each(
    outlook: Outlook, post: Post, people: list[str], repeats: bool, cancellations: int
) -> None:
    outlook.tenant.switches.invitation_repeats_cancelled_occurrences = repeats
    made = outlook.create(weekly(6))
    for holiday in outlook.instances(made["id"])[1:3]:
        outlook.delete(holiday["id"])
    outlook.patch(made["id"], {"attendees": invite(*people)})
    told = post.since()
    assert [told[one, "meetingRequest"] for one in people] == [1, 1, 1]
    assert [told[one, "meetingCancelled"] for one in people] == [cancellations] * 3
    assert len(outlook.view_of(people[0])) == 4


@pytest.mark.parametrize(("only_changed", "updates"), [(True, 0), (False, 1)])
def test_changing_only_attendees_tells_only_those_who_come_and_go(
    outlook: Outlook, post: Post, people: list[str], only_changed: bool, updates: int
) -> None:
    outlook.tenant.switches.attendees_patch_tells_only_the_changed = only_changed
    ada, grace, alan = people
    made = outlook.create(weekly(attendees=invite(ada, grace)))
    post.since()
    outlook.patch(made["id"], {"attendees": invite(ada, alan)})
    told = post.since()
    assert (told[grace, "meetingCancelled"], told[alan, "meetingRequest"]) == (1, 1)
    assert told[ada, "meetingUpdate"] == updates
    assert told.total() == 2 + updates
    assert outlook.view_of(grace) == []
    assert len(outlook.view_of(alan)) == 4


@pytest.mark.parametrize(
    ("exceptions", "cancellations", "updates", "cancelled"),
    [(True, True, 3, 1), (False, True, 1, 1), (True, False, 3, 0), (False, False, 1, 0)],
)
def test_changing_a_master_repeats_its_future_exceptions_and_deletions(
    outlook: Outlook,
    post: Post,
    people: list[str],
    exceptions: bool,
    cancellations: bool,
    updates: int,
    cancelled: int,
) -> None:
    switches = outlook.tenant.switches
    switches.series_update_repeats_exceptions = exceptions
    switches.series_update_repeats_cancelled_occurrences = cancellations
    made = outlook.create(weekly(6, attendees=invite(people[0])))
    all_days = outlook.instances(made["id"])
    outlook.patch(all_days[1]["id"], {"subject": "In the other room"})
    outlook.patch(all_days[2]["id"], {"subject": "In the garden"})
    outlook.delete(all_days[3]["id"])
    assert post.since() == {
        (people[0], "meetingRequest"): 1,
        (people[0], "meetingUpdate"): 2,
        (people[0], "meetingCancelled"): 1,
    }
    outlook.patch(made["id"], {"body": {"contentType": "html", "content": "<p>New rotation</p>"}})
    told = post.since()
    assert (told[people[0], "meetingUpdate"], told[people[0], "meetingCancelled"]) == (updates, cancelled)


def test_exceptions_that_are_past_are_not_repeated(
    outlook: Outlook, post: Post, people: list[str], control: httpx.Client
) -> None:
    made = outlook.create(weekly(6, attendees=invite(people[0])))
    all_days = outlook.instances(made["id"])
    outlook.patch(all_days[0]["id"], {"subject": "Kick-off"})
    outlook.delete(all_days[1]["id"])
    assert control.post("/clock", json={"to": "2026-03-16T00:00:00Z"}).status_code == 200
    post.since()
    outlook.patch(made["id"], {"subject": "Peer pod, second half"})
    assert post.since() == {(people[0], "meetingUpdate"): 1}


def test_a_new_pattern_cancels_each_exception_and_updates_the_series(
    outlook: Outlook, post: Post, people: list[str]
) -> None:
    body = weekly(6, attendees=invite(people[0]))
    for by_mail, cancelled in ((True, 1), (False, 0)):
        outlook.tenant.switches.new_pattern_cancels_exceptions_by_mail = by_mail
        made = outlook.create(body)
        outlook.patch(outlook.instances(made["id"])[1]["id"], {"subject": "In the other room"})
        post.since()
        outlook.patch(made["id"], {"recurrence": weekly(5)["recurrence"]})
        told = post.since()
        assert (told[people[0], "meetingCancelled"], told[people[0], "meetingUpdate"]) == (cancelled, 1)
        assert {one["type"] for one in outlook.instances(made["id"])} == {"occurrence"}


def test_cancelling_tells_everybody_with_the_comment(
    outlook: Outlook, graph: httpx.Client, control: httpx.Client, post: Post, people: list[str]
) -> None:
    made = outlook.create(weekly(attendees=invite(*people)))
    first, second = outlook.instances(made["id"])[:2]
    post.since()
    address = f"/users/{outlook.mailbox}/events"
    assert graph.post(f"{address}/{second['id']}/cancel", json={"Comment": "Public holiday"}).status_code == 202
    assert post.since() == {(one, "meetingCancelled"): 1 for one in people}
    assert control.get("/messages").json()[-1]["body_html"].startswith("<p>Public holiday</p>")
    assert graph.post(f"{address}/{made['id']}/cancel").status_code == 202
    assert post.since() == {(one, "meetingCancelled"): 1 for one in people}
    assert outlook.view_of(people[0]) == []
    assert graph.get(f"{address}/{first['id']}").status_code == 404


def test_a_cancelled_meeting_stays_visible_where_the_tenant_keeps_it(outlook: Outlook, people: list[str]) -> None:
    outlook.tenant.switches.cancelled_meetings_stay_on_attendees_calendars = True
    made = outlook.create(single(attendees=invite(people[0])))
    outlook.delete(made["id"])
    kept = outlook.view_of(people[0])
    assert [(one["subject"], one["isCancelled"], one["showAs"]) for one in kept] == [
        ("Canceled: Peer pod", True, "free")
    ]


def test_somebody_invited_to_one_occurrence_gets_that_one_alone(
    outlook: Outlook, post: Post, people: list[str]
) -> None:
    ada, grace, _ = people
    made = outlook.create(weekly(attendees=invite(ada)))
    second = outlook.instances(made["id"])[1]
    post.since()
    outlook.patch(second["id"], {"attendees": invite(ada, grace)})
    assert post.since() == {(grace, "meetingRequest"): 1}
    assert [(one["type"], one["iCalUId"]) for one in outlook.view_of(grace)] == [
        ("singleInstance", second["iCalUId"])
    ]
    assert [one["emailAddress"]["address"] for one in outlook.get(made["id"])["attendees"]] == [ada]


def test_adding_a_member_does_not_reach_the_exceptions_own_lists(outlook: Outlook, people: list[str]) -> None:
    ada, grace, _ = people
    made = outlook.create(weekly(attendees=invite(ada)))
    outlook.patch(outlook.instances(made["id"])[1]["id"], {"subject": "In the other room"})
    outlook.patch(made["id"], {"attendees": invite(ada, grace)})
    lists = [[one["emailAddress"]["address"] for one in day["attendees"]] for day in outlook.instances(made["id"])]
    assert lists == [[ada, grace], [ada], [ada, grace], [ada, grace]]


def test_private_changes_are_mailed_unless_the_tenant_says_otherwise(
    outlook: Outlook, post: Post, people: list[str]
) -> None:
    made = outlook.create(weekly(attendees=invite(people[0])))
    for silent, mails in ((False, 1), (True, 0)):
        outlook.tenant.switches.private_changes_are_silent = silent
        post.since()
        outlook.patch(made["id"], {"categories": ["Pods"]})
        assert post.since().total() == mails


def test_copies_carry_the_organizer_and_the_same_uid(outlook: Outlook, people: list[str]) -> None:
    made = outlook.create(weekly(attendees=invite(people[0])))
    mine, theirs = outlook.view_of(outlook.mailbox), outlook.view_of(people[0])
    assert [one["iCalUId"] for one in mine] == [one["iCalUId"] for one in theirs]
    assert starts(mine) == starts(theirs)
    copy = theirs[0]
    assert (copy["isOrganizer"], copy["organizer"]["emailAddress"]["address"]) == (False, outlook.mailbox)
    assert (copy["responseStatus"]["response"], copy["showAs"]) == ("notResponded", "tentative")
    assert copy["id"] not in {one["id"] for one in mine}
    assert copy["seriesMasterId"] != made["id"]
