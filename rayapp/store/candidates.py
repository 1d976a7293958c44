"""Clauses of a pack's difference as SQL conditions on a stored transaction, to be evaluated where the rows are.

A condition may hold for rows that nothing touches, never the other way round. Texts are looked for in the clean view: the column ``clean``
where it is more than the descriptor in capitals, else just that. Every condition is true or false, never null.
"""

import re
from collections.abc import Iterable, Sequence

from rayapp.packs.touched import Clause, When

PLAIN = "rayapp.transaction t"
VIEWED = """(
    SELECT r.*, coalesce(r.clean, upper(r.descriptor COLLATE "C")) AS x FROM rayapp.transaction r WHERE {range}
    OFFSET 0
) t"""
SQUEEZED = """(
    SELECT s.*, CASE WHEN position('''' IN s.x) > 0 THEN replace(s.x, '''', '') ELSE s.x END AS y,
           CASE WHEN position('&' IN s.x) > 0 OR position('+' IN s.x) > 0
                THEN replace(replace(s.x, '&', ' AND '), '+', ' PLUS ') ELSE s.x END AS z
    FROM (
        SELECT r.*, coalesce(r.clean, upper(r.descriptor COLLATE "C")) AS x FROM rayapp.transaction r WHERE {range}
        OFFSET 0
    ) s
    OFFSET 0
) t"""
"""The transactions of a range with their clean view ``x``, the same without apostrophes ``y`` and with words for signs ``z``.

Capitals of ASCII alone, whatever the database's locale: other letters in the clean view are as they were, or ``clean`` is filled. OFFSET 0
keeps the planner from writing the views out once for each condition.
"""


def candidates(condition: str, blocks: tuple[int, int]) -> tuple[str, str]:
    """Give what stands behind FROM as ``t``, and behind WHERE, to find rows of some blocks (the last not included) by a condition."""
    inside = "{0}.ctid >= '({1},0)'::tid AND {0}.ctid < '({2},0)'::tid"
    if re.search(r"\bt\.[yz]\b", condition):
        return SQUEEZED.format(range=inside.format("r", *blocks)), condition
    if re.search(r"\bt\.x\b", condition):
        return VIEWED.format(range=inside.format("r", *blocks)), condition
    return PLAIN, f"{inside.format('t', *blocks)} AND {condition}"


FEW = 6
"""Texts that are cheaper one by one than as one regular expression."""

SHORT_WORD = 5
"""Letters of a word that is so often a part of others that its edges are looked at too."""

CUT = 8
"""Letters that a name which was cut off keeps, ``scoring.near.LEAST_CUT``."""

MASKS = {"X"}
"""Digits that a bank hides; they part from the letters before them (H&MXXXX)."""

SIGNS = {"AND": "&", "PLUS": "+"}
BLANK = "E' \\t\\n\\r\\f\\v'"
DIRECTION = "coalesce(t.direction, CASE WHEN t.amount < 0 THEN 'debit' END)"
DAY = "(CASE WHEN isfinite(t.booked_at) THEN (t.booked_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01' END)"


def condition(clauses: Iterable[Clause]) -> str:
    """Give the SQL condition that any of the clauses holds for the transaction ``t``, as ``VIEWS`` gives it."""
    found = list(dict.fromkeys(map(_clause, clauses)))
    return "(" + " OR ".join(found) + ")" if found else "false"


def _clause(clause: Clause) -> str:
    parts = [_mcc(clause.mcc)] if clause.mcc else []
    parts += [_any_text(group) for group in sorted(clause.texts, key=len)]
    parts += [_word(word) for word in clause.words]
    if clause.nearly:
        parts.append(_nearly(clause.nearly))
    if clause.within.asks:
        parts.append(_holds(clause.within))
    if clause.flips:
        parts.append(f"{_holds(clause.flips[0])} <> {_holds(clause.flips[1])}")
    return "(" + " AND ".join(parts) + ")" if parts else "true"


def _any_text(texts: Sequence[str]) -> str:
    """Look for any of some texts in the clean view."""
    if not texts:
        return "false"
    if len(texts) <= FEW:
        return "(" + " OR ".join(_contains("t.x", text) for text in texts) + ")"
    return f"t.x ~ {quoted('|'.join(map(_escaped, texts)))}"


def _word(word: str) -> str:
    """Look for a token of the clean view: apostrophes fall out of words, and two words can be signs."""
    spelled = _contains("t.y", word)
    if word in SIGNS:
        return f"({spelled} OR {_contains('t.x', SIGNS[word])})"
    if len(word) > SHORT_WORD or not word.isascii() or not word.isalpha() or set(word) <= MASKS:
        return spelled
    return f"({spelled} AND t.y ~ {quoted(f'(^|[^A-Z]){word}([^A-WYZ]|$)')})"


def _nearly(name: str) -> str:
    """Look for the letters of a name in their order, whatever stands between, but for one of them; or for its beginning.

    Two halves of which the one wrong letter can spoil but one are asked for first: most rows have neither.
    """
    half = len(name) // 2
    halves = " OR ".join(_in_order(part) for part in (name[: min(half, CUT)], name[half + 1 :]))
    ways = dict.fromkeys(name[:place] + name[place + 1 :] for place in range(len(name)))
    if len(name) > CUT:
        ways = {name[:CUT]: None, **{way: None for way in ways if not way.startswith(name[:CUT])}}
    return f"(({halves}) AND ({' OR '.join(map(_in_order, ways))}))"


def _in_order(letters: str) -> str:
    return f"t.z LIKE {quoted('%' + '%'.join(letters) + '%')}"


def _holds(when: When) -> str:
    """Say that a rule's conditions hold, as ``scoring.reasons`` reads them."""
    parts = []
    if when.direction:
        parts.append(f"coalesce({DIRECTION} = {quoted(when.direction)}, {str(not when.told).lower()})")
    if when.least is not None:
        parts.append(f"coalesce(abs(t.amount)::float8 >= {when.least!r}::float8, false)")
    if when.greatest is not None:
        parts.append(f"coalesce(abs(t.amount)::float8 <= {when.greatest!r}::float8, false)")
    if when.first_day is not None:
        parts.append(f"coalesce({DAY} >= {when.first_day}, false)")
    if when.last_day is not None:
        parts.append(f"coalesce({DAY} <= {when.last_day}, false)")
    if when.country:
        lands = {*when.country, *(["UK"] if "GB" in when.country else [])}
        parts.append(_is_any(f"upper(btrim(t.country, {BLANK}))", lands))
    if when.currency:
        parts.append(_is_any(f"upper(btrim(t.currency, {BLANK}))", set(when.currency)))
    if when.mcc:
        parts.append(_mcc(when.mcc))
    return "(" + " AND ".join(parts) + ")" if parts else "true"


def _mcc(ranges: Iterable[tuple[int, int]]) -> str:
    """Ask for codes, which may be stored without their leading zeros."""
    codes = {code for first, last in ranges for code in range(first, last + 1)}
    return _is_any(f"btrim(t.mcc, {BLANK})", {f"{code:0{width}}" for code in codes for width in range(1, 5)})


def _is_any(value: str, known: set[str]) -> str:
    return f"coalesce({value} = ANY({quoted('{' + ','.join(sorted(known)) + '}')}::text[]), false)"


def _contains(view: str, text: str) -> str:
    literal = re.sub(r"([%_\\])", r"\\\1", text)
    return f"{view} LIKE {quoted(f'%{literal}%')}"


def _escaped(text: str) -> str:
    """Write a text as a regular expression."""
    return re.sub(r"([^0-9A-Za-z \x80-\U0010ffff])", r"\\\1", text)


def quoted(text: str) -> str:
    """Write a text as an SQL literal; the server must have ``standard_conforming_strings`` on, as it has been by default since 9.1."""
    return "'" + text.replace("'", "''") + "'"
