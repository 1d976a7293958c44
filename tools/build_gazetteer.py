"""Build the default pack's gazetteer from name-suggestion-index and Wikidata: ``gazetteer.parquet``.

    python tools/build_gazetteer.py --source DIR --descriptors FILE [--out FILE]

DIR holds ``nsi.min.json.gz`` and ``wikidata.min.json.gz``; FILE is a gzipped CSV with the columns description and pfc_primary, from which
only the words that mean nothing are learnt. The same input gives the same bytes.

Columns: id (name-suggestion-index id of the main entry), name, category (null: names the merchant and decides nothing), aliases, countries
(ISO 3166-1 alpha-2, empty is anywhere), website (host, or empty), match (empty, weak or exact) and weight. The aliases of a row are all of
them: the name is among them where it counts. A merchant whose aliases differ in kind has a row for each kind, with the same id and name.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gazetteer.aliases import Spelling, spellings  # noqa: E402
from gazetteer.commonness import Commonness, read_descriptors, spread  # noqa: E402
from gazetteer.countries import Locations  # noqa: E402
from gazetteer.merging import Merchant, merge, trade_rank  # noqa: E402
from gazetteer.source import Facts, entries  # noqa: E402
from gazetteer.text import key, squashed, tokens  # noqa: E402

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("name", pa.string()),
        ("category", pa.dictionary(pa.int16(), pa.string())),
        ("aliases", pa.list_(pa.string())),
        ("countries", pa.list_(pa.string())),
        ("website", pa.string()),
        ("match", pa.dictionary(pa.int8(), pa.string())),
        ("weight", pa.float32()),
    ]
)
Candidates = Sequence[tuple[Merchant, list[Spelling]]]
KINDS = ("", "weak", "exact")
WEIGHTS = {"brands": 0.95, "transit": 0.9, "operators": 0.85}
MIXED_WEIGHT = 0.85
NOT_OWN = (
    "facebook.com",
    "instagram.com",
    "google.com",
    "wikipedia.org",
    "twitter.com",
    "vk.com",
    "linktr.ee",
    "blogspot.com",
    "wordpress.com",
)


def website(merchant: Merchant, hosts: Sequence[str]) -> str:
    """Choose the official host that is most like the name and at home where the merchant is, then the plainest."""
    own = [host for host in hosts if not host.endswith(NOT_OWN)]
    start = squashed(merchant.name)[:4].lower()
    homes = {code.lower().replace("gb", "uk") for code in merchant.countries} if len(merchant.countries) == 1 else {"com"}
    return min(own, key=lambda host: (start not in host, host.split(".")[-1] not in homes, host.count("."), own.index(host)), default="")


class Claims:
    """Who bears a name, who claims an alias, and whose names begin with a word."""

    def __init__(self, candidates: Candidates) -> None:
        """Index the candidates."""
        self.owners: dict[str, list[Merchant]] = defaultdict(list)
        self.claimants: dict[str, list[Merchant]] = defaultdict(list)
        self.kin: dict[str, list[Merchant]] = defaultdict(list)
        for merchant, found in candidates:
            for name in dict.fromkeys(key(name) for name in merchant.names):
                self.owners[name].append(merchant)
                self.kin[name.split(" ")[0].removesuffix("S")].append(merchant)
            for spelling in found:
                self.claimants[spelling.key].append(merchant)

    def is_own(self, spelling: Spelling, merchant: Merchant, commonness: Commonness) -> bool:
        """Tell whether an alias is the merchant's: a real name always is; a search term or a shortened name where nobody else has it."""
        owners, claimants = self.owners[spelling.key], self.claimants[spelling.key]
        if not (spelling.loose or spelling.borrowed) or merchant in owners:
            return True
        if owners:
            return False
        words = tokens(spelling.text)
        if spelling.borrowed:
            if words == tokens(merchant.name)[: len(words)] and self._has_other_kin(words[0], merchant):
                return False
            family = [other for other in claimants if other.wikidata and other.wikidata == merchant.wikidata]
            return not family or merchant.category == min((other.category for other in family), key=lambda code: (trade_rank(code), code))
        if commonness.is_place(words) or len({other.category for other in claimants}) > 1:
            return False
        return len(words) > 1 or (commonness.is_coinage(words[0]) and not self._has_other_kin(words[0], merchant))

    def _has_other_kin(self, word: str, merchant: Merchant) -> bool:
        return any(
            other.category != merchant.category and (not other.wikidata or other.wikidata != merchant.wikidata)
            for other in self.kin[word.removesuffix("S")]
        )


def settle(candidates: Candidates, commonness: Commonness) -> list[tuple[Merchant, dict[str, list[str]]]]:
    """Take away the aliases that belong to others and give the rest by match kind."""
    claims = Claims(candidates)
    settled = []
    for merchant, found in candidates:
        kinds: dict[str, list[str]] = defaultdict(list)
        for spelling in found:
            if claims.is_own(spelling, merchant, commonness):
                kinds[commonness.match(spelling, merchant)].append(spelling.text)
        settled.append((merchant, kinds))
    return settled


def rows(settled: Iterable[tuple[Merchant, dict[str, list[str]]]], facts: Facts) -> list[dict[str, object]]:
    """Give the table's rows: one for each merchant and match kind."""
    return [
        {
            "id": merchant.id,
            "name": merchant.name,
            "category": merchant.category or None,
            "aliases": kinds[kind],
            "countries": sorted(merchant.countries),
            "website": website(merchant, facts.hosts(merchant.wikidata)),
            "match": kind,
            "weight": MIXED_WEIGHT if merchant.mixed else WEIGHTS[merchant.tree],
        }
        for merchant, kinds in settled
        for kind in KINDS
        if kinds.get(kind)
    ]


def report(table: pa.Table, dropped: Counter[str], locations: Locations, size: int) -> None:
    """Print what was built, and what was left out and why."""
    kinds = Counter(table["match"].to_pylist())
    aliases = Counter[str]()
    for kind, found in zip(table["match"].to_pylist(), table["aliases"].to_pylist(), strict=True):
        aliases[kind] += len(found)
    named = set(table["id"].to_pylist())
    decided = {row["id"] for row in table.select(["id", "category"]).to_pylist() if row["category"]}
    print(f"{len(named):,} merchants, {len(decided):,} with a category, {sum(aliases.values()):,} aliases, {size / 1e6:.2f} MB")
    for kind in KINDS:
        print(f"  {kind or 'plain':6} {kinds[kind]:7,} rows {aliases[kind]:7,} aliases")
    print(f"{len(set(pc_flat(table['countries'])))} countries, {len(set(table['category'].to_pylist()) - {None})} categories")
    print(f"places that were not understood: {', '.join(sorted(locations.unknown)) or 'none'}")
    for reason, count in sorted(dropped.items()):
        print(f"  left out {count:5,}  {reason}")


def pc_flat(column: pa.ChunkedArray) -> list[str]:
    """Give all values of a list column."""
    return [value for values in column.to_pylist() for value in values]


def build(source: Path, descriptors: Path) -> tuple[pa.Table, Counter[str], Locations]:
    """Build the table; give what was left out too."""
    facts, locations, dropped = Facts(source / "wikidata.min.json.gz"), Locations(), Counter[str]()
    merchants = merge(entries(source / "nsi.min.json.gz", facts, locations, dropped), facts)
    brands = Counter(word for merchant in merchants for word in set(tokens(merchant.name)))
    commonness = Commonness(brands, spread(read_descriptors(descriptors)))
    candidates = [(merchant, spellings(merchant, facts.hosts(merchant.wikidata))) for merchant in merchants]
    return pa.Table.from_pylist(rows(settle(candidates, commonness), facts), schema=SCHEMA), dropped, locations


def main() -> None:
    """Build and write the file, and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--descriptors", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "rayapp" / "packs" / "default" / "gazetteer.parquet")
    arguments = parser.parse_args()
    table, dropped, locations = build(arguments.source, arguments.descriptors)
    pq.write_table(table, arguments.out, compression="zstd", compression_level=19, write_statistics=False)
    report(table, dropped, locations, arguments.out.stat().st_size)


if __name__ == "__main__":
    main()
