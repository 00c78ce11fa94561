"""Figures for a monitoring system in Prometheus' text format; no figure here is about a person."""

from __future__ import annotations

import time
from collections import Counter as Counting
from collections.abc import Iterator

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy import func, select

from integration.clock import real_now
from integration.outbox import Message, State
from integration.tools import Tools
from integration.webhooks.overview import overview


class Gauges:
    """The requests of this process, and the outbox as the database has it (the same whichever process is asked)."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, tools: Tools) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Outbox(tools))
        names = ("endpoint", "status")
        self._requests = Counter("pods_http_requests", "Requests answered", names, registry=self._registry)
        self._seconds = Histogram("pods_http_request_seconds", "Time to answer", names[:1], registry=self._registry)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def watch(self, app: Flask) -> None:
        """Count the requests of an application."""

        @app.before_request
        def begin() -> None:
            g.begun = time.perf_counter()

        @app.after_request
        def finish(response: Response) -> Response:
            endpoint = request.endpoint or "none"  # never the path: a feedback link is a secret
            self.count(endpoint, response.status_code, time.perf_counter() - g.begun)
            return response

    def count(self, endpoint: str, status: int, seconds: float) -> None:
        """Count one request that was answered."""
        self._requests.labels(endpoint, int(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)


class _Outbox(Collector):
    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        messages = GaugeMetricFamily("pods_outbox_messages", "Messages not done", labels=["task", "state"])
        oldest = GaugeMetricFamily(
            "pods_outbox_oldest_seconds", "Age of the oldest message not done", labels=["task"]
        )
        wanted = select(Message.task, Message.state, func.count(), func.min(Message.first_asked_at))
        with self._tools.database.reading() as session:
            rows = session.execute(
                wanted.where(Message.state != State.DONE).group_by(Message.task, Message.state)
            ).all()
        ages: dict[str, float] = {}
        for task, state, count, asked_at in rows:
            messages.add_metric([task, state], count)
            ages[task] = max(ages.get(task, 0.0), (real_now() - asked_at).total_seconds())
        for task, age in ages.items():
            oldest.add_metric([task], age)
        yield messages
        yield oldest
        yield from self._notifications()
        yield self._doorbell()

    def _notifications(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        refused = CounterMetricFamily(
            "pods_notifications_refused", "Notifications turned away, by reason", labels=["reason"]
        )
        standing = GaugeMetricFamily("pods_subscriptions", "Subscriptions, by how they stand", labels=["state"])
        with self._tools.database.reading() as session:
            found = overview(session, self._tools.settings, now=self._tools.clock.now())
        for row in found.refused:
            refused.add_metric([row.reason], row.count)
        for state, count in sorted(Counting(each.state for each in found.standings).items()):
            standing.add_metric([state], count)
        yield refused
        yield standing

    def _doorbell(self) -> GaugeMetricFamily:
        reached = GaugeMetricFamily("pods_doorbell_reached", "Whether Redis answers")
        try:
            self._tools.doorbell.is_ringing()
            reached.add_metric([], 1)
        except RedisError:
            reached.add_metric([], 0)
        return reached
