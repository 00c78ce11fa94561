"""$batch by hand: the SDK's own one misspells dependsOn and never repeats a throttled part.

https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from integration.graph import operations
from integration.graph.governor import IN_FLIGHT_PER_MAILBOX
from integration.graph.resources import Batched
from integration.graph.transport import LONGEST_WAIT_SECONDS, Request, Transport, decoded

MOST_PARTS = 20
ROUNDS = 4
DEFAULT_WAIT_SECONDS = 1.0


def send_batch(transport: Transport, parts: Sequence[Request]) -> list[Batched]:
    """The answers to ``parts``, in their order. A part answered 429 is sent again after the largest Retry-After, up
    to three times and never after more than ten seconds; then its 429 is the answer. Raises GraphError only when a
    batch as a whole fails."""
    answers: dict[int, _Answer] = {}
    waiting = list(range(len(parts)))
    for n in range(ROUNDS):
        for group in _groups(parts, waiting):
            answers.update(_post(transport, parts, group))
        waiting = [at for at in waiting if answers[at].status == 429]
        pause = max((_retry_seconds(answers[at]) for at in waiting), default=0.0)
        if not waiting or n == ROUNDS - 1 or pause > LONGEST_WAIT_SECONDS:
            break
        time.sleep(pause)
    return [Batched(answers[at].status, answers[at].body) for at in range(len(parts))]


class _Part(msgspec.Struct):
    id: str
    method: str
    url: str
    headers: dict[str, str]
    body: object | UnsetType = UNSET


class _Answer(msgspec.Struct):
    id: str
    status: int
    headers: dict[str, str] | None = None
    body: object = None


class _Answers(msgspec.Struct):
    responses: list[_Answer]


def _groups(parts: Sequence[Request], waiting: list[int]) -> Iterator[list[int]]:
    """At most 20 parts a batch and 4 of a mailbox, since parts run side by side and count singly."""
    left = waiting
    while left:
        group: list[int] = []
        later: list[int] = []
        count: Counter[str | None] = Counter()
        for at in left:
            mailbox = parts[at].mailbox
            full = len(group) == MOST_PARTS or (
                mailbox is not None and count[mailbox.lower()] == IN_FLIGHT_PER_MAILBOX
            )
            (later if full else group).append(at)
            if not full and mailbox is not None:
                count[mailbox.lower()] += 1
        yield group
        left = later


def _post(transport: Transport, parts: Sequence[Request], group: list[int]) -> dict[int, _Answer]:
    from kiota_abstractions.base_request_builder import BaseRequestBuilder

    builder: BaseRequestBuilder = BaseRequestBuilder(
        transport.root.request_adapter, "{+baseurl}/$batch", {"baseurl": transport.base_url}
    )
    outer = Request(
        operation=operations.BATCH,
        builder=builder,
        body={"requests": [_part(transport, parts[at], str(at)) for at in group]},
        prefer=(),
    )
    leases = Counter(mailbox.lower() for at in group if (mailbox := parts[at].mailbox))
    answer = transport.exchange(outer, leases=leases)
    found = decoded(answer.content, _Answers, operation=operations.BATCH).responses
    by_part = {int(each.id): each for each in found}
    lost = {at: _Answer(str(at), 502) for at in group if at not in by_part}  # Graph answers every part, or it broke
    return by_part | lost


def _part(transport: Transport, request: Request, part_id: str) -> _Part:
    headers = {"Prefer": ", ".join(request.prefer)} if request.prefer else {}
    if request.body is None:
        return _Part(part_id, request.operation.method, _relative(transport, request), headers)
    headers["Content-Type"] = "application/json"
    return _Part(part_id, request.operation.method, _relative(transport, request), headers, request.body)


def _relative(transport: Transport, request: Request) -> str:
    made = transport.prepared(request)
    path = urlsplit(transport.base_url).path
    there = urlsplit(made.url)
    address = there.path.removeprefix(path)
    # The SDK writes %24select, which its middleware turns into $select; inside a batch nothing does.
    return f"{address}?{there.query.replace('%24', '$')}" if there.query else address


def _retry_seconds(answer: _Answer) -> float:
    headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
    value = headers.get("retry-after", "")
    return float(value) if value.isdigit() else DEFAULT_WAIT_SECONDS
