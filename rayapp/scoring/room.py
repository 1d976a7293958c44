"""What a row that comes alone is decided with: the pack's book, written down once, and each thread's room for what is found on the way."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rayapp.scoring.confidence import Curves
from rayapp.scoring.engine import Engine, new_reasons, new_verdicts
from rayapp.scoring.evidence import MAX_RULES, PARTS, SUGGESTIONS, Inputs, Merchants, Reasons, Rules, Scales, Verdicts
from rayapp.scoring.handed import layout_of
from rayapp.scoring.lexicon import Facts, Hits, Lexicon, Scan, new_facts, new_hits, new_scan
from rayapp.scoring.marks import MARKS
from rayapp.scoring.near import MOST, NearIndex
from rayapp.scoring.output import Names, Writer
from rayapp.scoring.patterns import Matching, Tables, new_scratch
from rayapp.scoring.phrases import Trie
from rayapp.scoring.semantic import Counts, Network, new_counts, no_network
from rayapp.scoring.text import ASCII
from rayapp.scoring.values import MAX_DESCRIPTOR

MOST_BYTES = 4 * MAX_DESCRIPTOR
MOST_CLEAN = 2 * MOST_BYTES + 1
MOST_CORE = 5 * (MOST_CLEAN + 1) + 8

CATEGORY, SCORE, MERCHANT, ALIAS, LEARNED, PROCESSOR, NAME, RULES = range(8)
"""Places of what is told of a row; then come the parts of the score and the rules. The name's is its length, -1 for none."""

FIRST_PART, FIRST_RULE = RULES + 1, RULES + 1 + PARTS
TOLD = FIRST_RULE + MAX_RULES


class Book(NamedTuple):
    """What a pack decides by."""

    fold: NDArray[np.uint32]
    lexicon: Lexicon
    patterns: Tables
    near: NearIndex
    merchants: Merchants
    rules: Rules
    scales: Scales
    asks: int
    """Whether there is a model."""
    model: Network
    """Nothing in it is filled where there is none."""
    marked: int
    """Whether the model is told of marks."""
    marks: NDArray[np.int32]
    verdicts: NDArray[np.int32]
    worth: NDArray[np.float64]
    names: Names
    curves: Curves


class Room(NamedTuple):
    """Where one thread's row comes in, what is found on the way, and what comes out."""

    data: NDArray[np.uint8]
    ends: NDArray[np.int64]
    plain: NDArray[np.uint8]
    clean: NDArray[np.uint8]
    clean_ends: NDArray[np.int64]
    scan: Scan
    core: NDArray[np.uint8]
    core_ends: NDArray[np.int64]
    facts: Facts
    hits: Hits
    matching: Matching
    turn: NDArray[np.int64]
    """Rows since the patterns' scratch was filled, and the last stamp of the reasons."""
    pattern_rows: NDArray[np.int32]
    pattern: NDArray[np.int32]
    pattern_ends: NDArray[np.int64]
    word: NDArray[np.uint8]
    near: NDArray[np.int32]
    near_weight: NDArray[np.int32]
    row: NDArray[np.int32]
    """The number of the only row: 0."""
    inputs: Inputs
    reasons: Reasons
    out: Verdicts
    unasked: NDArray[np.int32]
    """No row: the model's suggestions before it is asked."""
    suggested: NDArray[np.int16]
    probability: NDArray[np.float32]
    millionths: NDArray[np.int32]
    shade: NDArray[np.int16]
    marks: NDArray[np.int32]
    unmarked: NDArray[np.int32]
    counts: Counts
    confidence: NDArray[np.float64]
    name: NDArray[np.uint8]
    name_ends: NDArray[np.int32]
    named: NDArray[np.bool_]
    told: NDArray[np.int64]


MATRICES = {
    Trie: {"cells"},
    Tables: {"moves", "patterns", "columns"},
    Rules: {"amount", "dates", "mcc"},
    Network: {"weights", "speaks"},
    Book: {"verdicts"},
    Facts: {"store", "phone"},
    Reasons: {"total"},
    Verdicts: {"parts", "rule"},
    Room: {"suggested", "probability", "millionths", "marks", "unmarked"},
}
BOOK, ROOM = layout_of(Book, MATRICES), layout_of(Room, MATRICES)


def book_of(engine: Engine, writer: Writer) -> Book:
    """Give what a pack's engine and writer work with."""
    semantic, marks, verdicts = engine.semantic, engine.mark_keys, engine.verdict_keys
    return Book(
        engine.fold,
        engine.lexicon,
        engine.tables,
        engine.near,
        engine.merchants,
        engine.rules,
        engine.scales,
        int(semantic is not None),
        semantic.network if semantic is not None else no_network(),
        int(marks is not None),
        marks if marks is not None else np.zeros(0, np.int32),
        verdicts if verdicts is not None else np.zeros((0, 0), np.int32),
        engine.worth,
        writer.known_names,
        writer.calibration.curves,
    )


def new_room(book: Book) -> Room:
    """Make room for a row of this pack."""
    most_patterns = len(book.patterns.patterns) + 1
    longest_name = int(np.diff(book.names.offset).max(initial=0))
    kinds: tuple[Any, ...] = (np.int32, np.float64, np.int16, np.int8, np.int16, np.int16, np.int32)
    return Room(
        data=np.zeros(MOST_BYTES, np.uint8),
        ends=np.zeros(2, np.int64),
        plain=np.zeros(ASCII, np.uint8),
        clean=np.zeros(MOST_CLEAN, np.uint8),
        clean_ends=np.zeros(2, np.int64),
        scan=new_scan(),
        core=np.zeros(MOST_CORE, np.uint8),
        core_ends=np.zeros(2, np.int64),
        facts=new_facts(1),
        hits=new_hits(1),
        matching=new_scratch(book.patterns),
        turn=np.zeros(2, np.int64),
        pattern_rows=np.zeros(most_patterns, np.int32),
        pattern=np.zeros(most_patterns, np.int32),
        pattern_ends=np.zeros(2, np.int64),
        word=np.zeros(MOST, np.uint8),
        near=np.zeros(1, np.int32),
        near_weight=np.zeros(1, np.int32),
        row=np.zeros(1, np.int32),
        inputs=Inputs(*(np.zeros(1, kind) for kind in kinds)),
        reasons=new_reasons(book.rules.category.size),
        out=new_verdicts(1),
        unasked=np.zeros(0, np.int32),
        suggested=np.zeros((1, SUGGESTIONS), np.int16),
        probability=np.zeros((1, SUGGESTIONS), np.float32),
        millionths=np.zeros((1, SUGGESTIONS), np.int32),
        shade=np.zeros(1, np.int16),
        marks=np.zeros((1, MARKS), np.int32),
        unmarked=np.zeros((1, 0), np.int32),
        counts=new_counts(book.model),
        confidence=np.zeros(1),
        name=np.zeros(max(longest_name, MOST_CORE), np.uint8),
        name_ends=np.zeros(2, np.int32),
        named=np.zeros(1, np.bool_),
        told=np.zeros(TOLD, np.int64),
    )
