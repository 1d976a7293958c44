"""What one replica counts, as Prometheus reads it. Few labels: routes are templates, never paths as they came."""

from collections import Counter
from functools import cache

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client import Counter as Total

from rayapp.serve.answers import Outcome
from rayapp.serve.batching import Batch

LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
WAITS_S = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Metrics:
    """The counts of one replica, each in a registry of its own so that several can live in one process."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._registry = own = CollectorRegistry()
        ProcessCollector(registry=own)  # CPU time, memory and open files
        requests = Total("rayapp_http_requests", "Requests answered.", ["method", "route", "status"], registry=own)
        until = "Time from the head of a request to the end of its answer."
        latency = Histogram("rayapp_http_request_seconds", until, ["route"], buckets=LATENCY_S, registry=own)
        self._rows = Total("rayapp_rows", "Transactions answered, by status and level.", ["status", "level"], registry=own)
        self._pack = Gauge("rayapp_pack_version", "Version of the rule pack that decides, with its digest.", ["pack"], registry=own)
        live = "Seconds from the last activation of a pack until this replica decided by it; 0 before there was one."
        self.pack_live_s = Gauge("rayapp_pack_live_seconds", live, registry=own)
        self._batch_rows = Histogram("rayapp_batch_rows", "Rows that were classified together.", buckets=ROWS, registry=own)
        self._batch_s = Histogram("rayapp_batch_seconds", "Time that a batch took.", buckets=WAITS_S, registry=own)
        waited = "Time that the first of a batch had waited when it began."
        self._waited = Histogram("rayapp_batch_wait_seconds", waited, buckets=WAITS_S, registry=own)
        self._expired = Total("rayapp_expired_rows", "Rows dropped before they were computed, their time being over.", registry=own)
        self.queued_rows = Gauge("rayapp_queued_rows", "Rows that wait for the engine.", registry=own)
        self.queued_seconds = Gauge("rayapp_queued_seconds", "Age of the oldest row that waits for the engine.", registry=own)
        self._cached = cache(Total("rayapp_cache_lookups", "Answers looked for in a cache.", ["cache", "outcome"], registry=own).labels)
        self._request = cache(requests.labels)
        self._answered = cache(latency.labels)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._request(method, route, status).inc()
        self._answered(route).observe(seconds)

    def rows(self, outcomes: Counter[Outcome]) -> None:
        """Count the rows of a request."""
        for (status, level), count in outcomes.items():
            self._rows.labels(status, level).inc(count)

    def cached(self, where: str, *, hit: bool) -> None:
        """Count a look into a cache."""
        self._cached(where, "hit" if hit else "miss").inc()

    def batch(self, batch: Batch) -> None:
        """Take note of a batch that is done."""
        self._batch_rows.observe(batch.rows)
        self._batch_s.observe(batch.seconds)
        self._waited.observe(batch.waited_s)

    def expired(self, works: int, rows: int) -> None:  # noqa: ARG002 - a Watch is told both
        """Take note of work that was dropped."""
        self._expired.inc(rows)

    def pack(self, version: int, digest: str) -> None:
        """Name the pack that decides from now on, and it alone."""
        self._pack.clear()
        self._pack.labels(digest).set(version)

    def text(self) -> bytes:
        """Write everything in Prometheus's text format."""
        return generate_latest(self._registry)
