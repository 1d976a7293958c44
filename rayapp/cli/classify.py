"""``rayapp classify``: transactions in, decisions out, in bounded memory, without a cluster."""

import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from rayapp.cli.sinks import format_for, open_sink, replacing
from rayapp.datasets import dataset
from rayapp.packs import load_classifier
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.output import SCHEMA
from rayapp.settings import Settings
from rayapp.sources.blocks import Block
from rayapp.sources.options import MappingFile, SourceOptions, read_mapping_file
from rayapp.sources.streaming import open_source

DONE, REJECTED = 0, 3
SHOWN_REJECTS = 5
PROGRESS_S = 0.5
LONG_S = 2.0
"""Shorter runs are mostly start-up, and a speed would mislead."""


class Reject(msgspec.Struct, frozen=True):
    """A value that kept its row from being classified; ``row`` is one-based, a header not counted."""

    row: int
    field: str | None
    message: str


def run(settings: Settings, arguments: Namespace) -> int:
    """Classify the source; gives the exit code."""
    classifier = load_classifier(arguments.pack or settings.pack)
    report = Report(quiet=arguments.quiet)
    form = arguments.format or format_for(arguments.out)
    mapping = read_mapping_file(Path(arguments.mapping)) if arguments.mapping else MappingFile()
    options = SourceOptions(mapping, arguments.encoding)
    with (
        open_source(arguments.source, dataset("transactions"), options) as blocks,
        open_sink(arguments.out, form, SCHEMA) as sink,
        _rejects_file(arguments.rejects) as rejects,
    ):
        for block in blocks:
            table, bad = classify_block(classifier, block)
            sink.write(table)
            report.add(table, bad)
            rejects(bad)
    report.close(as_json=arguments.json)
    return REJECTED if report.rejected else DONE


def classify_block(classifier: Classifier, block: Block) -> tuple[pa.Table, list[Reject]]:
    """Classify the rows of a block that can be; gives the others with their places."""
    table, problems = classifier.classify_rows(block.table)
    bad = [Reject(block.places[problem.row] + 1, problem.field, problem.message) for problem in problems]
    bad += [Reject(unread.row + 1, unread.column or None, unread.message) for unread in block.unread]
    return table, sorted(bad, key=lambda reject: reject.row)


@contextmanager
def _rejects_file(name: str | None) -> Iterator["RejectsFile"]:
    if name is None:
        yield RejectsFile(None)
        return
    with replacing(Path(name)) as file:
        yield RejectsFile(file)


class RejectsFile:
    """Rejected rows as JSON lines, if somebody wants them."""

    def __init__(self, file: object) -> None:
        """Take an open file, or ``None``."""
        self._file = file

    def __call__(self, bad: list[Reject]) -> None:
        """Write them."""
        if self._file is not None:
            self._file.write(msgspec.json.Encoder().encode_lines(bad))  # type: ignore[attr-defined]


class Report:
    """What is told on standard error: progress to a person, the first rejects, and a summary."""

    def __init__(self, *, quiet: bool, stream: TextIO | None = None) -> None:
        """Begin to count."""
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._live = self._stream.isatty() and not quiet
        self._started = self._told = time.monotonic()
        self._shown = 0
        self._levels: Counter[str] = Counter()
        self.rows = self.unclassified = self.rejected = 0

    def add(self, table: pa.Table, bad: list[Reject]) -> None:
        """Count a block's rows and name its rejects."""
        rejected = len({reject.row for reject in bad})
        self.rows += table.num_rows + rejected
        self.rejected += rejected
        self.unclassified += pc.sum(pc.equal(table["status"], "unclassified")).as_py() or 0
        self._levels.update({entry["values"]: entry["counts"] for entry in pc.value_counts(table["level"].combine_chunks()).to_pylist()})
        self._name(bad)
        if self._live and time.monotonic() - self._told > PROGRESS_S:
            self._told = time.monotonic()
            print(f"\r{self.rows:,} rows, {self._speed():,.0f} rows/s", end="", file=self._stream, flush=True)

    def close(self, *, as_json: bool) -> None:
        """Give the summary."""
        if self._live:
            print("\r\033[K", end="", file=self._stream)
        if as_json:
            print(msgspec.json.encode(self._summary()).decode(), file=self._stream)
        elif not self._quiet:
            print(self._sentence(), file=self._stream)

    def _name(self, bad: list[Reject]) -> None:
        for reject in bad[: max(0, SHOWN_REJECTS - self._shown)]:
            where = f"row {reject.row}, {reject.field}" if reject.field else f"row {reject.row}"
            print(f"rayapp: {where}: {reject.message}", file=self._stream)
            self._shown += 1
            if self._shown == SHOWN_REJECTS:
                print("rayapp: further rejected rows are counted only; --rejects FILE keeps all", file=self._stream)

    def _speed(self) -> float:
        return self.rows / max(time.monotonic() - self._started, 1e-9)

    def _summary(self) -> dict[str, object]:
        return {
            "rows": self.rows,
            "classified": self.rows - self.unclassified - self.rejected,
            "unclassified": self.unclassified,
            "rejected": self.rejected,
            "levels": dict(self._levels),
            "seconds": round(time.monotonic() - self._started, 3),
        }

    def _sentence(self) -> str:
        levels = ", ".join(f"{self._levels[name]:,} {name}" for name in ("VERY_HIGH", "HIGH", "MEDIUM", "LOW") if self._levels[name])
        classified = self.rows - self.unclassified - self.rejected
        outcome = f"{classified:,} classified, {self.unclassified:,} unclassified, {self.rejected:,} rejected"
        seconds = time.monotonic() - self._started
        speed = f" ({self._speed():,.0f} rows/s)" if seconds > LONG_S else ""
        return f"{self.rows:,} rows in {seconds:.1f} s{speed}: {outcome}. Confidence: {levels or 'none'}."
