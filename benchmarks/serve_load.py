"""Ask `POST /classify` for half, nearly all, one and a half times and three times of what the service can answer.

    python -m benchmarks.serve_load [--seconds 6] [--rounds 2] [--connections 4000]

Starts a service of its own. Rows are decided anew, no two alike (`Cache-Control: no-store`). First measures what 64 connections get that
ask as fast as they are answered (the capacity, before each rate), then asks at fixed rates at random times (Poisson), whatever is
answered. Latency is of good answers, and counts from when a request was due. What has to hold: goodput does not fall when more is asked
than can be done, and every other answer is a 503 that says when to come again. The compiled client shares the two cores with HAProxy and
the replica: the last columns say how much of a core each of them took. At last two clients ask at once, with keys: one of the tier standard
for three times the capacity, one of the tier priority for a tenth of it, which must be answered all the same, within a second.
"""

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import NamedTuple

from benchmarks._ask import FRESH, JSON, Asked, Load, ask, bodies_file
from benchmarks._own_service import Service, cpu_s, own_service
from benchmarks.serve_single import DISTINCT, check
from benchmarks.throughput import circumstances

SHARES = (0.5, 0.9, 1.5, 3.0)
AT_CAPACITY = 64
TIERS = {"standard": 3.0, "priority": 0.1}
NO_LIMIT = ("--rows-per-second", "1000000", "--burst", "100000000", "--at-once", "100000")
TIER_HEAD = "tier | asked, of capacity | answered, of asked | p50 ms | p99 ms | most ms | 503 with Retry-After | other | broken"
HEAD = "asked, of capacity | goodput, of capacity | good a second | p50 ms | p99 ms"
REST = "503 with Retry-After | other | broken | not sent in time | replica, cores | HAProxy | client"


class Run(NamedTuple):
    """The capacity just before, what became of the requests, and the cores that the replica and HAProxy took."""

    capacity: float
    asked: Asked
    replica: float
    haproxy: float


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=6)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--connections", type=int, default=4_000)
    told = options.parse_args()
    print(f"{circumstances()}\n")
    with own_service() as service:
        check(service.url)
        print(f"| {HEAD} | {REST} |\n|{'---|' * 12}")
        for share in SHARES:
            runs = [run(service, share, Load(told.connections, told.seconds)) for _ in range(told.rounds)]
            print(shown(share, runs), flush=True)
        print(f"\n| {TIER_HEAD} |\n|{'---|' * 9}")
        for row in by_tier(service, Load(told.connections, told.seconds)):
            print(row)
    print(f"\nload average at the end {os.getloadavg()[0]:.1f}")


def run(service: Service, share: float, load: Load) -> Run:
    """Measure the capacity, and what becomes of a share of it."""
    bodies = bodies_file(DISTINCT)

    def classify(asked: Load) -> Asked:
        return ask(service.url + "/classify", bodies, asked, (JSON, FRESH))

    capacity = classify(Load(AT_CAPACITY, load.seconds)).goodput
    parts = [service.processes(), service.processes("haproxy")]
    before = [cpu_s(part) for part in parts]
    asked = classify(load._replace(rate=share * capacity))
    taken = asked.seconds + 1
    return Run(capacity, asked, *((cpu_s(part) - spent) / taken for part, spent in zip(parts, before, strict=True)))


def shown(share: float, runs: list[Run]) -> str:
    """Give a row: medians of rates and times, sums of what was not answered well."""

    def middle(of: Callable[[Run], float]) -> float:
        return median(map(of, runs))

    def total(of: Callable[[Asked], int]) -> str:
        return f"{sum(of(run.asked) for run in runs):,}"

    rates = f"{middle(lambda run: run.asked.goodput / run.capacity):.2f} | {middle(lambda run: run.asked.goodput):,.0f}"
    times = f"{middle(lambda run: run.asked.p50_ms):.1f} | {middle(lambda run: run.asked.p99_ms):.1f}"
    rest = " | ".join(map(total, (lambda asked: asked.advised, other, lambda asked: asked.count(0), lambda asked: asked.unsent)))
    client = middle(lambda run: run.asked.cpu_s / (run.asked.seconds + 1))
    cores = f"{middle(lambda run: run.replica):.2f} | {middle(lambda run: run.haproxy):.2f} | {client:.2f}"
    return f"| {share:.1f} | {rates} | {times} | {rest} | {cores} |"


def by_tier(service: Service, load: Load) -> list[str]:
    """Have clients of both tiers ask at the same time; gives a row for each."""
    bodies = bodies_file(DISTINCT)
    keys = {tier: service.rayapp("keys", "add", tier, "--tier", tier, *NO_LIMIT).strip() for tier in TIERS}

    def classify(tier: str, wanted: Load) -> Asked:
        return ask(service.url + "/classify", bodies, wanted, (JSON, FRESH, f"X-API-Key: {keys[tier]}"))

    capacity = classify("standard", Load(AT_CAPACITY, load.seconds)).goodput
    with ThreadPoolExecutor(len(TIERS)) as both:
        rates = {tier: share * capacity for tier, share in TIERS.items()}
        loads = {tier: load._replace(rate=rate, connections=min(load.connections, int(rate))) for tier, rate in rates.items()}
        running = [both.submit(classify, tier, wanted) for tier, wanted in loads.items()]
    return [_of_tier(tier, run.result(), rates[tier]) for tier, run in zip(TIERS, running, strict=True)]


def _of_tier(tier: str, asked: Asked, rate: float) -> str:
    times = f"{asked.p50_ms:.1f} | {asked.p99_ms:.1f} | {asked.max_ms:.1f}"
    rest = f"{asked.advised:,} | {other(asked):,} | {asked.count(0):,}"
    return f"| {tier} | {TIERS[tier]:.1f} | {asked.goodput / rate:.2f} | {times} | {rest} |"


def other(asked: Asked) -> int:
    """Count the answers that are neither good nor a 503 that says when to come again, nor broken."""
    return sum(asked.statuses.values()) - asked.count(200) - asked.advised - asked.count(0)


if __name__ == "__main__":
    main()
