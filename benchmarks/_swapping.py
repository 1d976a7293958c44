"""Requests that tell which packs decided their answers, and the wait for a pack to decide everywhere: shared by benchmark and test."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec

from benchmarks._senders import Request, Senders, Told

BULK_ROWS = 3_000
"""Three chunks: an answer that spans a swap would be decided by two packs, were they not held together."""

ROWS = [{"id": str(number), "descriptor": f"SQ *BLUE BOTTLE {number:04} OAKLAND CA"} for number in range(BULK_ROWS)]
SINGLE, BULK = Request("/classify", ROWS[0]), Request("/classify/bulk", {"transactions": ROWS})
PAUSE_S = 0.02
PATIENCE_S = 60.0


class Row(msgspec.Struct):
    """A decision's pack."""

    pack: str


class Bulk(msgspec.Struct):
    """The packs of many decisions, and the one that the answer names."""

    results: list[Row]
    pack: str


def swapping(url: str, singles: int, bulks: int) -> Senders:
    """Give senders of single and bulk requests; each good answer is read to the digests in it."""
    each: list[Iterator[Request]] = [*(itertools.repeat(SINGLE) for _ in range(singles)), *(itertools.repeat(BULK) for _ in range(bulks))]
    return Senders(url, each, digests)


def digests(asked: Request, answer: httpx.Response) -> frozenset[str]:
    """Give the packs that decided an answer."""
    if asked is SINGLE:
        return frozenset({msgspec.json.decode(answer.content, type=Row).pack})
    found = msgspec.json.decode(answer.content, type=Bulk)
    if len(found.results) != BULK_ROWS:
        raise ValueError(f"{len(found.results)} rows came back for {BULK_ROWS}")
    return frozenset({row.pack for row in found.results} | {found.pack})


def mixed(told: list[Told]) -> list[Told]:
    """Give the good answers that more than one pack decided."""
    return [one for one in told if one.status == httpx.codes.OK and len(one.answer) != 1]


def live_everywhere(acknowledgements: Callable[[], dict[str, Any]], version: int, replicas: int) -> float:
    """Wait until so many replicas decide by a version; gives when (seconds since 1970). Raises ``TimeoutError``."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if list(acknowledgements().values()).count(version) >= replicas:
            return time.time()
        time.sleep(PAUSE_S)
    raise TimeoutError(f"{replicas} replicas do not decide by version {version}: {acknowledgements()}")
