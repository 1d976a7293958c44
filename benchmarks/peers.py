"""What else could find the rules and names in descriptors, on the same rows in the same run.

Three comparisons. Like for like on a part: engines that find which of the rules' patterns match in clean views, beside our pattern stage,
which does just that. Like for like on the most of the work: a loop over compiled ``re`` for the rules' patterns and, as patterns between
word boundaries, every alias, beside the whole classifier. And the same engines that look for the rules' patterns alone beside the whole
classifier, which does all the rest in the same time: names, places, MCC, score, Arrow table out.
"""

import re
import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from benchmarks import patterns
from rayapp.scoring.engine import Engine
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.phrases import ALIAS
from rayapp.scoring.text import clean

PASSES = 3
LOOP_ROWS = 40
OURS = "our patterns alone (limit)"

PEERS = (
    patterns.Engine("a loop over compiled `re`", 400, patterns.naive),
    patterns.Engine("Aho-Corasick, then `re`, per row", 20_000, patterns.filtered),
    patterns.Engine("RE2 Set, per row", 50_000, patterns.re2_set),
    patterns.Engine("Hyperscan, no output (limit)", 200_000, patterns.hyperscan_silent),
    patterns.Engine(OURS, 200_000, patterns.rayapp),
)
MOST_ROWS = max(peer.rows for peer in PEERS)


class Loop(NamedTuple):
    """The loop over rules and aliases: rows a second, how many regexes, and how its hits compare with ours on the rows it saw."""

    speed: float
    regexes: int
    ours: int
    agreed: int


def measure(made: list[dict[str, Any]], views: list[str]) -> dict[str, float]:
    """Give rows per second of CPU time of each peer on the clean views; stop where one finds other patterns than ours."""
    texts = [rule["pattern"] for rule in made]
    ours = patterns.rayapp(texts)(views)
    speeds = {}
    for peer in PEERS:
        run = peer.make(texts)
        part = views[: peer.rows]
        found = run(part)
        if found is not None:
            patterns.check(peer.name, found, ours[ours < len(part) << 16])
        speeds[peer.name] = len(part) / median(patterns.seconds(run, part) for _ in range(PASSES))
    return speeds


def rules_and_aliases(pack: CompiledPack, made: list[dict[str, Any]], descriptors: list[str]) -> Loop:
    """Search every rule's pattern in the clean views and every alias in the cores, one by one, and compare the aliases with ours."""
    rules = [re.compile(rule["pattern"], re.IGNORECASE) for rule in made]
    entries = np.flatnonzero(pack.arrays["phrase/kind"] & ALIAS).tolist()
    aliases = {entry: re.compile(rf"\b{re.escape(pack.strings['phrase'][entry].as_py())}\b") for entry in entries}
    rows, found = cores_and_hits(pack, descriptors[:LOOP_ROWS])
    views = [clean(descriptor) for descriptor in descriptors[:LOOP_ROWS]]

    def search() -> list[set[int]]:
        for view in views:
            for rule in rules:
                rule.search(view)
        return [{entry for entry, alias in aliases.items() if alias.search(core)} for core in rows]

    theirs = search()
    agreed = sum(len(mine & others) for mine, others in zip(found, theirs, strict=True))
    speed = len(rows) / median(_seconds(search) for _ in range(PASSES))
    return Loop(speed, len(rules) + len(aliases), sum(map(len, found)), agreed)


def cores_and_hits(pack: CompiledPack, descriptors: list[str]) -> tuple[list[str], list[set[int]]]:
    """Give each descriptor's core, the words in which aliases are looked for, and the aliases that we find in it."""
    engine = Engine(pack)
    encoded = [descriptor.encode() for descriptor in descriptors]
    views = engine.view(np.frombuffer(b"".join(encoded), np.uint8).copy(), np.cumsum([0, *map(len, encoded)], dtype=np.int64))
    core, ends, hits = views.core.tobytes(), views.core_offsets, views.found.hits
    cores = [core[ends[row] : ends[row + 1]].decode() for row in range(len(descriptors))]
    return cores, [set(hits.entry[hits.offset[row] : hits.offset[row + 1]].tolist()) for row in range(len(descriptors))]


def _seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def report(alone: dict[str, float], loop: Loop, ours: float, rules: int) -> None:
    """Print the three comparisons."""
    print(f"\n| looks for the patterns of {rules:,} rules | our pattern stage is faster by | the whole classifier by | rows/s/core |")
    print("|---|---|---|---|")
    for name, speed in alone.items():
        print(f"| {name} | {alone[OURS] / speed:,.2f} | {ours / speed:,.2f} | {speed:,.0f} |")
    print("\n| rules and aliases | the whole classifier is faster by | rows/s/core |\n|---|---|---|")
    print(f"| a loop over {loop.regexes:,} compiled `re` ({LOOP_ROWS} rows) | {ours / loop.speed:,.0f} | {loop.speed:,.1f} |")
    print(f"\nthe loop found {loop.agreed} of the {loop.ours} aliases that we found in those rows")
