"""A folder with files of several datasets: which file belongs to which, by its name or by its columns."""

from pathlib import Path

import msgspec

from rayapp.datasets import Dataset, dataset, datasets
from rayapp.errors import InvalidInput
from rayapp.settings import Settings
from rayapp.sources.options import SourceOptions
from rayapp.sources.planning import drafted

TRANSACTIONS = "transactions"
SHORTEST_NAME = 4


class Part(msgspec.Struct, frozen=True):
    """A source and the dataset that it belongs to; ``beside`` others that are loaded with it."""

    source: str
    dataset: Dataset
    beside: bool = False


def parts_of(source: str, name: str | None, options: SourceOptions, settings: Settings) -> list[Part]:
    """Tell which datasets a source holds: the one that is named, else transactions, or those that a folder's files are named after.

    Raises ``InvalidInput`` where a file stands beside others of known datasets and belongs to none itself.
    """
    known = datasets(settings.datasets)
    folder = Path(source)
    if name is not None or not folder.is_dir():
        return [Part(source, dataset(name or TRANSACTIONS, settings.datasets))]
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    named = {path: found for path in files if (found := by_name(path, known)) is not None}
    if not {found.name for found in named.values()} - {TRANSACTIONS}:
        return [Part(source, dataset(TRANSACTIONS, settings.datasets))]
    return [Part(str(path), named.get(path) or _by_columns(path, known, options, settings), beside=True) for path in files]


def by_name(path: Path, known: tuple[Dataset, ...]) -> Dataset | None:
    """Tell a file's dataset by its name: ``catalog.csv`` and ``catalog_snapshot-2026.csv.gz`` are of ``catalog_snapshot``."""
    words = path.name.partition(".")[0].lower().replace("-", "_").replace(" ", "_")
    fits = [
        declared
        for declared in known
        if words.startswith(declared.name) or (len(words) >= SHORTEST_NAME and declared.name.startswith(words.rstrip("s").split("__")[0]))
    ]
    return fits[0] if len(fits) == 1 else None


def _by_columns(path: Path, known: tuple[Dataset, ...], options: SourceOptions, settings: Settings) -> Dataset:
    """Tell a file's dataset by its columns: the one that most of them belong to, of those whose needed columns it has."""
    found: dict[str, int] = {}
    for declared in known:
        try:
            with drafted(str(path), declared, options, settings) as (plan, _):
                if not plan.mapping.questions:
                    found[declared.name] = len(plan.mapping.columns)
        except InvalidInput:
            continue
    best = max(found.values(), default=0)
    names = [name for name, columns in found.items() if columns == best]
    if len(names) != 1:
        raise InvalidInput(f"cannot tell which dataset {path.name} belongs to: name it after one ({', '.join(d.name for d in known)})")
    return dataset(names[0], settings.datasets)
