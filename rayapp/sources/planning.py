"""A source cut into pieces of whole rows, which can be read apart from each other, here or on another process."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import msgspec
import pyarrow as pa

from rayapp.datasets import Dataset
from rayapp.errors import InvalidInput
from rayapp.settings import Settings
from rayapp.sources.ids import repeats_in
from rayapp.sources.infer import Inference
from rayapp.sources.locations import located, shown
from rayapp.sources.mapping import Mapping
from rayapp.sources.options import MappingFile, SourceOptions
from rayapp.sources.pieces import Piece, Plan
from rayapp.sources.reading import PieceReader
from rayapp.sources.sampling import samples_of
from rayapp.sources.scanning import Stretch
from rayapp.sources.survey import Surveyed, check_head, refuse_doubles, surveyed
from rayapp.sources.tiers import Tier, tier_of
from rayapp.sources.unpacking import unpacked


class Source(NamedTuple):
    """What is planned: its address, what it is loaded as, and what is said about it."""

    uri: str
    dataset: Dataset
    said: MappingFile
    tier: Tier | None


@contextmanager
def plan_source(uri: str, dataset: Dataset, options: SourceOptions, settings: Settings) -> Iterator[tuple[Plan, PieceReader]]:
    """Read a source once and say how it will be loaded; packed or recoded text is unpacked beside the data for that long.

    ``uri`` is a file, a folder or a pattern, here or in a store. Raises ``InvalidInput`` when it cannot be read, lacks a column that is
    needed, or has columns of which only a person can say how they are written: ``drafted`` gives them.
    """
    with drafted(uri, dataset, options, settings) as (plan, reader):
        if plan.mapping.questions:
            raise InvalidInput.of(f"cannot tell how {shown(uri)} is to be read", plan.mapping.questions)
        yield plan, reader


@contextmanager
def drafted(uri: str, dataset: Dataset, options: SourceOptions, settings: Settings) -> Iterator[tuple[Plan, PieceReader]]:
    """Plan as ``plan_source`` does, and leave its questions open in ``plan.mapping``: for a look that loads nothing."""
    source = Source(uri, dataset, options.settled(), options.tier)
    with ExitStack() as stack:
        yield _plan(source, settings, stack)


def _plan(source: Source, settings: Settings, stack: ExitStack) -> tuple[Plan, PieceReader]:
    texts = [(location, unpacked(location, source.dataset, source.said, settings, stack)) for location in located(source.uri)]
    check_head(texts[0][1], source.dataset, source.said)
    files = [surveyed(location, text, source.dataset, source.said, settings) for location, text in texts]
    mapping = _mapping(files, source)
    for file in files:
        refuse_doubles(file.file.dialect, mapping)
    content = _content_digest(files, mapping, source.dataset)
    rows = sum(file.file.rows for file in files)
    tier = source.tier or tier_of(rows, settings)
    pieces = tuple(_pieces(files, tier))
    known = tuple(file.file for file in files)
    reader = PieceReader(source.dataset, known, mapping, content[:16])
    if any(column.how == "digest" for column in mapping.columns):
        reader = msgspec.structs.replace(reader, repeats=repeats_in(reader, pieces, rows))
    size = sum(file.bytes for file in known)
    digest = f"sha256:{content}"
    plan = Plan(shown(source.uri), f"{digest}/{tier}", size, rows, tier, pieces, known, content=digest, mapping=mapping)
    return plan, reader


def _mapping(files: Sequence[Surveyed], source: Source) -> Mapping:
    """Infer one mapping for all files: the fields of the first come first."""
    parts = [samples_of(file, source.dataset) for file in files[:MOST_SAMPLED]]
    fields = dict.fromkeys(field for part in parts for field in part)
    joined = {
        field: pa.chunked_array([part[field].cast(pa.string()) for part in parts if field in part], pa.string()).combine_chunks()
        for field in fields
    }
    mapping = Inference(source.dataset, joined, source.said).mapping(row_ids=False)
    for file in files[1:]:
        _check_fields(file, mapping, source.dataset)
    return mapping


MOST_SAMPLED = 32
"""Files of a source whose values are looked at; of the others only the columns' names."""


def _check_fields(file: Surveyed, mapping: Mapping, dataset: Dataset) -> None:
    """Refuse a file that lacks the fields of a needed column: it is not like the others."""
    for source in mapping.columns:
        if source.fields and dataset.column(source.column).needed and not any(field in file.fields for field in source.fields):
            has = ", ".join(file.fields) or "none"
            raise InvalidInput(f"{file.file.name} has not the field {source.fields[0]!r} as the other files have; it has {has}")


def _content_digest(files: Sequence[Surveyed], mapping: Mapping, dataset: Dataset) -> str:
    """Digest what is loaded: the files' bytes, how they are written, and what the columns mean."""
    told = [
        (file.digest, file.file.encoding, file.file.dialect and (file.file.dialect.delimiter, file.file.dialect.offset)) for file in files
    ]
    meant = [msgspec.structs.replace(column, samples=(), certainty="given") for column in mapping.columns]
    return hashlib.sha256(msgspec.json.encode([dataset.name, told, meant])).hexdigest()


def _pieces(files: Sequence[Surveyed], tier: Tier) -> Iterator[Piece]:
    """Cut as the tier wants: each file in one, by rows, or by blocks."""
    number = row = 0
    for place, file in enumerate(files):
        for stretch in _stretches(file, tier):
            yield Piece(number, place, stretch.offset, stretch.length, row, stretch.first_line)
            number, row = number + 1, row + stretch.rows


def _stretches(file: Surveyed, tier: Tier) -> Sequence[Stretch]:
    if tier == "huge" or not file.stretches:
        return file.stretches
    if tier == "large":
        return file.fine
    first = file.stretches[0]
    lengths, rows = (sum(getattr(stretch, name) for stretch in file.stretches) for name in ("length", "rows"))
    return [Stretch(first.offset, lengths, rows, first.first_line)]
