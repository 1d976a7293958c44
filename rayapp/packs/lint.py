"""Linting a pack: everything that can be found wrong with it before it is compiled, errors and warnings alike."""

from pathlib import Path

from rayapp.errors import Fault
from rayapp.packs.directory import read_directory
from rayapp.packs.faults import Faults
from rayapp.packs.source import PackSource


def lint_pack(path: Path) -> list[Fault]:
    """Give every fault of the pack in the directory ``path``, warnings too, by file and line; never raises for a fault."""
    return list(inspect_pack(path)[1])


def inspect_pack(path: Path) -> tuple[PackSource | None, tuple[Fault, ...]]:
    """Read and check the pack in the directory ``path``: what could be read of it, and every fault."""
    faults = Faults()
    source = read_directory(path, faults)
    return source, faults.ordered()
