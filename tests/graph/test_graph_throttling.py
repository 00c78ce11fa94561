"""Four requests a mailbox, patience with reads, none with writes, and batches that finish."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from integration.graph.client import Graph
from integration.graph.errors import Throttled, Unavailable
from integration.graph.governor import LocalGovernor
from integration.graph.resources import MailDraft
from tests.graph.scripted import Asked, Reply, ScriptedGraph

ADA = "ada@contoso.com"
EVENT = {
    "id": "e-1",
    "start": {"dateTime": "2026-03-25T08:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-03-25T09:00:00", "timeZone": "UTC"},
}
BUSY = {"error": {"code": "ApplicationThrottled", "message": "over its MailboxConcurrency limit"}}


def test_a_read_waits_as_long_as_graph_asks(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("GET", ".*", Reply(429, BUSY, {"Retry-After": "1"}), Reply(200, EVENT))
    since = time.monotonic()
    assert graph.calendar.get_event(ADA, "e-1").id == "e-1"
    assert time.monotonic() - since >= 1


def test_a_write_is_never_sent_twice(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("POST", ".*/send", Reply(503, {}, {"Retry-After": "0"}))
    scripted.on("POST", ".*/messages", Reply(429, BUSY, {"Retry-After": "1"}))
    with pytest.raises(Unavailable):
        graph.mail.send_draft(ADA, "m-1")
    with pytest.raises(Throttled):
        graph.mail.create_draft(ADA, MailDraft("grace@contoso.com", "Grace", "Hello", "<p>Hi</p>", "mail-1"))
    assert len(scripted.asked) == 2


def test_twenty_threads_share_four_requests_of_a_mailbox(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("GET", ".*", Reply(200, EVENT))
    lock, now, most = threading.Lock(), Counter[str](), Counter[str]()

    def stay(asked: Asked) -> None:
        mailbox = asked.path.split("/")[2]
        with lock:
            now[mailbox] += 1
            most[mailbox] = max(most[mailbox], now[mailbox])
        time.sleep(0.05)
        with lock:
            now[mailbox] -= 1

    scripted.before_reply = stay
    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(lambda n: graph.calendar.get_event(f"box{n % 2}@contoso.com", "e-1"), range(40)))
    assert [each.id for each in found] == ["e-1"] * 40
    assert set(most) == {"box0@contoso.com", "box1@contoso.com"}
    assert all(1 < count <= 4 for count in most.values())
    assert graph.requests() == 40


def test_a_forked_child_gets_a_loop_of_its_own(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("GET", ".*", Reply(200, EVENT))
    graph.calendar.get_event(ADA, "e-1")
    child = os.fork()
    if child == 0:
        os._exit(0 if graph.calendar.get_event(ADA, "e-1").id == "e-1" and graph.requests() == 1 else 1)
    assert _exit_code(child) == 0
    assert graph.calendar.get_event(ADA, "e-1").id == "e-1"
    assert graph.requests() == 2


def test_a_batch_asks_again_only_for_what_was_throttled(scripted: ScriptedGraph, graph: Graph) -> None:
    tries: Counter[str] = Counter()

    def answered(asked: Asked) -> Reply:
        parts = json.loads(asked.body)["requests"]
        return Reply(200, {"responses": [_part_answer(part["id"], part["url"], tries) for part in reversed(parts)]})

    plain = scripted.answer
    scripted.answer = lambda asked: answered(asked) if asked.path == "/$batch" and plain(asked) else plain(asked)
    parts = [graph.calendar.part_to_get(f"box{n % 6}@contoso.com", f"e-{n}") for n in range(45)]
    found = graph.batch(parts)
    assert [each.status for each in found] == [200] * 45
    assert [graph.calendar.event_of(each).id for each in found] == [f"e-{n}" for n in range(45)]
    assert (tries["e-3"], tries["e-4"]) == (2, 1)
    for asked in scripted.requests("POST", r"/\$batch"):
        urls = [part["url"] for part in json.loads(asked.body)["requests"]]
        assert len(urls) <= 20
        assert max(Counter(url.split("/")[2] for url in urls).values()) <= 4


def test_leases_are_taken_together_and_given_back() -> None:
    async def two_batches() -> list[str]:
        governor, order = LocalGovernor(), []

        async def batch(name: str, wanted: dict[str, int]) -> None:
            async with governor.leases(wanted):
                order.append(name)
                await asyncio.sleep(0.01)

        await asyncio.wait_for(asyncio.gather(batch("1", {"a": 3, "b": 3}), batch("2", {"b": 3, "a": 3})), 2)
        return order

    assert asyncio.run(two_batches()) == ["1", "2"]


def _part_answer(part_id: str, url: str, tries: Counter[str]) -> dict[str, object]:
    event_id = url.rsplit("/", 1)[-1]
    tries[event_id] += 1
    if event_id == "e-3" and tries[event_id] == 1:
        return {"id": part_id, "status": 429, "headers": {"Retry-After": "0"}, "body": BUSY}
    return {"id": part_id, "status": 200, "body": EVENT | {"id": event_id}}


def _exit_code(child: int, *, seconds: float = 20) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, 9)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")
