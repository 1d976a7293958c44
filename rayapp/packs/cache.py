"""Compiled packs on disk: a pack directory is compiled once for its content, and read in milliseconds from then on."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from rayapp.errors import InvalidPack
from rayapp.packs.files import SHIPPED, digest, named_pack
from rayapp.scoring.pack import CompiledPack

ENGINE_VERSION = "9"
"""Raised when the same sources compile to something else, or the same pack decides otherwise: no stale artefact is taken for the new, and
decisions of the former engine are all made again."""


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
    kept = cache_directory() / f"{digest(root, ENGINE_VERSION)}.pack"
    if kept.is_file():
        with suppress(InvalidPack):
            return CompiledPack.open(str(kept))
    from rayapp.packs.compile import compile_pack

    pack = compile_pack(root)
    with suppress(OSError):
        _keep(pack, kept)
    return pack


def cache_directory() -> Path:
    """Name the directory where compiled packs are kept."""
    named = os.environ.get("RAYAPP_CACHE_DIR")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rayapp" / "packs"


def _keep(pack: CompiledPack, path: Path) -> None:
    """Write a pack so that nobody ever reads half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pack.dump())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
