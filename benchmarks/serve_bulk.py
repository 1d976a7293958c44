"""Compare `POST /classify/bulk` and `/classify/stream`, through the service's ingress, with the library in this process.

    python -m benchmarks.serve_bulk [--bodies 40] [--rounds 3] [--lines 1000000] [--url http://127.0.0.1:8000]

Needs a running `rayapp up`. Made-up rows, 1,000 in a body, no two alike. The library reads the same JSON, classifies and writes the same
JSON in one thread; bulk is asked by two connections, so that one body is read while another is decided. The stream is one request.
Rounds alternate. Checks that bulk says what the library says, and that every line is answered. The memory is the replica's.
"""

import argparse
import http.client
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from urllib.parse import urlsplit

import httpx
import msgspec
import psutil

from benchmarks.descriptors import make_descriptors
from benchmarks.throughput import commit, machine
from rayapp import Classifier, load_classifier
from rayapp.launch.site import Site
from rayapp.serve.answers import bulk_body
from rayapp.serve.bodies import read_bulk
from rayapp.serve.engine import Chunk, answer_many
from rayapp.settings import read_settings

ROWS = 1_000
SENDERS = 2
PATIENCE_S = 600.0
READ = 262_144
"""Bytes read at a time."""

PIECE = 256
"""Lines sent at a time."""


def main() -> None:
    """Measure, check and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--bodies", type=int, default=40)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--lines", type=int, default=1_000_000)
    options.add_argument("--url", default=read_settings().http_url)
    told = options.parse_args()
    rows = [
        {"id": str(place), "descriptor": descriptor, "amount": "4.50", "currency": "USD", "direction": "debit"}
        for place, descriptor in enumerate(make_descriptors(told.bodies * ROWS, 1).to_pylist())
    ]
    bodies = [msgspec.json.encode({"transactions": rows[first : first + ROWS]}) for first in range(0, len(rows), ROWS)]
    classifier = load_classifier(read_settings().pack)
    with httpx.Client(base_url=told.url, timeout=PATIENCE_S) as client:
        if client.post("/classify/bulk", content=bodies[0]).content != by_library(classifier, bodies[0]):
            sys.exit("the service does not say what the library says")
        print(f"{machine()}; commit {commit()}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        pairs = [(library_rate(classifier, bodies), bulk_rate(client, bodies)) for _ in range(told.rounds)]
        library, bulk = (median(column) for column in zip(*pairs, strict=True))
        ratio = median(ours / alone for alone, ours in pairs)
        print(f"| bulk of the library (target 0.50) | {ratio:.2f} | bulk {bulk:,.0f} rows/s | library {library:,.0f} rows/s |")
        lines = [msgspec.json.encode(row) + b"\n" for row in rows]
        print(stream(told.url, lines, told.lines, bulk))


def by_library(classifier: Classifier, body: bytes) -> bytes:
    """Read, classify and write in this thread."""
    return bulk_body([answer_many(Chunk(read_bulk(body).rows, 0, classifier))], classifier.pack.digest)


def library_rate(classifier: Classifier, bodies: list[bytes]) -> float:
    """Give the library's rows a second."""
    began = time.perf_counter()
    for body in bodies:
        by_library(classifier, body)
    return len(bodies) * ROWS / (time.perf_counter() - began)


def bulk_rate(client: httpx.Client, bodies: list[bytes]) -> float:
    """Give the rows a second of bulk calls; stops where one is not answered well."""
    began = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as senders:
        statuses = set(senders.map(lambda body: client.post("/classify/bulk", content=body).status_code, bodies))
    if statuses != {200}:
        sys.exit(f"bulk calls were answered with {statuses}")
    return len(bodies) * ROWS / (time.perf_counter() - began)


def stream(url: str, lines: list[bytes], count: int, bulk: float) -> str:
    """Send one stream and read its answers at the same time; gives its row."""
    replica = replica_process()
    memory, answered, last, began = [replica.memory_info().rss], 0, b"", time.perf_counter()
    call = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_S)
    call.putrequest("POST", "/classify/stream")
    call.putheader("content-type", "application/x-ndjson")
    call.putheader("transfer-encoding", "chunked")
    call.endheaders()
    sender = threading.Thread(target=send, args=(call.sock, pieces(lines, count)), daemon=True)
    sender.start()
    answer = call.getresponse()
    while piece := answer.read1(READ):
        answered += piece.count(b"\n")
        last = (last + piece)[-1_000:]
        memory.append(replica.memory_info().rss)
    seconds = time.perf_counter() - began
    call.close()
    if answered != count + 1 or b'"summary"' not in last:
        sys.exit(f"{answered:,} lines came back for {count:,}: {last[-300:]!r}")
    third = memory[len(memory) // 3]
    rate = f"{count / seconds / bulk:.2f} | stream {count / seconds:,.0f} rows/s of {count:,}"
    return f"| stream of bulk (target 1.0) | {rate} | replica MB: before {mb(memory[0])}, a third in {mb(third)}, most {mb(max(memory))} |"


def send(to: socket.socket, body: Iterator[bytes]) -> None:
    """Send a body in chunks."""
    for piece in body:
        to.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
    to.sendall(b"0\r\n\r\n")


def pieces(lines: list[bytes], count: int) -> Iterator[bytes]:
    """Give ``count`` lines, from the first again when they are over, some at a time."""
    joined = [b"".join(lines[first : first + PIECE]) for first in range(0, len(lines), PIECE)]
    sizes = [len(lines[first : first + PIECE]) for first in range(0, len(lines), PIECE)]
    left, place = count, 0
    while left >= sizes[place]:
        yield joined[place]
        left -= sizes[place]
        place = (place + 1) % len(joined)
    yield b"".join(lines[:left])


def replica_process() -> psutil.Process:
    """Find the replica of this installation's service."""
    state = Site(read_settings().data_dir).read()
    if state is None or state.head is None:
        sys.exit("nothing runs here: run `rayapp up` first")
    below = psutil.Process(state.head.pid).children(recursive=True)
    return next(found for found in below if (found.cmdline() or [""])[0].startswith("ray::ServeReplica:rayapp:ingress"))


def mb(size: int) -> str:
    """Write a size in MB."""
    return f"{size / 1e6:,.0f}"


if __name__ == "__main__":
    main()
