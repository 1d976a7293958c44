"""Compiled packs on disk: a pack directory is compiled once for its content, and read in milliseconds from then on.

Stored packs are kept here too, by the same digests: reading 55 MB out of a database takes many times as long.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from rayapp.errors import InvalidPack
from rayapp.packs.files import SHIPPED, digest, named_pack
from rayapp.scoring.pack import CompiledPack

ENGINE_VERSION = "15"
"""Raised when the same sources compile to something else, or the same pack decides otherwise: no stale artefact is taken for the new, and
decisions of the former engine are all made again."""

MOST_KEPT = 40
"""Packs that are kept, those that were not asked for the longest are forgotten."""


def load_pack(path: str | Path | None = None) -> CompiledPack:
    """Load the pack at ``path``: a shipped pack's name, a directory of sources, a compiled file, or ``None`` for the default pack.

    A directory is compiled when its content is new, which takes some seconds, and kept in the cache directory (``RAYAPP_CACHE_DIR``, else
    the user's). Raises ``InvalidPack`` with every fault.
    """
    root = named_pack(path)
    if root.is_file():
        return CompiledPack.open(str(root))
    if not root.is_dir():
        raise InvalidPack(f"there is no pack at {root}; the packs with names are {', '.join(SHIPPED)}")
    named = digest(root, ENGINE_VERSION)
    kept = kept_pack(named)
    if kept is not None:
        return kept
    from rayapp.packs.compile import compile_pack

    pack = compile_pack(root)
    keep_pack(named, pack.dump())
    return pack


def kept_pack(named: str) -> CompiledPack | None:
    """Give a compiled pack by its digest; ``None`` when it is not kept here, or not as it should be."""
    path = _path(named)
    if not path.is_file():
        return None
    with suppress(InvalidPack):
        pack = CompiledPack.open(str(path))
        with suppress(OSError):
            os.utime(path)
        return pack if pack.digest == named else None
    return None


def keep_pack(named: str, artefact: bytes) -> None:
    """Keep a compiled pack for the next time, where the disk takes it."""
    with suppress(OSError):
        _keep(artefact, _path(named))


def cache_directory() -> Path:
    """Name the directory where compiled packs are kept."""
    named = os.environ.get("RAYAPP_CACHE_DIR")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rayapp" / "packs"


def _path(named: str) -> Path:
    return cache_directory() / f"{named}.pack"


def _keep(artefact: bytes, path: Path) -> None:
    """Write a pack so that nobody ever reads half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(artefact)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    kept = sorted(path.parent.glob("*.pack"), key=lambda found: found.stat().st_mtime, reverse=True)
    for forgotten in kept[MOST_KEPT:]:
        forgotten.unlink(missing_ok=True)
