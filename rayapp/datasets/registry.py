"""The datasets that are known: those of the package, and those of a folder of the operator's."""

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path

from rayapp.datasets.declaration import Dataset, read_declaration
from rayapp.errors import InvalidInput, InvalidSetup


def datasets(folder: Path | None = None) -> tuple[Dataset, ...]:
    """Give all datasets, by name: the package's own and those of ``folder`` (``Settings.datasets``), ``*.toml`` each.

    Raises ``InvalidSetup`` when a declaration has faults, or when two have the same name or table.
    """
    own = _own()
    if folder is None:
        return own
    if not folder.is_dir():
        raise InvalidSetup(f"RAYAPP_DATASETS: there is no folder {folder}")
    added = [_added(path) for path in sorted(folder.glob("*.toml"))]
    known: dict[str, Dataset] = {}
    for declared in (*own, *added):
        if any(declared.name == other.name or declared.table == other.table for other in known.values()):
            raise InvalidSetup(f"dataset {declared.name} ({declared.table}) is declared twice")
        known[declared.name] = declared
    return tuple(known[name] for name in sorted(known))


def dataset(name: str, folder: Path | None = None) -> Dataset:
    """Give a dataset by its name; raises ``InvalidInput`` with the known names."""
    known = {declared.name: declared for declared in datasets(folder)}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f", did you mean {near[0]}?" if near else ";"
        raise InvalidInput(f"there is no dataset {name!r}{hint} the datasets are {', '.join(known)}")
    return known[name]


def _added(path: Path) -> Dataset:
    declared = read_declaration(path.read_text("utf-8"), path.name)
    if declared.decides:
        raise InvalidSetup(f"dataset {path.name}: only transactions are classified: take `decides` out")
    if declared.table.startswith("rayapp."):
        raise InvalidSetup(f"dataset {path.name}: the schema rayapp is rayapp's own: choose another for {declared.table}")
    return declared


@cache
def _own() -> tuple[Dataset, ...]:
    folder = files("rayapp.datasets").joinpath("declared")
    found = [read_declaration(entry.read_text("utf-8"), entry.name) for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return tuple(sorted(found, key=lambda declared: declared.name))
