"""Reading a pack: every file is read, every fault found, and only then it is said whether the pack can be used."""

from pathlib import Path

from rayapp.errors import InvalidPack
from rayapp.packs.faults import errors_of
from rayapp.packs.lint import inspect_pack
from rayapp.packs.source import PackSource


def read_pack(path: Path) -> PackSource:
    """Read and check the pack in the directory ``path``; raise ``InvalidPack`` with every fault where it cannot be used."""
    source, faults = inspect_pack(path)
    errors = errors_of(faults)
    if source is None or errors:
        raise InvalidPack.of(f"the pack {path.name} cannot be used", errors)
    return source
