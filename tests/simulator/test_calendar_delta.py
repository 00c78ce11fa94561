"""calendarView/delta tells what changed in a window, in pages, and forgets when told to."""

import httpx
import pytest

from integration.graph.simulator.tenant.tenant import Tenant
from tests.simulator.calendar_steps import IMMUTABLE, Outlook, invite, single, weekly

SPRING = {"startDateTime": "2026-03-01T00:00:00Z", "endDateTime": "2026-04-01T00:00:00Z"}


@pytest.fixture
def outlook(graph: httpx.Client, tenant: Tenant) -> Outlook:
    return Outlook(graph, tenant)


def first_round(outlook: Outlook, *, page: int = 50, function: str = "delta") -> tuple[list[dict], str]:
    address = f"/users/{outlook.mailbox}/calendarView/{function}"
    return follow(outlook, outlook.graph.get(address, params=SPRING, headers=preferring(page)), page=page)


def next_round(outlook: Outlook, link: str, *, page: int = 50) -> tuple[list[dict], str]:
    return follow(outlook, outlook.graph.get(link, headers=preferring(page)), page=page)


def follow(outlook: Outlook, answer: httpx.Response, *, page: int) -> tuple[list[dict], str]:
    told: list[dict] = []
    while True:
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert len(body["value"]) <= page
        assert ("@odata.nextLink" in body) != ("@odata.deltaLink" in body)
        told += body["value"]
        if "@odata.deltaLink" in body:
            return told, body["@odata.deltaLink"]
        answer = outlook.graph.get(body["@odata.nextLink"], headers=preferring(page))


def preferring(page: int) -> dict[str, str]:
    return {"Prefer": f"{IMMUTABLE['Prefer']}, odata.maxpagesize={page}"}


@pytest.mark.parametrize("function", ["delta", "delta()"])
def test_the_first_round_holds_everything_in_the_window_page_by_page(outlook: Outlook, function: str) -> None:
    series, one = outlook.create(weekly(8)), outlook.create(single())
    told, _ = first_round(outlook, page=2, function=function)
    assert [item["type"] for item in told] == ["seriesMaster", *["occurrence"] * 4, "singleInstance"]
    assert (told[0]["id"], told[-1]["id"]) == (series["id"], one["id"])


@pytest.mark.parametrize("reduced", [True, False])
def test_occurrences_may_leave_the_rest_to_their_master(outlook: Outlook, reduced: bool) -> None:
    outlook.tenant.switches.delta_reduces_occurrences = reduced
    series = outlook.create(weekly())
    told, _ = first_round(outlook)
    assert [item.get("subject") for item in told[1:]] == [None if reduced else "Peer pod"] * 4
    assert {item["seriesMasterId"] for item in told[1:]} == {series["id"]}


def test_a_quiet_mailbox_has_an_empty_round(outlook: Outlook) -> None:
    told, link = first_round(outlook)
    assert told == []
    outlook.create(single())
    told, link = next_round(outlook, link)
    assert [item["type"] for item in told] == ["singleInstance"]
    assert next_round(outlook, link)[0] == []


def test_a_changed_and_a_deleted_occurrence_are_told_alone(outlook: Outlook) -> None:
    series = outlook.create(weekly())
    first, second, third, _ = outlook.instances(series["id"])
    _, link = first_round(outlook)
    outlook.delete(second["id"])
    outlook.patch(third["id"], {"subject": "In the garden"})
    told, _ = next_round(outlook, link)
    by_id = {item["id"]: item for item in told}
    assert by_id[second["id"]]["@removed"] == {"reason": "deleted"}
    assert (by_id[third["id"]]["type"], by_id[third["id"]]["subject"]) == ("exception", "In the garden")
    assert first["id"] not in by_id


def test_a_deleted_series_takes_its_occurrences_along(outlook: Outlook) -> None:
    series = outlook.create(weekly())
    ids = [one["id"] for one in outlook.instances(series["id"])]
    _, link = first_round(outlook)
    outlook.delete(series["id"])
    told, _ = next_round(outlook, link)
    assert {item["id"] for item in told if "@removed" in item} == {series["id"], *ids}


def test_days_a_new_pattern_leaves_are_removed_from_every_calendar(outlook: Outlook, control: httpx.Client) -> None:
    ada = next(person for person in outlook.tenant.directory.people if person.kind == "person" and person.exchange)
    series = outlook.create(weekly(4, attendees=invite(ada.mail)))
    hers = Outlook(outlook.graph, outlook.tenant, ada.mail)
    links = [(one, first_round(one)[1]) for one in (outlook, hers)]
    outlook.patch(series["id"], {"recurrence": weekly(2)["recurrence"]})
    for one, link in links:
        told, _ = next_round(one, link)
        assert len([item for item in told if "@removed" in item]) == 2
        assert len(one.view_of(one.mailbox)) == 2


def test_things_outside_the_window_come_as_removed(outlook: Outlook) -> None:
    _, link = first_round(outlook)
    body = single()
    for side in ("start", "end"):
        body[side]["dateTime"] = "2026-08" + body[side]["dateTime"][7:]
    late = outlook.create(body)
    told, _ = next_round(outlook, link)
    assert [(item["id"], "@removed" in item) for item in told] == [(late["id"], True)]


def test_an_attendees_answer_is_a_change_of_the_organizers_series(outlook: Outlook, control: httpx.Client) -> None:
    ada = next(person for person in outlook.tenant.directory.people if person.kind == "person" and person.exchange)
    series = outlook.create(weekly(attendees=invite(ada.mail)))
    _, link = first_round(outlook)
    control.post(f"/people/{ada.mail}/reply", json={"uid": series["iCalUId"], "response": "accept"})
    told, _ = next_round(outlook, link)
    assert told[0]["attendees"][0]["status"]["response"] == "accepted"


def test_an_expired_link_answers_410_with_an_address_to_begin_again(outlook: Outlook, control: httpx.Client) -> None:
    outlook.create(weekly())
    _, link = first_round(outlook)
    assert control.post("/delta/expire", json={}).status_code == 200
    expired = outlook.graph.get(link)
    assert (expired.status_code, expired.json()["error"]["code"]) == (410, "SyncStateNotFound")
    told, link = next_round(outlook, expired.headers["Location"])
    assert len(told) == 5
    outlook.tenant.switches.delta_tokens_expired = True
    assert outlook.graph.get(link).status_code == 410


@pytest.mark.parametrize("option", ["$select", "$filter", "$orderby", "$expand", "$search"])
def test_delta_takes_no_query_options(outlook: Outlook, option: str) -> None:
    answer = outlook.graph.get(f"/users/{outlook.mailbox}/calendarView/delta", params={**SPRING, option: "subject"})
    assert answer.status_code == 400
