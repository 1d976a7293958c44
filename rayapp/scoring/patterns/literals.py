"""Which fixed texts decide a pattern, or must occur wherever it matches.

A pattern whose language is a short list of texts needs nothing but Aho-Corasick. Any other pattern is looked at only in rows in
which one of its required texts occurs; of all candidates the one expected to occur least often in bank descriptors is chosen.
Where a pattern has several regions with fixed text, a few more texts can be asked for before its automaton runs.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from math import prod
from typing import NamedTuple, TypeAlias

from rayapp.scoring.patterns.charsets import has_all_beyond_ascii, members, size
from rayapp.scoring.patterns.rareness import expected_rate
from rayapp.scoring.patterns.syntax import Chars, Choice, Node, Place, Repeat, Sequence

AT_EDGE, AT_GAP, AT_WORD = 1, 2, 4
ANYWHERE = AT_EDGE | AT_GAP | AT_WORD
"""What may stand beside a literal: the row's start or end, a byte that is not of a word, a byte of a word."""

SHORTEST = 3
"""Bytes of a literal that may stand anywhere; two suffice where both its edges are bound."""
LONGEST_DECIDING = 120
LONGEST_REQUIRED = 16
MOST_TEXTS = 256
MOST_IN_CLASS = 12
MOST_REPEATS = 16

Spelling: TypeAlias = tuple[int, ...]
"""Bytes of a text, with Place values (negative) between them."""


class Literal(NamedTuple):
    """A text with the contexts in which it counts: bit sets of AT_EDGE, AT_GAP and AT_WORD."""

    text: bytes
    before: int = ANYWHERE
    after: int = ANYWHERE


class Required(NamedTuple):
    """A set of literals of which at least one occurs in every match.

    ``rate`` estimates occurrences in a descriptor; ``reach`` is the most bytes from a match's start to the literal's end, None
    where there is no bound.
    """

    literals: tuple[Literal, ...]
    rate: float
    reach: int | None


def is_word(byte: int) -> bool:
    """Whether the byte belongs to a word: 0-9, A-Z, a-z, underscore, or any part of a character beyond ASCII."""
    return byte >= 0x80 or byte == 0x5F or chr(byte).isalnum()


def trim(node: Node) -> Node:
    """Drop what cannot change whether a search succeeds: optional parts at either end, and more repeats than needed there."""
    parts = list(node.parts) if isinstance(node, Sequence) else [node]
    for end in (0, -1):
        while parts and isinstance(outer := parts[end], Repeat):
            if outer.least == 0:
                parts.pop(end)
            else:
                parts[end] = Repeat(outer.part, outer.least, outer.least)
                break
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))


def deciding(node: Node) -> tuple[Literal, ...] | None:
    """Every text that the pattern matches, or None if they are too many or too short to be looked up."""
    spellings = _spellings(node)
    if spellings is None:
        return None
    literals = _resolve_all(spellings)
    if all(_is_useful(literal) and len(literal.text) <= LONGEST_DECIDING for literal in literals):
        return literals
    return None


def required(node: Node) -> list[Required]:
    """The rarest required texts of each region of the pattern, rarest region first; empty if no useful text is required."""
    regions: list[Required] = []
    parts = node.parts if isinstance(node, Sequence) else (node,)
    run = _Run([], 0)
    for position, part in enumerate(parts):
        spellings = _spellings(part)
        if spellings is not None and any(spellings):
            run.blocks.append(spellings)
            continue
        copies = _least_copies(part)
        regions += _rarest(_windows(_Run(run.blocks + copies, run.shift)))
        run = _Run(list(copies), max_bytes(Sequence(parts[: position + 1])))
        shift = max_bytes(Sequence(parts[:position]))
        regions += [inner._replace(reach=_add(shift, inner.reach)) for inner in _required_inside(part)]
    regions += _rarest(_windows(run))
    return sorted(regions, key=_rate)


def max_bytes(node: Node) -> int | None:
    """The longest match in bytes, None where there is no bound."""
    if isinstance(node, Chars):
        return len(chr(node.ranges[-1][1]).encode("utf-8", "surrogatepass")) if node.ranges else 0
    if isinstance(node, Place):
        return 0
    if isinstance(node, Repeat):
        inner = max_bytes(node.part)
        return None if inner is None or node.most is None else inner * node.most
    widths = [max_bytes(part) for part in node.parts]
    known = [width for width in widths if width is not None]
    if len(known) < len(widths):
        return None
    return sum(known) if isinstance(node, Sequence) else max(known, default=0)


# ------------------------------------------------------------------------------------------------------------ enumeration
def _spellings(node: Node) -> list[Spelling] | None:
    """Every spelling of a node, or None beyond MOST_TEXTS."""
    if isinstance(node, Place):
        return [(int(node),)]
    if isinstance(node, Chars):
        if has_all_beyond_ascii(node.ranges) or size(node.ranges) > MOST_IN_CLASS:
            return None
        return [tuple(chr(point).encode("utf-8", "surrogatepass")) for point in members(node.ranges)]
    if isinstance(node, Repeat):
        return _repeat_spellings(node)
    inner = [_spellings(part) for part in node.parts]
    known = [spellings for spellings in inner if spellings is not None]
    if len(known) < len(inner):
        return None
    if isinstance(node, Sequence):
        return _joined(known)
    together = [spelling for spellings in known for spelling in spellings]
    return together if len(together) <= MOST_TEXTS else None


def _repeat_spellings(node: Repeat) -> list[Spelling] | None:
    """A repeat with few copies, written out."""
    if node.most is None or node.most > MOST_REPEATS:
        return None
    once = _spellings(node.part)
    if once is None:
        return None
    every: list[Spelling] = []
    for count in range(node.least, node.most + 1):
        spellings = _joined([once] * count)
        if spellings is None or len(every) + len(spellings) > MOST_TEXTS:
            return None
        every += spellings
    return every


def _joined(parts: list[list[Spelling]]) -> list[Spelling] | None:
    """Every way to put one spelling of each part after the other."""
    if prod(len(part) for part in parts) > MOST_TEXTS:
        return None
    return [tuple(item for spelling in way for item in spelling) for way in product(*parts)]


def _resolve_all(spellings: list[Spelling]) -> tuple[Literal, ...]:
    """The literals of the spellings that are possible, each once."""
    return tuple(dict.fromkeys(literal for spelling in spellings if (literal := _resolve(spelling)) is not None))


def _resolve(spelling: Spelling) -> Literal | None:
    """Decide the places inside of the text and turn those at its edges into contexts; None if they contradict each other."""
    text = bytes(item for item in spelling if item >= 0)
    before = after = ANYWHERE
    done = 0
    for item in spelling:
        if item >= 0:
            done += 1
            continue
        at_left, at_right = _contexts(item, text, done)
        if done == 0:
            before &= at_left
        if done == len(text):
            after &= at_right
        if 0 < done < len(text) and not at_left:
            return None
    return Literal(text, before, after) if before and after else None


def _contexts(place: int, text: bytes, done: int) -> tuple[int, int]:
    """The contexts that a place after ``done`` bytes allows before the text and after it (both non-zero if inside and true)."""
    if place == Place.START:
        return (AT_EDGE if done == 0 else 0), (AT_EDGE if not text else 0)
    if place == Place.END:
        return (AT_EDGE if not text else 0), (AT_EDGE if done == len(text) else 0)
    wants_change = place == Place.WORD_EDGE
    if 0 < done < len(text):
        holds = (is_word(text[done - 1]) != is_word(text[done])) == wants_change
        return (ANYWHERE, ANYWHERE) if holds else (0, 0)
    if not text:
        return ANYWHERE, ANYWHERE
    outside = AT_EDGE | AT_GAP
    left = outside if is_word(text[0]) == wants_change else AT_WORD
    right = outside if is_word(text[-1]) == wants_change else AT_WORD
    return left, right


# -------------------------------------------------------------------------------------------------------- required texts
class _Run(NamedTuple):
    """Neighbouring parts with all their spellings; ``shift`` is the most bytes from a match's start to the run's."""

    blocks: list[list[Spelling]]
    shift: int | None


def _required_inside(part: Node) -> list[Required]:
    """What is required by a part whose texts are too many to be written out."""
    if isinstance(part, Repeat) and part.least:
        return required(part.part)
    if not isinstance(part, Choice):
        return []
    best = [required(alternative)[:1] for alternative in part.parts]
    if not all(best):
        return []
    literals = tuple(dict.fromkeys(literal for (one,) in best for literal in one.literals))
    return [Required(literals, sum(one.rate for (one,) in best), _largest([one.reach for (one,) in best]))]


def _rarest(candidates: Iterable[Required]) -> list[Required]:
    """The one candidate with the lowest rate, if there is any."""
    return sorted(candidates, key=_rate)[:1]


def _rate(candidate: Required) -> float:
    return candidate.rate


def _least_copies(part: Node) -> list[list[Spelling]]:
    """The first copies of an endless or long repeat, which are there in any match; the last copies look the same."""
    if not isinstance(part, Repeat) or (once := _spellings(part.part)) is None:
        return []
    return [once] * min(part.least, SHORTEST)


def _windows(run: _Run) -> Iterator[Required]:
    """Every window of a run whose texts are few and useful."""
    blocks = _merge_single(run.blocks)
    for begin in range(len(blocks)):
        skipped = _add(run.shift, sum(max(map(len, block)) for block in blocks[:begin]))
        for end in range(begin + 1, len(blocks) + 1):
            spellings = _joined(blocks[begin:end])
            if spellings is None:
                break
            literals = tuple(dict.fromkeys(_shorten(literal) for literal in _resolve_all(spellings)))
            if all(map(_is_useful, literals)):
                reach = _add(skipped, max((len(one.text) for one in literals), default=0))
                yield Required(literals, sum(map(_expected_rate, literals)), reach)


def _add(first: int | None, second: int | None) -> int | None:
    """The sum of two bounds, of which None is no bound."""
    return None if first is None or second is None else first + second


def _merge_single(run: list[list[Spelling]]) -> list[list[Spelling]]:
    """Join neighbours that have one spelling each, so that windows begin and end at word-like borders."""
    blocks: list[list[Spelling]] = []
    for spellings in run:
        if blocks and len(spellings) == 1 and len(blocks[-1]) == 1:
            blocks[-1] = [blocks[-1][0] + spellings[0]]
        else:
            blocks.append(spellings)
    return blocks


def _shorten(literal: Literal) -> Literal:
    """Keep the head of a long text: a filter needs no more, and the automaton stays small."""
    if len(literal.text) <= LONGEST_REQUIRED:
        return literal
    return Literal(literal.text[:LONGEST_REQUIRED], literal.before, ANYWHERE)


def _is_useful(literal: Literal) -> bool:
    """Whether the text is long enough to look for."""
    bound = literal.before != ANYWHERE and literal.after != ANYWHERE
    return len(literal.text) >= (SHORTEST - 1 if bound else SHORTEST)


def _largest(reaches: list[int | None]) -> int | None:
    """The maximum, where None stands for no bound."""
    known = [reach for reach in reaches if reach is not None]
    return max(known) if len(known) == len(reaches) else None


def _expected_rate(literal: Literal) -> float:
    return expected_rate(literal.text, (literal.before != ANYWHERE) + (literal.after != ANYWHERE))
