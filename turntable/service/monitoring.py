"""Monitoring of the service: an access log with one line for each request, and metrics for Prometheus."""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turntable.service.catalog import DatasetCatalog
from turntable.service.rendering import RenderService
from turntable.service.security import CLIENT_KEY, ZERO_COPY

ACCESS_LOGGER = logging.getLogger("turntable.service.access")
"""Logger of the access log, whose messages are JSON."""
_MAX_PATH_LENGTH = 500
"""Largest number of characters of a path in the access log."""
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The service's metrics, in a registry of their own, as one process may run several services."""

    def __init__(self, catalog: DatasetCatalog, renders: RenderService) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route")
        self.requests = Counter(
            "turntable_requests", "Requests answered", (*labels, "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "turntable_request_seconds",
            "Seconds from a request's head to the last byte of its response",
            labels,
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.sent = Counter(
            "turntable_sent_bytes", "Bytes of response bodies sent", labels, registry=self.registry
        )
        self.in_progress = Gauge(
            "turntable_requests_in_progress", "Requests being answered", registry=self.registry
        )
        self._add_gauge("turntable_datasets", "Data sets served", lambda: len(catalog))
        self._add_gauge(
            "turntable_renders_waiting", "Views requested and not rendered yet", lambda: renders.num_waiting
        )
        self._add_gauge("turntable_renders_cached", "Views returned from the cache", lambda: renders.hits)
        self._add_gauge(
            "turntable_renders_drawn", "Views rendered, failed attempts included", lambda: renders.misses
        )
        self._add_gauge(
            "turntable_renders_failed",
            "Renders whose process died or took too long",
            lambda: renders.failures,
        )

    def format_text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _add_gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        Gauge(name, description, registry=self.registry).set_function(value)


class MonitoringMiddleware:
    """An ASGI middleware that counts and logs each response.

    The log contains no secrets: neither query strings, which may have the signature of a link, nor headers.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, then count and log its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, sent = time.perf_counter(), 500, 0  # 500 stays if the application raises

        async def send_and_count(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == ZERO_COPY:
                sent += message["count"]
            else:
                sent += len(message.get("body", b""))
            await send(message)

        self._metrics.in_progress.inc()
        try:
            await self._app(scope, receive, send_and_count)
        finally:
            self._metrics.in_progress.dec()
            self._record(scope, status, sent, time.perf_counter() - began)

    def _record(self, scope: Scope, status: int, sent: int, seconds: float) -> None:
        route = _get_route_name(scope)
        # A client may invent methods; each would be another time series in Prometheus.
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "OPTIONS") else "other"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(method, route).observe(seconds)
        self._metrics.sent.labels(method, route).inc(sent)
        if ACCESS_LOGGER.isEnabledFor(logging.INFO):
            client = scope.get(CLIENT_KEY)
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "client": (scope.get("client") or ("",))[0],
                "token": client.token.id if client is not None and client.token is not None else None,
                "method": scope["method"],
                "path": scope["path"][:_MAX_PATH_LENGTH],
                "status": status,
                "bytes": sent,
                "seconds": round(seconds, 6),
            }
            ACCESS_LOGGER.info(json.dumps(line))


def _get_route_name(scope: Scope) -> str:
    """Return the name of the endpoint that answered; "none" if no route matched.

    Not the path, of which there are too many for a label of a metric.
    """
    endpoint = scope.get("endpoint")
    return getattr(endpoint, "__name__", "none") if endpoint is not None else "none"
