"""Ask `POST /classify` for half, nearly all, one and a half times and three times of what the service can answer.

    python -m benchmarks.serve_load [--seconds 5] [--connections 2000] [--url http://127.0.0.1:8000]

Needs a running `rayapp up`, and no other program. First measures what 64 connections get that ask as fast as they are answered (the
capacity), then asks at fixed rates, whatever is answered. Latency is of good answers, and counts from when a request was due. What has to
hold: goodput does not fall when more is asked than can be done; every other answer says 503 (or 429, where there are keys). The
client shares the machine's cores with the service, and takes more of them the more it asks.
"""

import argparse
import os
import sys

import httpx
import msgspec

from benchmarks._open_loop import Asked, ask
from benchmarks.serve_single import ROW, check
from benchmarks.throughput import commit, machine
from rayapp.settings import read_settings

SHARES = (0.5, 0.9, 1.5, 3.0)
ENOUGH = 20_000.0
"""Requests a second that nobody answers: asking for them with few connections is asking as fast as answers come."""

AT_CAPACITY = 64


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--connections", type=int, default=2_000)
    options.add_argument("--url", default=read_settings().http_url)
    told = options.parse_args()
    try:
        check(told.url)
    except httpx.TransportError as error:
        sys.exit(f"nothing answers at {told.url} ({error}): run `rayapp up` first")
    print(f"{machine()}; commit {commit()}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    body = msgspec.json.encode(ROW)
    route = told.url + "/classify"
    capacity = ask(route, body, ENOUGH, told.seconds, AT_CAPACITY).goodput
    print(f"capacity with {AT_CAPACITY} connections: {capacity:,.0f} a second")
    print("| asked, of capacity | goodput, of capacity | good a second | p50 ms | p99 ms | 429 | 503 | other | broken | not sent in time |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for share in SHARES:
        print(shown(share, capacity, ask(route, body, share * capacity, told.seconds, told.connections)))


def shown(share: float, capacity: float, asked: Asked) -> str:
    """Give a row."""
    counts = asked.statuses
    other = sum(count for status, count in counts.items() if status not in {0, 200, 429, 503})
    rest = f"{counts[429]:,} | {counts[503]:,} | {other:,} | {counts[0]:,} | {asked.unsent:,} |"
    rate = f"{asked.goodput / capacity:.2f} | {asked.goodput:,.0f}"
    return f"| {share:.1f} | {rate} | {asked.at(0.5):.1f} | {asked.at(0.99):.1f} | {rest}"


if __name__ == "__main__":
    main()
