"""One compiled pattern: the literals to look for and, unless these decide alone, the automaton that confirms."""

from functools import lru_cache
from typing import NamedTuple

from rayapp.scoring.patterns.automaton import Dfa, build_dfa
from rayapp.scoring.patterns.literals import Literal, Required, deciding, required, trim
from rayapp.scoring.patterns.nfa import build_nfa
from rayapp.scoring.patterns.positions import Positions, build_positions
from rayapp.scoring.patterns.syntax import Chars, Choice, Node, Place, RejectedPattern, Repeat, Sequence, parse


class Program(NamedTuple):
    """A pattern ready to be put in a set.

    Where one of ``decisive`` occurs, the pattern matches. Where one of ``required`` occurs, ``automaton`` has to confirm it;
    where none of either does, the pattern does not match. Without any of both, the automaton is tried on every row. ``reach`` is
    the most bytes from the start of a match to the end of its required literal, None where there is no bound. ``also`` are
    further sets of literals: one of each is in every row that the automaton can confirm.
    """

    decisive: tuple[Literal, ...] = ()
    required: tuple[Literal, ...] = ()
    automaton: Dfa | Positions | None = None
    reach: int | None = None
    also: tuple[tuple[Literal, ...], ...] = ()

    @property
    def literals(self) -> tuple[Literal, ...]:
        """All literals of which one is in every row that matches."""
        return self.decisive + self.required


MOST_ALSO = 2
MOST_TEXTS_ALSO = 8
HIGHEST_RATE_ALSO = 0.3
"""A further set is worth asking for only if it is small and not in most rows anyway."""


@lru_cache(maxsize=65_536)
def compile_pattern(pattern: str) -> Program:
    """Compile one pattern, or raise RejectedPattern; compiled patterns are kept, so that a changed pack compiles quickly."""
    try:
        return _compile(pattern)
    except RecursionError as error:
        raise RejectedPattern("groups are nested too deeply", "write the alternatives out") from error


def _compile(pattern: str) -> Program:
    node = parse(pattern)
    if _can_be_empty(node):
        raise RejectedPattern("the pattern can match nothing at all", "give it text that must be there")
    decisive, rest = _part(trim(node))
    if rest is None:
        return Program(_possible(decisive))
    nfa = build_nfa(rest)
    automaton = build_dfa(nfa) or build_positions(nfa)
    regions = required(rest)
    if not regions:
        return Program((), (), automaton)
    return Program(decisive, _possible(regions[0].literals), automaton, regions[0].reach, _worth_asking(regions[1:]))


def _part(node: Node) -> tuple[tuple[Literal, ...], Node | None]:
    """Part a pattern into alternatives that literals decide and a pattern of the others, None if there are no others."""
    literals = deciding(node)
    if literals is not None:
        return literals, None
    parts = _parts(node)
    choices = [part for part in parts if isinstance(part, Choice)]
    if not choices:
        return (), node
    choice = max(choices, key=lambda part: len(part.parts))
    at = parts.index(choice)
    decided = [deciding(trim(_joined(parts[:at], part, parts[at + 1 :]))) for part in choice.parts]
    others = [part for part, literals in zip(choice.parts, decided, strict=True) if literals is None]
    decisive = tuple(dict.fromkeys(literal for literals in decided for literal in literals or ()))
    if not others:
        return decisive, None
    rest = trim(_joined(parts[:at], others[0] if len(others) == 1 else Choice(tuple(others)), parts[at + 1 :]))
    return (decisive, rest) if decisive and required(rest) else ((), node)


def _joined(before: tuple[Node, ...], part: Node, after: tuple[Node, ...]) -> Node:
    """One sequence of all parts."""
    return Sequence((*before, *_parts(part), *after))


def _parts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, Sequence) else (node,)


def _worth_asking(regions: list[Required]) -> tuple[tuple[Literal, ...], ...]:
    """The further sets that are likely to spare the automaton a run."""
    good = [one.literals for one in regions if one.rate <= HIGHEST_RATE_ALSO and 0 < len(one.literals) <= MOST_TEXTS_ALSO]
    return tuple(good[:MOST_ALSO])


def _possible(literals: tuple[Literal, ...]) -> tuple[Literal, ...]:
    """Refuse a pattern of which no text is possible."""
    if not literals:
        raise RejectedPattern("the pattern can never match", "look for a condition such as \\b between two letters")
    return literals


def _can_be_empty(node: Node) -> bool:
    """Whether the node matches the empty text somewhere."""
    if isinstance(node, Chars):
        return False
    if isinstance(node, Place):
        return True
    if isinstance(node, Repeat):
        return node.least == 0 or _can_be_empty(node.part)
    if isinstance(node, Sequence):
        return all(map(_can_be_empty, node.parts))
    return any(map(_can_be_empty, node.parts))
