"""$batch: parts answered one by one, in the order their dependencies ask for."""

import pytest

ADA = "/users/ada.keller@pods.example"
ONE = "/users/pods.one@pods.example"


def batch(graph, *parts: dict):
    return graph.post("/$batch", json={"requests": list(parts)})


def part(key: str, url: str, **more: object) -> dict:
    return {"id": key, "method": "GET", "url": url} | more


def by_id(answer) -> dict[str, dict]:
    assert answer.status_code == 200
    return {one["id"]: one for one in answer.json()["responses"]}


def test_every_part_has_its_own_answer(graph):
    answers = by_id(batch(graph, part("1", ADA), part("2", "/users/nobody@pods.example"), part("3", "users?$top=1")))
    assert {key: one["status"] for key, one in answers.items()} == {"1": 200, "2": 404, "3": 200}
    assert answers["1"]["body"]["mail"] == "ada.keller@pods.example"
    assert answers["2"]["body"]["error"]["code"] == "Request_ResourceNotFound"


def test_bodies_and_headers_reach_the_part(graph):
    event = {
        "subject": "Pod",
        "start": {"dateTime": "2026-03-04T10:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-04T11:00:00", "timeZone": "UTC"},
    }
    headers = {"Content-Type": "application/json", "Prefer": 'outlook.timezone="India Standard Time"'}
    made = by_id(batch(graph, part("1", f"{ONE}/events", method="POST", body=event, headers=headers)))["1"]
    assert made["status"] == 201
    assert made["body"]["start"]["timeZone"] == "India Standard Time"


def test_what_depends_on_a_failure_is_not_tried(graph):
    answers = by_id(
        batch(graph, part("1", "/users/nobody@pods.example"), part("2", ADA, dependsOn=["1"]), part("3", ADA))
    )
    assert {key: one["status"] for key, one in answers.items()} == {"1": 404, "2": 424, "3": 200}


def test_the_fifth_independent_part_for_a_mailbox_is_throttled_alone(graph, control):
    five = [part(str(n), f"{ONE}/events") for n in range(5)]
    statuses = [one["status"] for one in by_id(batch(graph, *five)).values()]
    assert statuses == [200, 200, 200, 200, 429]
    control.post("/switches", json={"batch_parts_beyond_concurrency": "queue"})
    assert {one["status"] for one in by_id(batch(graph, *five)).values()} == {200}


def test_a_throttled_part_says_when_to_come_back(graph):
    last = by_id(batch(graph, *[part(str(n), f"{ONE}/events") for n in range(5)]))["4"]
    assert last["headers"]["Retry-After"] == "1"
    assert last["body"]["error"]["message"] == "Application is over its MailboxConcurrency limit."


def test_a_chain_for_one_mailbox_is_never_throttled(graph):
    chain = [part(str(n), f"{ONE}/events", **({"dependsOn": [str(n - 1)]} if n else {})) for n in range(10)]
    assert {one["status"] for one in by_id(batch(graph, *chain)).values()} == {200}
    assert graph.get(f"{ONE}/events").status_code == 200


def test_a_fault_can_meet_one_part(graph, control):
    control.post("/faults", json=[{"match": {"path": "/users/pods"}, "do": "throttle", "seconds": 7}])
    answers = by_id(batch(graph, part("1", ADA), part("2", ONE)))
    assert (answers["1"]["status"], answers["2"]["status"]) == (200, 429)
    assert answers["2"]["headers"]["Retry-After"] == "7"


@pytest.mark.parametrize(
    "parts",
    [
        [part(str(n), ADA) for n in range(21)],
        [part("a", ADA), part("A", ADA)],
        [part("1", ADA, dependsOn=["2"]), part("2", ADA, dependsOn=["1"])],
        [part("1", ADA, dependsOn=["9"])],
        [part("1", f"{ONE}/events", method="POST", body={})],
        [],
    ],
    ids=["twenty-one parts", "an id twice", "a circle", "an unknown dependency", "no content type", "nothing"],
)
def test_a_batch_graph_cannot_read_is_refused_whole(graph, parts):
    assert batch(graph, *parts).status_code == 400
