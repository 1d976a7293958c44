"""Compare `POST /classify/bulk` and `/classify/stream`, through HAProxy, with the library in this process.

    python -m benchmarks.serve_bulk [--bodies 40] [--rounds 3] [--lines 1000000]

Starts a service of its own. Made-up rows, 1,000 in a body, no two alike in 40 bodies. The library reads the same JSON, classifies and
writes the same JSON in one thread; bulk is asked by two connections, so that one body is read while another is decided. Rounds alternate.
The stream is one request of so many lines, the same 40,000 over and over, which the client neither makes beforehand nor keeps. Checks
that bulk says what the library says, and that every line is answered. The memory is the replica's, looked at four times a second.
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

from benchmarks._ask import rows
from benchmarks._own_service import own_service
from benchmarks.throughput import circumstances
from rayapp import Classifier, load_classifier
from rayapp.serve.answers import bulk_body
from rayapp.serve.bodies import read_bulk
from rayapp.serve.engine import Chunk, answer_many

ROWS = 1_000
SENDERS = 2
PATIENCE_S = 600.0
READ = 262_144
"""Bytes read at a time."""

LOOK_S = 0.25

PIECE = 256
"""Lines sent at a time."""


def main() -> None:
    """Measure, check and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--bodies", type=int, default=40)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--lines", type=int, default=1_000_000)
    told = options.parse_args()
    made = rows(told.bodies * ROWS)
    bodies = [msgspec.json.encode({"transactions": made[first : first + ROWS]}) for first in range(0, len(made), ROWS)]
    classifier = load_classifier()
    print(f"{circumstances()}\n")
    print(f"| what | ratio | rows/s | |\n|{'---|' * 4}")
    with own_service() as service, httpx.Client(base_url=service.url, timeout=PATIENCE_S) as client:
        if client.post("/classify/bulk", content=bodies[0]).content != by_library(classifier, bodies[0]):
            sys.exit("the service does not say what the library says")
        pairs = [(library_rate(classifier, bodies), bulk_rate(client, bodies)) for _ in range(told.rounds)]
        library, bulk = (median(column) for column in zip(*pairs, strict=True))
        ratio = median(ours / alone for alone, ours in pairs)
        print(f"| bulk of the library (target 0.50) | {ratio:.2f} | {bulk:,.0f} | library {library:,.0f} |", flush=True)
        lines = [msgspec.json.encode(row) + b"\n" for row in made]
        rate, memory = stream(service.url, lines, told.lines, service.processes()[0])
        bulk = median([bulk, bulk_rate(client, bodies)])
    print(f"| stream of {told.lines:,} lines, of bulk (target 1.0) | {rate / bulk:.2f} | {rate:,.0f} | {memory} |")
    print(f"\nload average at the end {os.getloadavg()[0]:.1f}")


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


def stream(url: str, lines: list[bytes], count: int, replica: psutil.Process) -> tuple[float, str]:
    """Send one stream and read its answers at the same time; gives the lines a second, and what the replica's memory did."""
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
        if time.perf_counter() - began > len(memory) * LOOK_S:
            memory.append(replica.memory_info().rss)
    seconds = time.perf_counter() - began
    call.close()
    if answered != count + 1 or b'"summary"' not in last:
        sys.exit(f"{answered:,} lines came back for {count:,}: {last[-300:]!r}")
    thirds = ", ".join(mb(memory[place]) for place in (0, len(memory) // 3, 2 * len(memory) // 3, -1))
    return count / seconds, f"replica MB before, after a third, two thirds, at the end: {thirds}; most {mb(max(memory))}"


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


def mb(size: int) -> str:
    """Write a size in MB."""
    return f"{size / 1e6:,.0f}"


if __name__ == "__main__":
    main()
