"""Asks how many descriptors per second one core matches against 200, 1,000 or 5,000 rules, beside other engines.

    python -m benchmarks.patterns [--rules 1000] [--rows 200000]

Each engine gives all (row, rule) pairs of the same clean views, except the last, which only counts and is the limit for
Hyperscan. CPU time of one thread, median of three after a warm-up; slow engines get fewer rows. All engines, of which plain
``re`` is one, must agree on every row that both see. Hyperscan gets rows joined by line ends in chunks
of 16,384, a callback that packs into an array, and repeats at a pattern's end cut to their minimum.
"""

import argparse
import re
import sys
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, NamedTuple

import ahocorasick
import hyperscan
import numpy as np
import pyarrow as pa
import re2
from numpy.typing import NDArray

from benchmarks.descriptors import make_descriptors, make_rules
from rayapp.scoring.patterns import compile_patterns, match
from rayapp.scoring.patterns.program import compile_pattern
from rayapp.scoring.text import clean

Pairs = NDArray[np.int64]
"""Sorted values row << 16 | rule."""
CHUNK = 16_384


class Engine(NamedTuple):
    """A way to match: how many of the rows it gets, and what makes it from patterns."""

    name: str
    rows: int
    make: Callable[[list[str]], Callable[[list[str]], Pairs | None]]


def main() -> None:
    """Measure, check and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rules", type=int, default=1000)
    options.add_argument("--rows", type=int, default=200_000)
    chosen = options.parse_args()
    rows = [clean(descriptor) for descriptor in make_descriptors(chosen.rows, seed=1).to_pylist()]
    patterns = [rule["pattern"] for rule in make_rules(chosen.rules, seed=2)]
    ours = rayapp(patterns)(rows)
    speeds = {}
    for engine in ENGINES:
        compile_pattern.cache_clear()
        began = time.process_time()
        run = engine.make(patterns)
        compiled = time.process_time() - began
        part = rows[: engine.rows]
        found = run(part)
        if found is not None:
            check(engine.name, found, ours[ours < len(part) << 16])
        speeds[engine.name] = len(part) / median(seconds(run, part) for _ in range(3)), compiled
    report(chosen.rules, rows, speeds)


def seconds(run: Callable[[list[str]], Pairs | None], rows: list[str]) -> float:
    """CPU seconds of one run; the columnar engines are given their buffers beforehand, as in a pipeline."""
    began = time.process_time()
    run(rows)
    return time.process_time() - began


def check(name: str, found: Pairs, ours: Pairs) -> None:
    """Stop if an engine and this one disagree."""
    if not np.array_equal(found, ours):
        sys.exit(f"{name} and rayapp differ in {len(np.setxor1d(found, ours))} of {len(ours)} pairs")


def report(rules: int, rows: list[str], speeds: dict[str, tuple[float, float]]) -> None:
    """Print ratios first, then rows per second and CPU seconds to compile."""
    ours = speeds["rayapp"][0]
    print(f"{rules} rules, {len(rows):,} descriptors of {sum(map(len, rows)) / len(rows):.1f} characters")
    print("| engine | rayapp is faster by | rows/s | compile s |\n|---|---|---|---|")
    for name, (speed, compiled) in speeds.items():
        print(f"| {name} | {ours / speed:,.2f} | {speed:,.0f} | {compiled:.2f} |")


# ------------------------------------------------------------------------------------------------------------- engines
def as_columns(rows: list[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Rows as one buffer with offsets."""
    column = pa.array(rows, pa.large_string())
    _, offsets, data = column.buffers()
    return np.frombuffer(data, np.uint8), np.frombuffer(offsets, np.int64)[: len(rows) + 1]


class Columns:
    """Keeps the buffers of the rows seen last, so that making them is not timed."""

    def __init__(self, make: Callable[[list[str]], Any]) -> None:
        """Remember how to make them."""
        self._make = make
        self._made: tuple[list[str], Any] = ([], None)

    def __call__(self, rows: list[str]) -> Any:  # noqa: ANN401
        """The buffers of ``rows``."""
        if self._made[0] is not rows:
            self._made = rows, self._make(rows)
        return self._made[1]


def rayapp(patterns: list[str]) -> Callable[[list[str]], Pairs]:
    """This engine."""
    pattern_set = compile_patterns(patterns)
    columns = Columns(as_columns)

    def run(rows: list[str]) -> Pairs:
        found_rows, found = match(pattern_set, *columns(rows))
        return found_rows.astype(np.int64) << 16 | found

    return run


def naive(patterns: list[str]) -> Callable[[list[str]], Pairs]:
    """A loop over all rules for each row."""
    compiled = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]

    def run(rows: list[str]) -> Pairs:
        return np.array([row << 16 | rule for row, text in enumerate(rows) for rule, one in enumerate(compiled) if one.search(text)])

    return run


def filtered(patterns: list[str]) -> Callable[[list[str]], Pairs]:
    """Aho-Corasick on each row for our required texts, then ``re`` for the rules of those found."""
    compiled = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
    wanted: dict[str, list[int]] = defaultdict(list)
    for rule, pattern in enumerate(patterns):
        for literal in compile_pattern(pattern).literals:
            wanted[literal.text.decode()].append(rule)
    automaton = ahocorasick.Automaton()
    for text, rules in wanted.items():
        automaton.add_word(text, rules)
    automaton.make_automaton()

    def run(rows: list[str]) -> Pairs:
        pairs = []
        for row, text in enumerate(rows):
            candidates = {rule for _, rules in automaton.iter(text) for rule in rules}
            pairs += [row << 16 | rule for rule in sorted(candidates) if compiled[rule].search(text)]
        return np.array(pairs)

    return run


def re2_set(patterns: list[str]) -> Callable[[list[str]], Pairs]:
    """RE2's own set of patterns, row by row, with memory enough."""
    options = re2.Options()
    options.case_sensitive = False
    options.max_mem = 256 << 20
    options.log_errors = False
    matcher = re2.Set.SearchSet(options)
    for pattern in patterns:
        matcher.Add(pattern)
    matcher.Compile()

    def run(rows: list[str]) -> Pairs:
        return np.array([row << 16 | rule for row, text in enumerate(rows) for rule in sorted(matcher.Match(text) or ())])

    return run


def hyperscan_database(patterns: list[str]) -> Any:  # noqa: ANN401
    """A block-mode database for rows joined by line ends."""
    shorter = [re.sub(r"\{(\d+),\d*\}$", r"{\1}", pattern.removesuffix("+")) for pattern in patterns]
    database = hyperscan.Database()
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_MULTILINE
    database.compile([pattern.encode() for pattern in shorter], ids=list(range(len(patterns))), flags=flags)
    return database


def joined_chunks(rows: list[str]) -> list[tuple[bytes, NDArray[np.int64]]]:
    """Chunks of rows that each end in a line end, with the positions of the line ends."""
    chunks = []
    for first in range(0, len(rows), CHUNK):
        encoded = [row.encode() + b"\n" for row in rows[first : first + CHUNK]]
        chunks.append((b"".join(encoded), np.cumsum([len(row) for row in encoded]) - 1))
    return chunks


def hyperscan_joined(patterns: list[str]) -> Callable[[list[str]], Pairs]:
    """Hyperscan with its best-tuned output from Python."""
    database = hyperscan_database(patterns)
    columns = Columns(joined_chunks)

    def run(rows: list[str]) -> Pairs:
        return np.concatenate(list(chunk_pairs(columns(rows))))

    def chunk_pairs(chunks: list[tuple[bytes, NDArray[np.int64]]]) -> Iterator[Pairs]:
        for number, (text, ends) in enumerate(chunks):
            events = array("q")
            append = events.append

            def seen(rule: int, _begin: int, end: int, _flags: int, _context: object, append: Callable[[int], None] = append) -> None:
                append(end << 16 | rule)

            database.scan(text, match_event_handler=seen)
            packed = np.frombuffer(events, np.int64) if events else np.zeros(0, np.int64)
            found = np.searchsorted(ends, packed >> 16, side="left") + number * CHUNK
            yield np.unique(found << 16 | packed & 0xFFFF)

    return run


def hyperscan_silent(patterns: list[str]) -> Callable[[list[str]], None]:
    """Hyperscan that finds everything and tells nobody."""
    database = hyperscan_database(patterns)
    columns = Columns(joined_chunks)

    def run(rows: list[str]) -> None:
        for text, _ in columns(rows):
            database.scan(text, match_event_handler=None)

    return run


ENGINES = (
    Engine("rayapp", 10**9, rayapp),
    Engine("`re`, one by one", 400, naive),
    Engine("Aho-Corasick, then `re`, per row", 20_000, filtered),
    Engine("RE2 Set, per row", 50_000, re2_set),
    Engine("Hyperscan, joined rows", 10**9, hyperscan_joined),
    Engine("Hyperscan, no output (limit)", 10**9, hyperscan_silent),
)

if __name__ == "__main__":
    main()
