"""One compiled pattern: the literals to look for and, unless these decide alone, the automaton that confirms."""

from functools import lru_cache
from typing import NamedTuple

from rayapp.scoring.patterns.automaton import Dfa, build_dfa
from rayapp.scoring.patterns.literals import Literal, deciding, required, trim
from rayapp.scoring.patterns.nfa import build_nfa
from rayapp.scoring.patterns.syntax import Chars, Node, Place, RejectedPattern, Repeat, Sequence, parse


class Program(NamedTuple):
    """A pattern ready to be put in a set.

    ``dfa`` is None where a literal decides. Without literals the pattern has to be tried on every row. ``reach`` is the most
    bytes from a match's start to the end of its literal, None where there is no bound.
    """

    literals: tuple[Literal, ...]
    dfa: Dfa | None
    reach: int | None


@lru_cache(maxsize=8192)
def compile_pattern(pattern: str) -> Program:
    """Compile one pattern, or raise RejectedPattern; compiled patterns are kept, so that a changed pack compiles quickly."""
    node = parse(pattern)
    if _can_be_empty(node):
        raise RejectedPattern("the pattern can match nothing at all", "give it text that must be there")
    node = trim(node)
    literals = deciding(node)
    if literals is not None:
        return Program(_possible(literals), None, None)
    needed = required(node)
    dfa = build_dfa(build_nfa(node))
    if needed is None:
        return Program((), dfa, None)
    return Program(_possible(needed.literals), dfa, needed.reach)


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


