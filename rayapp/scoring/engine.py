"""The engine: a pack's arrays, and the one way through them from descriptors to verdicts.

Text is looked at once for each distinct descriptor (clean view, core, aliases, patterns), rows are judged one by one on what was found, and
the semantic signal is asked only for what nothing else decided. Whoever calls, and however many rows at once, the answers are the same.
"""

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rayapp.scoring.alike import Groups, exact_patterns, group_rows
from rayapp.scoring.core import analyse_rows
from rayapp.scoring.evidence import (
    MAX_CATEGORIES,
    MAX_REASONS,
    MAX_RULES,
    ONE,
    SUGGESTIONS,
    Findings,
    Inputs,
    Merchants,
    Reasons,
    Rules,
    Scales,
    Verdicts,
)
from rayapp.scoring.judge import judge_rows
from rayapp.scoring.lexicon import Lexicon, new_facts, new_hits, new_scan
from rayapp.scoring.marks import MARKS, mark_rows, mark_table, mark_verdicts, verdict_table
from rayapp.scoring.money import shade_rows, worth_table
from rayapp.scoring.near import MOST, NearIndex, near_rows
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.patterns import PatternSet, Tables, match_rows, new_scratch
from rayapp.scoring.phrases import Trie
from rayapp.scoring.semantic import SemanticModel, score
from rayapp.scoring.text import clean_bytes

PARTS = ("merchant", "semantic", "rule", "mcc")


class Views(NamedTuple):
    """The texts of distinct descriptors: clean views, cores, and what was found in them."""

    clean: NDArray[np.uint8]
    clean_offsets: NDArray[np.int64]
    core: NDArray[np.uint8]
    core_offsets: NDArray[np.int64]
    found: Findings


class Scratch(threading.local):
    """What the kernels write to while they work, one for each thread; making it anew would cost a single row more than its judgement."""

    def __init__(self, rules: int, tables: Tables) -> None:
        """Make room for a pack of so many rules and these patterns."""
        self.scan = new_scan()
        self.word = np.empty(MOST, np.uint8)
        self.reasons = new_reasons(rules)
        self.stamp = 0
        self.matching = new_scratch(tables)


class Engine:
    """A pack, ready to judge. Safe to use from several threads."""

    def __init__(self, pack: CompiledPack) -> None:
        """Lay the pack's arrays out for the kernels."""
        arrays = pack.arrays
        self.fold = arrays["fold/table"]
        self.lexicon = Lexicon(
            _trie(pack, "phrase"),
            arrays["phrase/kind"],
            arrays["phrase/processor"],
            arrays["phrase/channel"],
            _trie(pack, "place"),
            arrays["place/kind"],
            arrays["place/country"],
            arrays["place/region"],
            _trie(pack, "learned"),
        )
        section = pack.section("merchant")
        self.merchants = Merchants(
            **{name: section[name] for name in Merchants._fields if name in section},
            learned_category=arrays["learned/category"],
            learned_weight=arrays["learned/weight"],
            learned_country=arrays["learned/country"],
        )
        section = pack.section("rule")
        self.rules = Rules(**{name: section[name] for name in Rules._fields})
        self._exact = exact_patterns(self.rules)
        manifest = pack.manifest
        self.scales = Scales(
            np.array([manifest.weights[part] for part in PARTS], np.int32),
            manifest.decided,
            manifest.unclassified,
            int(manifest.adds_up),
            int(manifest.learned_first),
            arrays["mcc/category"],
            arrays["mcc/weight"],
            arrays["category/primary"],
            arrays["category/merchant"],
        )
        section = pack.section("pattern")
        self.patterns = PatternSet.from_arrays(section)
        self.tables = Tables(**{name: section[name] for name in Tables._fields})
        section = pack.section("near")
        self.near = NearIndex(**{name: section[name] for name in NearIndex._fields})
        self._scratch = Scratch(self.rules.category.size, self.tables)
        semantic = pack.section("semantic")
        self.semantic = SemanticModel.from_arrays(semantic) if semantic else None
        processors = pack.strings["processor"].to_pylist()
        marked = self.semantic is not None and bool(self.semantic.marked[0]) and manifest.learned_first
        self.mark_keys = mark_table(processors) if marked else None
        self.verdict_keys = verdict_table(pack.strings["category"].to_pylist()) if marked else None
        self.worth = worth_table()

    def view(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Views:
        """Look at ``n`` descriptors, given as UTF-8 bytes and ``n + 1`` offsets."""
        rows = offsets.size - 1
        clean, clean_offsets = clean_bytes(data, offsets, self.fold)
        core = np.empty(5 * (clean.size + rows) + 8, np.uint8)
        core_offsets = np.empty(rows + 1, np.int64)
        facts, hits = new_facts(rows), new_hits(rows)
        analyse_rows(clean, clean_offsets, self.lexicon, self._scratch.scan, core, core_offsets, facts, hits)
        pattern_offset, pattern = self._match(clean, clean_offsets)
        near, near_weight = np.empty(rows, np.int32), np.empty(rows, np.int32)
        near_rows(self.near, core, core_offsets, hits.offset, self._scratch.word, near, near_weight)
        found = Findings(
            hits,
            facts,
            pattern_offset,
            pattern,
            near=near,
            near_weight=near_weight,
            suggestion=np.empty(0, np.int32),
            suggested=np.empty((0, SUGGESTIONS), np.int16),
            probability=np.empty((0, SUGGESTIONS), np.int32),
        )
        return Views(clean, clean_offsets, core[: core_offsets[-1]], core_offsets, found)

    def _match(self, clean: NDArray[np.uint8], offsets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Give the patterns found in each row, and where each row's begin."""
        rows = offsets.size - 1
        room = 64 + 10 * rows
        while True:
            out_rows, out_patterns = np.empty(room, np.int32), np.empty(room, np.int32)
            found = match_rows(self.tables, clean, offsets, 0, rows, self._scratch.matching, out_rows, out_patterns)
            if found <= room:
                break
            room = found
        return np.searchsorted(out_rows[:found], np.arange(rows + 1)), out_patterns[:found]

    def exact(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of each descriptor whether it has a pattern of a rule that asks for an amount or a date."""
        rows = np.zeros(offsets.size - 1, np.bool_)
        if self._exact.any():
            ends, pattern = self._match(*clean_bytes(data, offsets, self.fold))
            rows[np.repeat(np.arange(rows.size), np.diff(ends))[self._exact[pattern]]] = True
        return rows

    def group(self, views: Views, inputs: Inputs) -> Groups:
        """Group the rows of ``inputs`` that get the same verdict."""
        return group_rows(inputs, views.found, self._exact, self.shades(inputs))

    def shades(self, inputs: Inputs) -> NDArray[np.int16]:
        """Give the shade of each row's amount, and nothing where no signal reads it."""
        return self._shade(inputs, np.arange(inputs.text.size if self.mark_keys is not None else 0, dtype=np.int32))

    def judge(self, views: Views, inputs: Inputs) -> tuple[Verdicts, Findings]:
        """Judge every row of ``inputs``; the findings come back with the suggestions of the semantic signal."""
        rows = inputs.text.size
        out = new_verdicts(rows)
        scratch = self._scratch
        every = np.arange(rows, dtype=np.int32)
        scratch.stamp = self._judge(every, inputs, views.found, scratch, out)
        undecided = np.flatnonzero(out.undecided).astype(np.int32)
        if self.semantic is None or not undecided.size:
            return out, views.found
        found = self._suggest(views, inputs, undecided, out)
        scratch.stamp = self._judge(undecided, inputs, found, scratch, out)
        return out, found

    def _judge(self, rows: NDArray[np.int32], inputs: Inputs, found: Findings, scratch: Scratch, out: Verdicts) -> int:
        return judge_rows(rows, inputs, found, self.merchants, self.rules, self.scales, scratch.reasons, scratch.stamp, out)

    def _suggest(self, views: Views, inputs: Inputs, rows: NDArray[np.int32], out: Verdicts) -> Findings:
        """Ask the semantic signal about the given rows: where it reads cores alone, once for each descriptor."""
        texts, marks = inputs.text[rows], self.marks(views, inputs, rows, out)
        suggestion = np.full(inputs.text.size, -1, np.int32)
        if marks is None:
            asked = np.full(views.core_offsets.size - 1, -1, np.int32)
            asked[texts] = 0
            asked_texts = np.flatnonzero(asked == 0).astype(np.int32)
            asked[asked_texts] = np.arange(asked_texts.size, dtype=np.int32)
            suggestion[rows], texts = asked[texts], asked_texts
        else:
            suggestion[rows] = np.arange(rows.size, dtype=np.int32)
        suggested = np.empty((texts.size, SUGGESTIONS), np.int16)
        probability = np.empty((texts.size, SUGGESTIONS), np.float32)
        if self.semantic is not None:
            score(self.semantic, views.core, views.core_offsets, texts, suggested, probability, marks)
        millionths = np.rint(probability.astype(np.float64) * ONE).astype(np.int32)
        return views.found._replace(suggestion=suggestion, suggested=suggested, probability=millionths)

    def marks(self, views: Views, inputs: Inputs, rows: NDArray[np.int32], out: Verdicts) -> NDArray[np.int32] | None:
        """Give what the semantic model is told of the given rows beside their cores; ``out`` is what was made of them without it.

        ``None`` where it learnt from cores alone, and where lines are not printed as those of the book that it learnt from.
        """
        if self.mark_keys is None or self.verdict_keys is None:
            return None
        facts, texts, found = views.found.facts, inputs.text[rows], np.empty((rows.size, MARKS), np.int32)
        beside = (facts.processor, facts.store, facts.phone, views.clean, views.clean_offsets)
        mark_rows(texts, *beside, views.core, views.core_offsets, self.mark_keys, found)
        mark_verdicts(rows, self._shade(inputs, rows), out.category, out.basis, self.mark_keys, self.verdict_keys, found)
        return found

    def shade_one(self, amount: float, currency: float) -> int:
        """Give the shade of one amount, -1 where no signal reads it."""
        if self.mark_keys is None:
            return -1
        shade = np.empty(1, np.int16)
        shade_rows(np.zeros(1, np.int32), np.array([amount]), np.array([currency], np.int16), self.worth, shade)
        return int(shade[0])

    def _shade(self, inputs: Inputs, rows: NDArray[np.int32]) -> NDArray[np.int16]:
        """Give the shade of the amounts of the given rows."""
        shade = np.empty(rows.size, np.int16)
        shade_rows(rows, inputs.amount, inputs.currency, self.worth, shade)
        return shade


def _trie(pack: CompiledPack, name: str) -> Trie:
    """Give one of the pack's tries."""
    section = pack.section(name)
    return Trie(**{field: section[field] for field in Trie._fields})


def new_reasons(rules: int) -> Reasons:
    """Make scratch for one thread and a pack of ``rules`` rules."""
    return Reasons(
        np.empty(MAX_REASONS, np.int8),
        np.empty(MAX_REASONS, np.int8),
        np.empty(MAX_REASONS, np.int16),
        np.empty(MAX_REASONS, np.int32),
        np.empty(MAX_REASONS, np.int32),
        np.empty(MAX_REASONS, np.uint8),
        np.empty(MAX_REASONS, np.int32),
        np.empty((MAX_CATEGORIES, len(PARTS)), np.int32),
        np.empty(MAX_CATEGORIES, np.int16),
        np.zeros(rules, np.int64),
        np.zeros(rules, np.int64),
    )


def new_verdicts(rows: int) -> Verdicts:
    """Make room for the verdicts of ``rows`` rows."""
    return Verdicts(
        np.empty(rows, np.int16),
        np.empty(rows, np.int32),
        np.empty((rows, len(PARTS)), np.int32),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
        np.empty(rows, np.int8),
        np.empty(rows, np.uint8),
        np.empty(rows, np.int32),
        np.empty((rows, MAX_RULES), np.int32),
    )
