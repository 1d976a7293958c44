"""Compare `POST /classify` with an empty route on the same Serve, through HAProxy and through Ray Serve's own proxy.

    python -m benchmarks.serve_single [--seconds 4] [--rounds 2] [--ingress haproxy default] [--connections 1 16 64 1024]

Starts a service of its own for each, and puts a FastAPI route that does nothing (it reads no body) beside ours on the same cluster, so
that all goes the same way. All routes get their bodies in turn: rows that are decided, 50,000 of them, no two alike and sent with
`Cache-Control: no-store`; rows that are known, 1,000 whose answers the replica remembers; the empty route the first. Checks that
`/classify` gives what the library says, and that no answer was an error, 503s at 1,024 connections aside. The compiled client shares the
machine's cores with the service; the replica's CPU time for a request is beside the rates, since other programs disturb it less.
"""

import argparse
import os
import sys
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx
import msgspec

from benchmarks import _empty_route
from benchmarks._ask import FRESH, JSON, Asked, Load, ask, bodies_file, rows
from benchmarks._own_service import REPLICA, Service, cpu_s, own_service
from benchmarks.throughput import circumstances
from rayapp import Transaction, load_classifier

DISTINCT, KNOWN, CHECKED = 50_000, 1_000, 20
WARMING = Load(16, 2.5)
HEAD = "connections | route | of the empty route (target 0.8) | a second | p50 ms | p99 ms | replica µs a request"


class Target(NamedTuple):
    """What is asked: how it is called, the path, the bodies, headers, and whose CPU time counts."""

    name: str
    path: str
    bodies: Path
    headers: tuple[str, ...]
    replica: str


class Measured(NamedTuple):
    """Answers a second, milliseconds, and microseconds of CPU of the replica for a request."""

    rate: float
    p50: float
    p99: float
    cpu: float


def main() -> None:
    """Measure, check and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=4)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--ingress", nargs="+", default=["haproxy", "default"])
    options.add_argument("--connections", nargs="+", type=int, default=[1, 16, 64, 1024])
    told = options.parse_args()
    print(circumstances())
    for ingress in told.ingress:
        print(f"\nThrough {ingress}:\n\n| {HEAD} |\n|{'---|' * 7}")
        with own_service(ingress=ingress) as service:
            service.run("benchmarks._empty_route")
            check(service.url)
            for target in targets():
                measure(service, target, WARMING)
            for connections in told.connections:
                compare(service, Load(connections, told.seconds), told.rounds)
    print(f"\nload average at the end {os.getloadavg()[0]:.1f}")


def compare(service: Service, load: Load, rounds: int) -> None:
    """Ask each target in turn and print their rows, the empty route's last."""
    found = [[measure(service, target, load) for target in targets()] for _ in range(rounds)]
    for place, target in enumerate(targets()):
        ratio = median(measured[place].rate / measured[-1].rate for measured in found)
        rate, p50, p99, cpu = (median(column) for column in zip(*(measured[place] for measured in found), strict=True))
        print(f"| {load.connections} | {target.name} | {ratio:.2f} | {rate:,.0f} | {p50:.2f} | {p99:.1f} | {cpu:.0f} |", flush=True)


def targets() -> list[Target]:
    """Give what is compared."""
    distinct, known = bodies_file(DISTINCT), bodies_file(KNOWN)
    return [
        Target("`/classify`, decided", "/classify", distinct, (JSON, FRESH), REPLICA),
        Target("`/classify`, known", "/classify", known, (JSON,), REPLICA),
        Target("empty", f"/{_empty_route.NAME}/", distinct, (JSON, FRESH), _empty_route.REPLICA),
    ]


def measure(service: Service, target: Target, load: Load) -> Measured:
    """Ask a target for some seconds; stops where an answer is an error."""
    replicas = service.processes(target.replica)
    before = cpu_s(replicas)
    asked = ask(service.url + target.path, target.bodies, load, target.headers)
    used = cpu_s(replicas) - before
    if not good_enough(asked):
        sys.exit(f"{target.name} was answered with {asked.statuses}")
    return Measured(asked.goodput, asked.p50_ms, asked.p99_ms, used / (asked.goodput * load.seconds) * 1e6)


def good_enough(asked: Asked) -> bool:
    """Say whether all answers are good, but for those that were shed on a machine that others use too."""
    return set(asked.statuses) <= {"200", "503"} and asked.advised == asked.count(503)


def check(url: str) -> None:
    """Stop where the service does not say what the library says."""
    classifier = load_classifier()
    with httpx.Client(base_url=url, timeout=30) as client:
        for row in rows(CHECKED):
            given = client.post("/classify", json=row).content
            wanted = msgspec.json.encode(classifier.classify_one(Transaction(**row)))
            if given != wanted:
                sys.exit(f"the service says {given!r}, the library {wanted!r}")


if __name__ == "__main__":
    main()
