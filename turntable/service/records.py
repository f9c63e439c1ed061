"""What the service says of itself: a line for each request, and numbers for Prometheus."""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turntable.service.catalogue import Catalogue
from turntable.service.doors import ZERO_COPY
from turntable.service.renders import RenderService

ACCESS_LOG = logging.getLogger("turntable.service.access")
_LONGEST_PATH = 500
"""Characters of an address that a line has."""
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The numbers, in a registry of their own: several services may live in one process."""

    def __init__(self, catalogue: Catalogue, renders: RenderService) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route")
        self.requests = Counter(
            "turntable_requests", "Requests answered", (*labels, "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "turntable_request_seconds",
            "From a request's head to the last byte of its answer",
            labels,
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.sent = Counter("turntable_sent_bytes", "Of bodies", labels, registry=self.registry)
        self.inside = Gauge("turntable_requests_in_progress", "Being answered", registry=self.registry)
        self._gauge("turntable_datasets", "On offer", lambda: len(catalogue))
        self._gauge("turntable_renders_waiting", "Views asked for and not drawn yet", lambda: renders.waiting)
        self._gauge("turntable_renders_cached", "Views given from the cache", lambda: renders.hits)
        self._gauge("turntable_renders_drawn", "Views drawn or tried", lambda: renders.misses)
        self._gauge(
            "turntable_renders_failed", "Processes that died or took too long", lambda: renders.failures
        )

    def text(self) -> bytes:
        """In Prometheus' words."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, words: str, value: Callable[[], float]) -> None:
        Gauge(name, words, registry=self.registry).set_function(value)


class Recorded:
    """The application, each of whose answers leaves a line and changes the numbers.

    No line has a secret in it: neither what stands behind the "?" of an address, nor any header.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and note it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, sent = time.perf_counter(), 500, 0

        async def noted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == ZERO_COPY:
                sent += message["count"]
            else:
                sent += len(message.get("body", b""))
            await send(message)

        self._metrics.inside.inc()
        try:
            await self._app(scope, receive, noted)
        finally:
            self._metrics.inside.dec()
            self._note(scope, status, sent, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, sent: int, seconds: float) -> None:
        route = _route(scope)
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "OPTIONS") else "other"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(method, route).observe(seconds)
        self._metrics.sent.labels(method, route).inc(sent)
        if ACCESS_LOG.isEnabledFor(logging.INFO):
            asker = scope.get("asker")
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "client": (scope.get("client") or ("",))[0],
                "token": asker.token.id if asker is not None and asker.token is not None else None,
                "method": scope["method"],
                "path": scope["path"][:_LONGEST_PATH],
                "status": status,
                "bytes": sent,
                "seconds": round(seconds, 6),
            }
            ACCESS_LOG.info(json.dumps(line))


def _route(scope: Scope) -> str:
    """The name of what answered: few, whatever is asked for."""
    endpoint = scope.get("endpoint")
    return getattr(endpoint, "__name__", "none") if endpoint is not None else "none"
