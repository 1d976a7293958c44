"""Names and wording that differ between two packs: aliases, prefixes, phrases, learned merchants and names printed badly.

Entries of the lexicon are compared by their text and everything that the engine makes of them, in its order: what it is good for, its
processor, and each alias with its merchant, category, countries, kind and weight. An entry acts only on rows that have all of its tokens
(peeling can bring tokens together that stood apart, so they are looked for one by one).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rayapp.packs.touched import Clause
from rayapp.scoring.pack import CompiledPack, string_table

FIELD, ITEM = "\x1f", "\x1e"
MOST_COMPARED = 1_000


def word_clauses(old: CompiledPack, new: CompiledPack) -> Iterator[Clause]:
    """Give a clause for each entry, learned merchant and plain name that differs; what another covers is left out."""
    entries = _differing(_entries(old), _entries(new))
    learned = _differing(_learned(old), _learned(new))
    yield from _fewest({text: f"name {text}" for text in entries} | {text: f"learned merchant {text}" for text in learned})
    for name in _differing(_near_names(old), _near_names(new)):
        yield Clause(why=f"names like {name}", nearly=name)


def _differing(one: tuple[pa.Array, pa.Array], two: tuple[pa.Array, pa.Array]) -> list[str]:
    """Give the texts, sorted, that only one side has or whose facts differ; a side is its texts and the facts of each."""
    whole = [pc.binary_join_element_wise(text, fact, FIELD) for text, fact in (one, two)]
    apart = [
        text.filter(pc.invert(pc.is_in(mine, value_set=other)))
        for (text, _), mine, other in ((one, whole[0], whole[1]), (two, whole[1], whole[0]))
    ]
    return sorted(pc.unique(pa.concat_arrays(apart)).to_pylist())


def _fewest(why: dict[str, str]) -> Iterator[Clause]:
    """Make clauses of token texts, without those that ask for all the words of another."""
    kept: list[frozenset[str]] = []
    for text in sorted(why, key=lambda text: (text.count(" "), text)):
        words = frozenset(text.split(" "))
        if len(why) > MOST_COMPARED or not any(other <= words for other in kept):
            kept.append(words)
            yield Clause(why=why[text], words=tuple(sorted(words, key=lambda word: (-len(word), word))))


def _entries(pack: CompiledPack) -> tuple[pa.Array, pa.Array]:
    """Give the entries of the lexicon and their facts."""
    aliases = pa.ListArray.from_arrays(pa.array(pack.arrays["merchant/offset"]), _alias_facts(pack))
    kind = _text(pack.arrays["phrase/kind"])
    return pack.strings["phrase"], _join(kind, _taken(pack, "processor", pack.arrays["phrase/processor"]), pc.binary_join(aliases, ITEM))


def _alias_facts(pack: CompiledPack) -> pa.Array:
    """Say what the engine knows of each alias and its merchant, the alias's text aside."""
    arrays = pack.arrays
    lands = pa.ListArray.from_arrays(pa.array(arrays["merchant/country_offset"]), _text(arrays["merchant/country"]))
    merchant = _join(
        pack.strings["merchant_id"],
        pack.strings["merchant_name"],
        _taken(pack, "category", arrays["merchant/category"]),
        _text(arrays["merchant/origin"]),
        pc.binary_join(lands, ","),
    )
    return _join(merchant.take(pa.array(arrays["merchant/merchant"])), _text(arrays["merchant/match"]), _text(arrays["merchant/weight"]))


def _learned(pack: CompiledPack) -> tuple[pa.Array, pa.Array]:
    """Give the learned merchants and their facts; of several with one core the last holds."""
    arrays = pack.arrays
    facts = _join(_taken(pack, "category", arrays["learned/category"]), _text(arrays["learned/weight"]), _text(arrays["learned/country"]))
    last = dict(zip(pack.strings["learned"].to_pylist(), facts.to_pylist(), strict=True))
    return pa.array(list(last), pa.string()), pa.array(list(last.values()), pa.string())


def _near_names(pack: CompiledPack) -> tuple[pa.Array, pa.Array]:
    """Give the plain names without spaces, with their aliases; of aliases that share a name the order counts.

    Everyday words that stand among them so that they are taken for no name have no alias.
    """
    arrays = pack.arrays
    offset = arrays["near/offset"]
    names = string_table(offset, arrays["near/text"][: offset[-1]])
    alias = pa.array(arrays["near/alias"], mask=arrays["near/alias"] < 0)
    known = _join(pack.strings["alias_id"], _alias_facts(pack)).take(alias)
    facts = _join(pc.fill_null(known, ""), _text(_place_in_run(names)))
    return names, facts


def _place_in_run(names: pa.Array) -> NDArray[np.int64]:
    """Number equal neighbours from 0 on."""
    every = np.arange(len(names))
    if not len(names):
        return every
    begins = np.append(True, pc.not_equal(names[1:], names[:-1]).to_numpy(zero_copy_only=False))
    return every - np.maximum.accumulate(np.where(begins, every, 0))


def _taken(pack: CompiledPack, table: str, numbers: NDArray[np.integer]) -> pa.Array:
    """Give the names of numbers, empty where negative."""
    wide = numbers.astype(np.int32)
    return pc.fill_null(pack.strings[table].take(pa.array(wide, mask=wide < 0)), "")


def _text(numbers: NDArray[np.integer]) -> pa.Array:
    return pa.array(numbers).cast(pa.string())


def _join(*columns: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*columns, FIELD)
