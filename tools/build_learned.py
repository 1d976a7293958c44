"""Learn merchants by heart from the card lines: ``learned.parquet``, whole cores with their category.

    python tools/build_learned.py --source DIR [--country CA] [--pack DIR] [--out FILE]

DIR holds ``train/card_2011_2018.csv.gz``. A core is kept when it was seen often enough and its lines agree (``LEAST_LINES``,
``LEAST_PURITY``); single letters and bare numbers are no merchants. A core that reads as a person's name is a sole trader's: it is left
out unless the pack knows it as a brand, or more lines bear it than one person's work would give (``PUBLIC_LINES``). Columns: core,
category, n (lines), purity (share of the lines that have the category), country (where the lines' cards are: abroad the same words count
less).
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from semantic_model.history import Merchant, merchants, read_lines  # noqa: E402
from semantic_model.people import reads_as_person  # noqa: E402

from rayapp.packs import load_pack  # noqa: E402
from rayapp.packs.reading import read_pack  # noqa: E402
from rayapp.scoring.pack import CompiledPack  # noqa: E402

PACK = ROOT / "rayapp" / "packs" / "default"
LINES = "train/card_2011_2018.csv.gz"
LEAST_LINES = 2
LEAST_PURITY = 0.6
LEAST_LETTERS = 3
PUBLIC_LINES = 100
_CODES = pa.dictionary(pa.int16(), pa.string())
SCHEMA = pa.schema([("core", pa.string()), ("category", _CODES), ("n", pa.int32()), ("purity", pa.float32()), ("country", _CODES)])


def learned(seen: Iterable[Merchant], brands: frozenset[str], country: str) -> pa.Table:
    """Give the merchants that are worth knowing by heart; ``brands`` are cores that the pack knows by itself."""
    rows: dict[str, list[object]] = {name: [] for name in SCHEMA.names}
    trade = frozenset(word for brand in brands for word in brand.split())
    for merchant in seen:
        category, count = merchant.categories[0]
        letters = sum(character.isalpha() for character in merchant.core)
        private = merchant.lines < PUBLIC_LINES and merchant.core not in brands and reads_as_person(merchant.core, trade)
        if merchant.lines >= LEAST_LINES and count >= LEAST_PURITY * merchant.lines and letters >= LEAST_LETTERS and not private:
            values = (merchant.core, category, merchant.lines, count / merchant.lines, country)
            for name, value in zip(SCHEMA.names, values, strict=True):
                rows[name].append(value)
    return pa.table(rows, SCHEMA)


def brands(pack: CompiledPack) -> frozenset[str]:
    """Give the token texts of every alias of the pack."""
    return frozenset(alias.partition("/")[2] for alias in pack.strings["alias_id"].to_pylist())


def write(table: pa.Table, path: Path) -> None:
    """Write the table compactly; the same rows give the same bytes."""
    pq.write_table(table, path, compression="zstd", compression_level=19, store_schema=False)


def main() -> None:
    """Read the arguments, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--country", default="CA")
    parser.add_argument("--pack", type=Path, default=PACK)
    parser.add_argument("--out", type=Path, default=PACK / "learned.parquet")
    arguments = parser.parse_args()
    source, pack = read_pack(arguments.pack), load_pack(arguments.pack)
    table = learned(merchants(read_lines(arguments.source / LINES, source), pack), brands(pack), arguments.country)
    write(table, arguments.out)
    print(f"{arguments.out}: {len(table):,} merchants, {arguments.out.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
