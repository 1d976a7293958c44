"""Find the everyday words, trades and people's names that are one letter from a merchant's name or begin it, and write them as ``word``s.

    python tools/build_plain_words.py [--pack DIR]

The near index takes a name with one letter wrong or cut off at the end for the merchant (STARBUKS), which must not happen to a word that
is meant (INTEREST is not PINTEREST misspelt, GELATERIA is not GELATERIA DI BERNA cut off). The words are those of
``gazetteer/commonness.py`` and the trades of ``semantic_model/trade_words.parquet``; only the few that are near a name of the pack are
written, in place of those that ``phrases.csv`` had.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gazetteer.commonness import everyday_words, given_and_family_names, heard_words  # noqa: E402

from rayapp.packs import load_pack  # noqa: E402
from rayapp.packs.phrase_index import token_texts  # noqa: E402
from rayapp.scoring.near import LEAST, LEAST_CUT, LEAST_WRONG, MOST, alike  # noqa: E402
from rayapp.scoring.pack import CompiledPack  # noqa: E402

PACK = ROOT / "rayapp" / "packs" / "default"
TRADES = ROOT / "tools" / "semantic_model" / "trade_words.parquet"
KIND = "word"


def names(pack: CompiledPack) -> list[str]:
    """Give the squashed names of the near index, without the words that it has already."""
    text, offset, alias = (pack.section("near")[name] for name in ("text", "offset", "alias"))
    whole = text.tobytes().decode()
    return [whole[offset[n] : offset[n + 1]] for n in range(alias.size) if alias[n] >= 0]


def trade_words() -> frozenset[str]:
    """Give the names of trades in many languages that are one word, as the clean view has them."""
    texts = token_texts(pq.read_table(TRADES, columns=["word"])["word"].to_pylist())
    return frozenset(text for text in texts if text and " " not in text)


def opening_words(words: Iterable[str], brands: Iterable[str]) -> set[str]:
    """Give the words that begin a brand's name of more letters."""
    openings = {name[:size] for name in brands for size in range(LEAST_CUT, len(name))}
    return {word for word in words if word.isascii() and word.isalpha() and word in openings} - set(brands)


def near_words(words: Iterable[str], brands: Iterable[str]) -> list[str]:
    """Give the words that are one letter from a brand's name and none themselves, sorted."""
    forms: defaultdict[str, set[str]] = defaultdict(set)
    known = set(brands)
    for name in known:
        if len(name) >= LEAST_WRONG:
            for form in _forms(name):
                forms[form].add(name)
    fit = {word for word in words if word.isascii() and word.isalpha() and LEAST <= len(word) <= MOST} - known
    return sorted(word for word in fit if any(_one_apart(word, name) for form in _forms(word) for name in forms.get(form, ())))


def _forms(word: str) -> set[str]:
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


def _one_apart(one: str, other: str) -> bool:
    left, right = (np.frombuffer(word.encode(), np.uint8) for word in (one, other))
    return int(alike(left, 0, left.size, right, 0, right.size)) == 1


def write(words: list[str], path: Path) -> None:
    """Put the words in place of those that the file has."""
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.endswith(f",{KIND},")]
    path.write_text("\n".join([*lines, *(f"{word},{KIND}," for word in words)]) + "\n", "utf-8")


def main() -> None:
    """Read the arguments, find, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, default=PACK)
    pack = parser.parse_args().pack
    brands = names(load_pack(pack))
    near = near_words(everyday_words() | heard_words() | given_and_family_names() | trade_words(), brands)
    words = sorted({*near, *opening_words(trade_words(), brands)})
    write(words, pack / "phrases.csv")
    print(f"{len(words)} words", file=sys.stderr)


if __name__ == "__main__":
    main()
