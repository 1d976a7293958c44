"""What one replica counts, as Prometheus reads it. Few labels: routes are templates, never paths as they came."""

from collections import Counter

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client import Counter as Total

from rayapp.serve.answers import Outcome

LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counts of one replica, each in a registry of its own so that several can live in one process."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._registry = own = CollectorRegistry()
        self._requests = Total("rayapp_http_requests", "Requests answered.", ["method", "route", "status"], registry=own)
        until = "Time from the head of a request to the end of its answer."
        self._latency = Histogram("rayapp_http_request_seconds", until, ["route"], buckets=LATENCY_S, registry=own)
        self._rows = Total("rayapp_rows", "Transactions answered, by status and level.", ["status", "level"], registry=own)
        self._pack = Gauge("rayapp_pack_version", "Version of the rule pack that decides, with its digest.", ["pack"], registry=own)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def rows(self, outcomes: Counter[Outcome]) -> None:
        """Count the rows of a request."""
        for (status, level), count in outcomes.items():
            self._rows.labels(status, level).inc(count)

    def pack(self, version: int, digest: str) -> None:
        """Name the pack that decides from now on, and it alone."""
        self._pack.clear()
        self._pack.labels(digest).set(version)

    def text(self) -> bytes:
        """Write everything in Prometheus's text format."""
        return generate_latest(self._registry)
