"""Compare `POST /classify` with an empty route on the same Serve, through the same ingress.

    python -m benchmarks.serve_single [--seconds 4] [--rounds 3] [--url http://127.0.0.1:8000]

Needs `wrk` and a running `rayapp up`. Puts a FastAPI route that does nothing (it reads no body) beside the service on the same cluster, so
that both go through the same ingress, and asks both in turn, with 1, 16 and 64 connections; then takes it away. Checks that `/classify`
gives what the library says, and that no answer was an error. The client shares the machine's cores with the service.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import httpx
import msgspec

from benchmarks.throughput import commit, machine
from rayapp import Transaction, load_classifier
from rayapp.launch.driver import connected, prepare_environment
from rayapp.settings import read_settings

CONNECTIONS = (1, 16, 64)
TARGET = 0.8
NOTHING = "benchmark_nothing"
ROW = {"id": "1", "descriptor": "SQ *BLUE BOTTLE 0123 OAKLAND CA", "amount": "4.50", "currency": "USD", "direction": "debit"}
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Measured(NamedTuple):
    """Answers a second, and milliseconds."""

    rate: float
    p50: float
    p99: float


def main() -> None:
    """Measure, check and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=int, default=4)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--url", default=read_settings().http_url)
    told = options.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: apt install wrk")
    settings = read_settings()
    prepare_environment(settings)
    check(told.url)
    print(f"{machine()}; commit {commit()}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("| connections | of an empty route (target 0.8) | /classify a second | p50 ms | p99 ms | empty a second | p50 ms | p99 ms |")
    print("|---|---|---|---|---|---|---|---|")
    with connected(settings, print):
        start_nothing()
        try:
            for connections in CONNECTIONS:
                pairs = [(wrk(told, "/classify", connections), wrk(told, f"/{NOTHING}/", connections)) for _ in range(told.rounds)]
                ratio = median(ours.rate / empty.rate for ours, empty in pairs)
                print(f"| {connections} | {ratio:.2f} | {shown([ours for ours, _ in pairs])} | {shown([empty for _, empty in pairs])} |")
        finally:
            stop_nothing()


def check(url: str) -> None:
    """Stop where the service does not say what the library says."""
    given = httpx.post(url + "/classify", json=ROW, timeout=30).content
    wanted = msgspec.json.encode(load_classifier(read_settings().pack).classify_one(Transaction(**ROW)))
    if given != wanted:
        sys.exit(f"the service says {given!r}, the library {wanted!r}")


def start_nothing() -> None:
    """Serve a route that does nothing, with the settings of our own deployment."""
    from fastapi import FastAPI
    from ray import serve

    app = FastAPI()

    @serve.deployment(name=NOTHING, max_ongoing_requests=1_000, ray_actor_options={"num_cpus": 0})
    @serve.ingress(app)
    class Nothing:
        """The deployment."""

        @app.post("/")
        async def nothing(self) -> dict[str, Any]:
            """Do nothing."""
            return {}

    serve.run(Nothing.bind(), name=NOTHING, route_prefix=f"/{NOTHING}")


def stop_nothing() -> None:
    """Take the route away."""
    from ray import serve

    serve.delete(NOTHING)


def wrk(told: argparse.Namespace, path: str, connections: int) -> Measured:
    """Ask a route for some seconds; stops at the first error."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "one.lua"
        body = msgspec.json.encode(ROW).decode()
        script.write_text(f'wrk.method="POST"\nwrk.headers["content-type"]="application/json"\nwrk.body=[[{body}]]\n')
        command = ["wrk", "-t1", f"-c{connections}", f"-d{told.seconds}s", "--latency", "-s", str(script), told.url + path]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(said)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
    return Measured(rate, *(in_ms(said, share) for share in (50, 99)))


def in_ms(said: str, share: int) -> float:
    """Read a share of wrk's distribution of latencies."""
    number, unit = re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", said).groups()  # type: ignore[union-attr]
    return float(number) * UNITS[unit]


def shown(measured: list[Measured]) -> str:
    """Give the medians."""
    rate, p50, p99 = (median(column) for column in zip(*measured, strict=True))
    return f"{rate:,.0f} | {p50:.1f} | {p99:.1f}"


if __name__ == "__main__":
    main()
