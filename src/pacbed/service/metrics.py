"""Counters for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60)


class Metrics:
    """The counters of one service, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("route", "status")
        self._requests = Counter("pacbed_requests", "Requests", labels, registry=self._registry)
        self._seconds = Histogram(
            "pacbed_request_seconds", "Time of requests", ("route",), buckets=SECONDS, registry=self._registry
        )
        self._verdicts = Counter("pacbed_lookups", "Look-ups", ("bundle", "verdict"), registry=self._registry)
        self._again = Counter("pacbed_lookups_from_store", "Look-ups known before", registry=self._registry)
        self._gauges = {
            name: Gauge(f"pacbed_{name}", text, registry=self._registry)
            for name, text in (
                ("waiting", "Look-ups that wait for a worker"),
                ("running", "Look-ups that run"),
                ("workers_replaced", "Workers that died or were ended"),
                ("bundles_ready", "Bundles that answer"),
            )
        }

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def lookup(self, bundle: str, verdict: str, *, again: bool) -> None:
        """Count a look-up."""
        self._verdicts.labels(bundle, verdict).inc()
        if again:
            self._again.inc()

    def text(self, **values: float) -> bytes:
        """All of them as Prometheus reads them; values of gauges are given now."""
        for name, value in values.items():
            self._gauges[name].set(value)
        return generate_latest(self._registry)
