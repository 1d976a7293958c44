"""The difference of two compiled packs: which transactions can be decided otherwise by the new one.

The answer is conservative: a transaction that meets none of the clauses is decided alike by both packs, byte for byte, but for the digest.
It rests on how the engine works (``core``, ``near``, ``reasons``, ``judge``): a verdict rests on the words, names, patterns and codes that
occur in the row, on the order of those alone, and on a few settings of the whole pack. What this module does not know of a pack counts as
one of these settings, so that an array added later makes everything differ until someone says here which rows it can touch.
"""

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rayapp.packs.difference_rules import rule_clauses
from rayapp.packs.difference_words import word_clauses
from rayapp.packs.touched import Clause
from rayapp.scoring.pack import CompiledPack, Manifest

MOST_CLAUSES = 400
"""Beyond so many the rows are looked at one by one as cheaply as they are looked for."""

TOLD_APART = frozenset(
    """
    merchant/offset merchant/merchant merchant/match merchant/weight merchant/category merchant/origin merchant/country_offset
    merchant/country near/text near/offset near/alias near/merchant near/forms near/seen near/openings phrase/cells phrase/first
    phrase/last phrase/kind phrase/processor phrase/channel learned/cells learned/first learned/last learned/category learned/weight
    learned/country rule/use_offset rule/use_rule rule/use_unless rule/category rule/weight rule/priority rule/overrides rule/direction
    rule/amount rule/dates rule/mcc_offset rule/mcc rule/country_offset rule/country rule/currency_offset rule/currency category/primary
    category/merchant mcc/category mcc/weight
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""Arrays that are compared by what they mean for a row; numbers in them differ when anything is added."""

COMPARED_PREFIXES = ("pattern/", "semantic/")
"""The matcher follows from its patterns; the model is compared by itself."""

NAMES_ONLY = {"merchant_website", "channel", "rule_why", "category_description", "place", "region"}
"""String tables that decide nothing: people read them in explanations. Places are compared by their arrays."""

WORDS = ("merchant_id", "merchant_name", "alias_id", "processor", "learned", "phrase")
COMPARED_STRINGS = {*WORDS, "rule_id", "pattern", "category", "primary"}
OF_THE_PACK_ITSELF = {"digest", "name", "version", "counts"}


class Difference(msgspec.Struct, frozen=True):
    """What can make the new pack decide a row otherwise: any of ``clauses``, or ``everything`` with the reason why."""

    clauses: tuple[Clause, ...] = ()
    everything: str = ""

    @property
    def nothing(self) -> bool:
        """Whether both packs decide every row alike."""
        return not self.clauses and not self.everything


def difference(old: CompiledPack, new: CompiledPack) -> Difference:
    """Say which rows that ``old`` decided can be decided otherwise by ``new``."""
    if old.digest == new.digest:
        return Difference()
    apart = _settings_apart(old.manifest, new.manifest) or _tables_apart(old, new)
    if reason := apart or _taxonomy_apart(old, new) or _semantic_apart(old, new):
        return Difference(everything=reason)
    words = () if _same_words(old, new) else word_clauses(old, new)
    clauses = dict.fromkeys((*rule_clauses(old, new), *_mcc_clauses(old, new), *words))
    if len(clauses) > MOST_CLAUSES:
        return Difference(everything=f"{len(clauses):,} rules, names and codes differ")
    return Difference(tuple(clauses))


def _settings_apart(old: Manifest, new: Manifest) -> str:
    """Name the first setting of the whole pack that differs; an engine that is not known may have decided in any way."""
    if not old.engine or not new.engine:
        return "a pack was compiled before packs named their engine"
    for field in Manifest.__struct_fields__:
        if field not in OF_THE_PACK_ITSELF and getattr(old, field) != getattr(new, field):
            return f"{field.replace('_', ' ')} of the whole pack"
    return ""


def _tables_apart(old: CompiledPack, new: CompiledPack) -> str:
    """Name the first table that is not compared by rows and differs."""
    for name in sorted({*old.arrays, *new.arrays}):
        if name not in TOLD_APART and not name.startswith(COMPARED_PREFIXES) and not _same(old, new, name):
            return f"the table {name}"
    unknown = {*old.strings, *new.strings} - NAMES_ONLY - COMPARED_STRINGS
    for name in sorted(unknown):
        if name not in old.strings or name not in new.strings or not old.strings[name].equals(new.strings[name]):
            return f"the texts {name}"
    missing = COMPARED_STRINGS - (set(old.strings) & set(new.strings))
    return f"a pack does not tell its texts {min(missing)}" if missing else ""


def _same_words(old: CompiledPack, new: CompiledPack) -> bool:
    """Say quickly that no name and no wording differs, as when a rule alone was changed."""
    if any(not old.strings[name].equals(new.strings[name]) for name in ("category", *WORDS)):
        return False
    names = {*old.arrays, *new.arrays}
    return all(_same(old, new, name) for name in names if name.startswith(("merchant/", "near/", "phrase/", "learned/")))


def _same(old: CompiledPack, new: CompiledPack, name: str) -> bool:
    if name not in old.arrays or name not in new.arrays:
        return False
    one, two = old.arrays[name], new.arrays[name]
    return one.shape == two.shape and one.dtype == two.dtype and one.tobytes() == two.tobytes()


def _taxonomy_apart(old: CompiledPack, new: CompiledPack) -> str:
    """Say whether categories of both packs changed their group, their kind or their order, by which ties are decided.

    Added and removed ones count by what leads to them.
    """
    before, after = _categories(old), _categories(new)
    common = [code for code in before if code in after]
    if common != [code for code in after if code in before]:
        return "the order of the categories"
    for code in common:
        if before[code] != after[code]:
            return f"the category {code}"
    return ""


def _categories(pack: CompiledPack) -> dict[str, tuple[str, int]]:
    primary = pack.strings["primary"].take(pa.array(pack.arrays["category/primary"])).to_pylist()
    kinds = zip(primary, pack.arrays["category/merchant"].tolist(), strict=True)
    return dict(zip(pack.strings["category"].to_pylist(), kinds, strict=True))


def _semantic_apart(old: CompiledPack, new: CompiledPack) -> str:
    """Say whether the semantic model differs, its classes compared by their categories' names."""
    names = sorted(name for name in {*old.arrays, *new.arrays} if name.startswith("semantic/"))
    for name in names:
        if name == "semantic/categories" and name in old.arrays and name in new.arrays:
            alike = _named(old, name).equals(_named(new, name))
        else:
            alike = _same(old, new, name)
        if not alike:
            return "the semantic model"
    return ""


def _named(pack: CompiledPack, name: str) -> pa.Array:
    """Give a table of category numbers as names, null where negative."""
    numbers = pack.arrays[name].astype(np.int32)
    return pack.strings["category"].take(pa.array(numbers, mask=numbers < 0))


def _mcc_clauses(old: CompiledPack, new: CompiledPack) -> list[Clause]:
    """Give the codes whose category or weight differs, as ranges."""
    categories = pc.fill_null(_named(old, "mcc/category"), ""), pc.fill_null(_named(new, "mcc/category"), "")
    apart = pc.not_equal(*categories).to_numpy(zero_copy_only=False) | (old.arrays["mcc/weight"] != new.arrays["mcc/weight"])
    codes = np.flatnonzero(apart)
    if not codes.size:
        return []
    parts = np.split(codes, np.flatnonzero(np.diff(codes) > 1) + 1)
    return [Clause(why="merchant category codes", mcc=tuple((int(part[0]), int(part[-1])) for part in parts))]
