"""Bank statements, OFX, CAMT and MT940, as JSON lines of transactions; an entry that cannot be read is a line that says why."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from importlib import import_module

import msgspec

from rayapp.datasets import Dataset
from rayapp.errors import InvalidInput
from rayapp.sources.stream import BLOCK_BYTES, Stream

MODULES = {"ofx": "rayapp.sources.ofx", "camt.053": "rayapp.sources.camt", "mt940": "rayapp.sources.mt940"}
LONGEST_DESCRIPTOR = 512
"""Characters that the engine takes; purposes of transfers are longer, and what tells most stands first."""


class Entry(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One entry of a statement. ``line`` is where it begins; with a ``fault`` it could not be read, and ``value`` is what stands there.

    ``amount`` is in units of ``currency`` without a sign, ``booked_at`` ISO 8601, and ``id`` the bank's own reference where there is one.
    """

    line: int = msgspec.field(name="source line")
    fault: str | None = msgspec.field(default=None, name="source fault")
    value: str | None = msgspec.field(default=None, name="source value")
    id: str | None = None
    descriptor: str | None = None
    amount: str | None = None
    currency: str | None = None
    direction: str | None = None
    booked_at: str | None = None
    mcc: str | None = None
    country: str | None = None
    account_id: str | None = None


def as_json_lines(source: Stream, form: str, dataset: Dataset) -> Stream:
    """Give a statement's entries, one a line. Raises ``InvalidInput`` where it breaks off, or is loaded as anything but transactions."""
    if not dataset.decides:
        raise InvalidInput(f"a bank statement ({form}) holds transactions, not {dataset.name}")
    encode = msgspec.json.Encoder().encode_lines
    batches = _batches(with_ids(import_module(MODULES[form]).entries(source)))
    return Stream(lambda _size: encode(next(batches, ())))


def with_ids(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Give every entry an id: the account with the bank's reference, or with a digest of the entry; equal ones are numbered."""
    seen: Counter[str] = Counter()
    for entry in entries:
        if entry.fault is None:
            told = [entry.booked_at, entry.amount, entry.currency, entry.direction, entry.descriptor]
            digest = hashlib.blake2b("\x1f".join(part or "" for part in told).encode(), digest_size=16).hexdigest()
            key = "/".join(part for part in (entry.account_id, entry.id or digest) if part)
            seen[key] += 1
            entry.id = key if seen[key] == 1 else f"{key}-{seen[key]}"
        yield entry


def descriptor_of(*parts: str | None) -> str | None:
    """Join what an entry says, each part once and without line ends."""
    found: list[str] = []
    for part in parts:
        text = " ".join((part or "").split())
        if text and not any(text in other for other in found):
            found.append(text)
    return " ".join(found)[:LONGEST_DESCRIPTOR].rstrip() or None


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += 200 + len(entry.descriptor or "")
        if size > BLOCK_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
