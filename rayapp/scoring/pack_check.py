"""What a compiled pack must hold so that no kernel reads or writes outside its arrays, or goes round for ever.

The kernels check nothing while they work. A pack from elsewhere is checked here once, as it is loaded: each array's type and shape, and
that each number which stands for a place, an entry or a category is one.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rayapp.errors import InvalidPack, InvalidSetup
from rayapp.scoring.evidence import EXACT, LEARNED, ONE
from rayapp.scoring.fold import DROP, PLANE
from rayapp.scoring.geography import COUNTRIES, CURRENCIES
from rayapp.scoring.near import FORM_WORDS, OPENING_WORDS
from rayapp.scoring.patterns.check import check_arrays
from rayapp.scoring.phrases import FILTER_BITS
from rayapp.scoring.semantic import SemanticModel

CODES = 10_000
"""Merchant category codes."""
ASCII, MOST_ASCII = 128, 2
SIGNALS = ("merchant", "semantic", "rule", "mcc")


class Column(NamedTuple):
    """A vector of one number for each item of ``owner`` (a string table, or a length); ``least`` to ``most`` are its bounds.

    ``most`` is a number, or the string table whose items the numbers stand for.
    """

    kind: type[np.generic]
    owner: str | int
    least: int | None = None
    most: str | int | None = None


COLUMNS = {
    "fold/table": Column(np.uint32, PLANE),
    "category/primary": Column(np.int16, "category", 0, "primary"),
    "category/merchant": Column(np.uint8, "category", 0, 1),
    "mcc/category": Column(np.int16, CODES, -1, "category"),
    "mcc/weight": Column(np.int32, CODES, 0, ONE),
    "phrase/kind": Column(np.uint16, "phrase"),
    "phrase/processor": Column(np.int16, "phrase", -1, "processor"),
    "phrase/channel": Column(np.int8, "phrase", -1, "channel"),
    "place/kind": Column(np.uint8, "place"),
    "place/country": Column(np.int16, "place", -1, COUNTRIES - 1),
    "place/region": Column(np.int32, "place", -1, "region"),
    "learned/category": Column(np.int16, "learned", 0, "category"),
    "learned/weight": Column(np.int32, "learned", 0, ONE),
    "learned/country": Column(np.int16, "learned", -1, COUNTRIES - 1),
    "merchant/category": Column(np.int16, "merchant_id", -1, "category"),
    "merchant/origin": Column(np.int8, "merchant_id", 0, LEARNED),
    "merchant/merchant": Column(np.int32, "alias_id", 0, "merchant_id"),
    "merchant/match": Column(np.int8, "alias_id", 0, EXACT),
    "merchant/weight": Column(np.int32, "alias_id", 0, ONE),
    "merchant/currency_country": Column(np.int16, CURRENCIES, -1, COUNTRIES - 1),
    "rule/category": Column(np.int16, "rule_id", 0, "category"),
    "rule/weight": Column(np.int32, "rule_id", 0, ONE),
    "rule/priority": Column(np.int16, "rule_id"),
    "rule/overrides": Column(np.uint8, "rule_id", 0, 1),
    "rule/direction": Column(np.int8, "rule_id", -1, 3),
}
OFFSETS = {
    "merchant/offset": ("phrase", ("merchant/merchant",)),
    "merchant/country_offset": ("merchant_id", ("merchant/country",)),
    "rule/use_offset": ("pattern", ("rule/use_rule", "rule/use_unless")),
    "rule/mcc_offset": ("rule_id", ("rule/mcc",)),
    "rule/country_offset": ("rule_id", ("rule/country",)),
    "rule/currency_offset": ("rule_id", ("rule/currency",)),
}
"""Where each item's part of other arrays begins: the string table of the items, and those arrays."""

PARTS = {
    "merchant/country": Column(np.int16, 0, 0, COUNTRIES - 1),
    "rule/use_rule": Column(np.int32, 0, 0, "rule_id"),
    "rule/use_unless": Column(np.uint8, 0, 0, 1),
    "rule/country": Column(np.int16, 0),
    "rule/currency": Column(np.int16, 0),
}
"""Arrays whose length only their offsets tell."""

PAIRS: dict[str, tuple[type[np.generic], str | None]] = {
    "rule/amount": (np.float64, "rule_id"),
    "rule/dates": (np.int32, "rule_id"),
    "rule/mcc": (np.int16, None),
}
"""Arrays of two columns."""

TRIES = {"phrase": "phrase", "place": "place", "learned": "learned"}
SAME_LENGTH = (
    ("merchant_id", "merchant_name"),
    ("merchant_id", "merchant_website"),
    ("category", "category_description"),
    ("rule_id", "rule_why"),
)
NEEDED = ("primary", "processor", "channel", "region", "pattern", "alias_id", "place", "learned", "phrase")

Arrays = Mapping[str, NDArray[Any]]


def check_pack(arrays: Arrays, lengths: Mapping[str, int], weights: Mapping[str, int]) -> None:
    """Raise ``InvalidPack`` unless the arrays fit each other; ``lengths`` are those of the string tables, ``weights`` by signal."""
    tables = {name for pair in SAME_LENGTH for name in pair} | set(NEEDED)
    _require(tables <= set(lengths), "string tables", "missing: " + ", ".join(sorted(tables - set(lengths))))
    for one, other in SAME_LENGTH:
        _require(lengths[one] == lengths[other], other, f"{lengths[other]} items for {lengths[one]} of {one}")
    _require(set(SIGNALS) <= set(weights) and all(0 <= weights[name] <= ONE for name in SIGNALS), "weights", "not between 0 and 1")
    for name, column in COLUMNS.items():
        owner = column.owner if isinstance(column.owner, int) else lengths[column.owner]
        _check_column(arrays, name, column, owner, lengths)
    for name, column in PARTS.items():
        _check_column(arrays, name, column, _vector(arrays, name, column.kind).size, lengths)
    for name, (kind, owner_name) in PAIRS.items():
        found = _typed(arrays, name, kind)
        rows = lengths[owner_name] if owner_name else found.size // 2
        _require(found.shape == (rows, 2), name, f"shape {found.shape}")
    for name, (owner_name, parts) in OFFSETS.items():
        for part in parts:
            _check_offsets(_vector(arrays, name, np.int32), lengths[owner_name], len(arrays[part]), name)
    for section, owner_name in TRIES.items():
        _check_trie(arrays, section, lengths[owner_name])
    _check_fold(arrays["fold/table"])
    _check_near(arrays, lengths)
    _check_engines(arrays, lengths)


def _require(holds: bool, name: str, wrong: str) -> None:
    if not holds:
        raise InvalidPack(f"the compiled pack is damaged: {name}: {wrong}")


def _typed(arrays: Arrays, name: str, kind: type[np.generic]) -> NDArray[Any]:
    _require(name in arrays, name, "missing")
    _require(arrays[name].dtype == kind, name, f"{arrays[name].dtype} in place of {np.dtype(kind)}")
    return arrays[name]


def _vector(arrays: Arrays, name: str, kind: type[np.generic]) -> NDArray[Any]:
    found = _typed(arrays, name, kind)
    _require(found.ndim == 1, name, f"shape {found.shape}")
    return found


def _check_column(arrays: Arrays, name: str, column: Column, size: int, lengths: Mapping[str, int]) -> None:
    """Check a vector's type, length and bounds."""
    values = _vector(arrays, name, column.kind)
    _require(values.size == size, name, f"{values.size} numbers where {size} are needed")
    if not size or column.least is None:
        return
    most = column.most if isinstance(column.most, int) else lengths[str(column.most)] - 1
    _require(column.least <= int(values.min()) and int(values.max()) <= most, name, f"numbers beyond {column.least} to {most}")


def _check_offsets(offsets: NDArray[np.int32], items: int, total: int, name: str) -> None:
    """Check that offsets go from 0 to the end without a step back."""
    _require(offsets.size == items + 1, name, f"{offsets.size} offsets for {items} items")
    _require(
        offsets[0] == 0 and int(offsets[-1]) == total and bool((np.diff(offsets) >= 0).all()), name, "offsets that do not rise to the end"
    )


def _is_power(size: int) -> bool:
    return size > 0 and size & (size - 1) == 0


def _check_trie(arrays: Arrays, section: str, entries: int) -> None:
    """Check that a trie's slots fit its mask, that its cells name entries, and that a search in it meets a free slot."""
    name = f"{section}/cells"
    cells = _typed(arrays, name, np.uint64)
    _require(cells.ndim > 1 and cells.shape == (len(cells), 2) and _is_power(len(cells)), name, f"shape {cells.shape}")
    _require(not cells[:, 0].all(), name, "no free slot")
    _require(int((cells[:, 1] >> np.uint64(32)).max()) <= entries, name, f"more than the {entries} entries")
    for end in ("first", "last"):
        bits = _vector(arrays, f"{section}/{end}", np.uint64)
        _require(bits.size == (1 << FILTER_BITS) // 64, f"{section}/{end}", f"{bits.size} words")


def _check_fold(table: NDArray[Any]) -> None:
    """Check that no character becomes more bytes than the clean view has room for: twice its own."""
    kind = table & 0xFF
    plain = kind[:ASCII]
    fits = bool((kind <= DROP).all()) and bool(((plain <= MOST_ASCII) | (plain > MOST_ASCII + 1)).all())
    _require(fits, "fold/table", "a character becomes too many")


def _check_near(arrays: Arrays, lengths: Mapping[str, int]) -> None:
    """Check the index of squashed names."""
    alias, merchant = _vector(arrays, "near/alias", np.int32), _vector(arrays, "near/merchant", np.int32)
    text, offset = _vector(arrays, "near/text", np.uint8), _vector(arrays, "near/offset", np.int32)
    forms = _vector(arrays, "near/forms", np.uint64)
    _require(merchant.size == alias.size, "near/merchant", f"{merchant.size} numbers for {alias.size} names")
    total = int(offset[-1]) if offset.size else 0
    _require(0 <= total <= text.size, "near/offset", "offsets beyond the text")
    _check_offsets(offset, alias.size, total, "near/offset")
    if alias.size:
        _require(int(alias.min()) >= -1 and int(alias.max()) < lengths["alias_id"], "near/alias", "numbers that are no alias")
    _require(_is_power(forms.size) and not forms.all(), "near/forms", f"{forms.size} slots, or none free")
    names = forms[forms > 0] >> np.uint64(32)
    _require(bool(((names > 0) & (names <= alias.size)).all()), "near/forms", "numbers that are no name")
    for name, power in (("near/seen", FORM_WORDS), ("near/openings", OPENING_WORDS)):
        _require(_vector(arrays, name, np.uint64).size == 1 << power, name, "not of its size")


def _check_engines(arrays: Arrays, lengths: Mapping[str, int]) -> None:
    """Check the pattern tables and the semantic model by their own modules."""
    patterns = {name.removeprefix("pattern/"): array for name, array in arrays.items() if name.startswith("pattern/")}
    semantic = {name.removeprefix("semantic/"): array for name, array in arrays.items() if name.startswith("semantic/")}
    try:
        check_arrays(patterns)
        if semantic:
            SemanticModel.from_arrays(semantic)
    except (InvalidSetup, KeyError) as error:
        raise InvalidPack(f"the compiled pack is damaged: {error}") from error
    _require(len(patterns["patterns"]) == lengths["pattern"], "pattern/patterns", f"not the {lengths['pattern']} patterns that are named")
    if semantic:
        wanted = Column(np.int16, 0, -1, "category")
        _check_column(arrays, "semantic/categories", wanted, semantic["categories"].size, lengths)
