"""Steps the calendar tests are told in: an organizer's Outlook over HTTP, and what others see of it."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from integration.graph.simulator.tenant.tenant import Tenant

ORGANIZER = "pods.one@pods.example"
SECOND_ORGANIZER = "pods.two@pods.example"
WHOLE_YEAR = {"startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2027-06-01T00:00:00Z"}
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
Json = dict


def weekly(count: int = 4, **others: object) -> Json:
    """Wednesdays at ten in Zurich, from 4 March 2026."""
    return {
        "subject": "Peer pod",
        "body": {"contentType": "html", "content": "<p>Bring a question.</p>"},
        "start": {"dateTime": "2026-03-04T10:00:00", "timeZone": "W. Europe Standard Time"},
        "end": {"dateTime": "2026-03-04T10:30:00", "timeZone": "W. Europe Standard Time"},
        "recurrence": {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"], "firstDayOfWeek": "monday"},
            "range": {"type": "numbered", "startDate": "2026-03-04", "numberOfOccurrences": count},
        },
        **others,
    }


def single(**others: object) -> Json:
    body = {**weekly(), **others}
    return {name: value for name, value in body.items() if name != "recurrence"}


def invite(*addresses: str) -> list[Json]:
    return [{"emailAddress": {"address": one, "name": one.split("@")[0]}, "type": "required"} for one in addresses]


@dataclass
class Outlook:
    """One organizer's calendar through Graph."""

    graph: httpx.Client
    tenant: Tenant
    mailbox: str = ORGANIZER

    def create(self, body: Json, **headers: str) -> Json:
        answer = self.graph.post(f"/users/{self.mailbox}/events", json=body, headers={**IMMUTABLE, **headers})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, event_id: str, **query: str) -> Json:
        answer = self.graph.get(f"/users/{self.mailbox}/events/{event_id}", params=query, headers=IMMUTABLE)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def patch(self, event_id: str, body: Json) -> Json:
        answer = self.graph.patch(f"/users/{self.mailbox}/events/{event_id}", json=body, headers=IMMUTABLE)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def delete(self, event_id: str) -> None:
        answer = self.graph.delete(f"/users/{self.mailbox}/events/{event_id}")
        assert answer.status_code == 204, answer.text

    def instances(self, event_id: str) -> list[Json]:
        address = f"/users/{self.mailbox}/events/{event_id}/instances"
        answer = self.graph.get(address, params={**WHOLE_YEAR, "$top": "100"}, headers=IMMUTABLE)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def refused(self, body: Json) -> Json:
        answer = self.graph.post(f"/users/{self.mailbox}/events", json=body)
        assert answer.status_code == 400, answer.text
        return answer.json()["error"]

    def view_of(self, mailbox: str) -> list[Json]:
        query = {**WHOLE_YEAR, "$top": "500"}
        answer = self.graph.get(f"/users/{mailbox}/calendarView", params=query, headers=IMMUTABLE)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]


class Post:
    """Counts the calendar mail each person got since it was last looked at."""

    def __init__(self, control: httpx.Client) -> None:
        self.control = control
        self.seen = 0

    def since(self) -> Counter[tuple[str, str]]:
        messages = self.control.get("/messages").json()
        new, self.seen = messages[self.seen :], len(messages)
        return Counter((one["recipients"][0], one["kind"]) for one in new)


def starts(items: list[Json]) -> list[str]:
    return [item["start"]["dateTime"][:16] for item in items]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
