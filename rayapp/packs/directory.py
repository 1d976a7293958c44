"""A pack directory, read file by file and completed by the pack that it extends; nothing stops at the first fault."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from rayapp.packs import arrow_files, csv_files
from rayapp.packs.faults import Faults
from rayapp.packs.files import DEFAULT_PACK, read_text, safe_files
from rayapp.packs.merging import extend, without_rows
from rayapp.packs.record import Record, Table
from rayapp.packs.source import BASE, Levels, PackSource, Place, RuleSource, Thresholds, Weights
from rayapp.packs.toml_files import Head, parse, read_head
from rayapp.packs.toml_rules import read_rules

Item = TypeVar("Item")
ReadArrow = Callable[[Path, str, Faults], pa.Table | None]

ARTEFACTS = ("semantic.safetensors", "learned.parquet", "confidence.json")
FILES = (
    "pack.toml",
    "taxonomy.csv",
    "mcc.csv",
    "processors.csv",
    "phrases.csv",
    "cases.csv",
    "gazetteer.parquet",
    "places.parquet",
    *ARTEFACTS,
)
BESIDE = (".md", ".txt", ".rst")
"""Notes beside a pack's files are nobody's fault."""


def read_directory(path: Path, faults: Faults) -> PackSource | None:
    """Read the pack at ``path`` and what it extends; ``None`` where there is nothing that could be a pack."""
    return _Reader(path, faults).read()


class _Reader:
    """Reads one directory; ``label`` stands before its file names in the places of what is read."""

    def __init__(self, root: Path, faults: Faults, label: str = "") -> None:
        """Look which files there are."""
        self._root = root
        self._faults = faults
        self._label = label
        self._names = safe_files(root, faults) if root.is_dir() else []

    def read(self) -> PackSource | None:
        """Read every file, and the extended pack; ``None`` where there is nothing that could be a pack."""
        if "pack.toml" not in self._names:
            missing = "no such directory" if not self._root.is_dir() else "missing: a pack is a directory with a pack.toml"
            self._faults.error(self._place("pack.toml"), missing)
            return None
        document = self._document("pack.toml")
        head = read_head(document) if document else None
        self._warn_of_others()
        own = self._own(head or Head("unnamed", "", self._place("pack.toml")))
        if head is None or head.extends is None or self._label:
            return own
        base = _Reader(DEFAULT_PACK, self._faults, BASE).read()
        return extend(own, base, head, self._faults) if base else own

    def _own(self, head: Head) -> PackSource:
        merchants = tuple(self._tables("merchants/", csv_files.MERCHANTS, csv_files.read_merchant))
        gazetteer = self._arrow("gazetteer.parquet", arrow_files.read_gazetteer)
        return PackSource(
            path=self._root,
            name=head.name,
            version=head.version,
            extends=head.extends,
            weights=Weights(**head.weights),
            levels=Levels(**head.levels),
            thresholds=Thresholds(**head.thresholds),
            combine=head.combine or "strongest",
            learned_first=bool(head.learned_first),
            categories=tuple(self._tables("taxonomy.csv", csv_files.TAXONOMY, csv_files.read_category)),
            mcc=tuple(self._tables("mcc.csv", csv_files.MCC, csv_files.read_mcc)),
            rules=tuple(self._rules()),
            merchants=merchants,
            processors=tuple(self._tables("processors.csv", csv_files.PROCESSORS, csv_files.read_processor)),
            phrases=tuple(self._tables("phrases.csv", csv_files.PHRASES, csv_files.read_phrase)),
            cases=tuple(self._tables("cases.csv", csv_files.CASES, csv_files.read_case)),
            gazetteer=without_rows(gazetteer, {merchant.id for merchant in merchants}),
            places=self._arrow("places.parquet", arrow_files.read_places),
            artefacts={name: self._root / name for name in ARTEFACTS if name in self._names},
        )

    def _rules(self) -> Iterator[RuleSource]:
        for name in self._folder("rules/", ".toml"):
            document = self._document(name)
            if document:
                yield from read_rules(document)

    def _tables(self, where: str, columns: csv_files.Columns, read: Callable[[Record], Item]) -> Iterator[Item]:
        """Read the rows of one file, or of every file of a folder; nothing where there is none."""
        names = self._folder(where, ".csv") if where.endswith("/") else [where] * (where in self._names)
        for name in names:
            text = read_text(self._root, name, self._faults, self._label + name)
            if text is not None:
                yield from map(read, csv_files.rows(text, self._label + name, columns, self._faults))

    def _folder(self, folder: str, ending: str) -> list[str]:
        return [name for name in self._names if name.startswith(folder) and name.endswith(ending) and name.count("/") == 1]

    def _arrow(self, name: str, read: ReadArrow) -> pa.Table | None:
        return read(self._root / name, self._label + name, self._faults) if name in self._names else None

    def _document(self, name: str) -> Table | None:
        text = read_text(self._root, name, self._faults, self._label + name)
        return None if text is None else parse(text, self._label + name, self._faults)

    def _place(self, name: str) -> Place:
        return Place(self._label + name, 1)

    def _warn_of_others(self) -> None:
        """Warn of files that look like a part of the pack and are none: a misspelt name would go unnoticed."""
        known = {*FILES, *self._folder("rules/", ".toml"), *self._folder("merchants/", ".csv")}
        for name in self._names:
            if name not in known and not name.endswith(BESIDE) and not Path(name).stem.isupper():
                hint = self._faults.closest(name, known | {"rules/NAME.toml"})
                self._faults.warn(self._place(name), "not a file of a pack: it is not read", hint)
