"""The files of a pack directory: which there are, whether they are safe to read, and the digest over them all."""

import os
import stat
from hashlib import file_digest, sha256
from pathlib import Path

from rayapp.packs.faults import Faults, quoted
from rayapp.packs.source import Place

DEFAULT_PACK = Path(__file__).parent / "default"
SHIPPED = {name: Path(__file__).parent / name for name in ("default", "purchase-cards")}
"""The packs that come with the package, by the names under which they can be asked for."""

MAX_FILES = 1_000
MAX_FILE_BYTES = 64 * 2**20
MAX_TOTAL_BYTES = 256 * 2**20
MAX_TOML_BYTES = 8 * 2**20
"""TOML is parsed in Python, and parsers of it take long over hostile text: a rules file is a few hundred KB."""


def digest(path: Path, engine_version: str) -> str:
    """Give the SHA-256, in hex, of what decides what the pack at ``path`` does.

    That is ``engine_version``, the name and bytes of each of its files in sorted order, and the same of the default pack where
    ``pack.toml`` says so. Nothing is checked here: a pack with faults has a digest too.
    """
    total = sha256(engine_version.encode())
    for root in (path, *([DEFAULT_PACK] if _mentions_extends(path) else [])):
        for name in pack_files(root):
            total.update(len(os.fsencode(name)).to_bytes(4, "big") + os.fsencode(name))
            with (root / name).open("rb") as content:
                total.update(file_digest(content, "sha256").digest())
        total.update(b"\xff" * 4)
    return total.hexdigest()


def named_pack(path: str | Path | None) -> Path:
    """Give where a pack is: ``None`` is the default pack, and a shipped pack's name that pack, unless there is such a file or directory."""
    if path is None:
        return DEFAULT_PACK
    given = Path(path)
    return given if given.exists() else SHIPPED.get(str(path), given)


def _mentions_extends(path: Path) -> bool:
    pack_toml = path / "pack.toml"
    return pack_toml.is_file() and b"extends" in pack_toml.read_bytes()


def pack_files(root: Path) -> list[str]:
    """Give the relative names, with ``/``, of the regular files under ``root``, sorted; hidden ones are left out."""
    return sorted(path.relative_to(root).as_posix() for path in _walk(root) if path.is_file())


def _walk(root: Path) -> list[Path]:
    """List what is under ``root`` that is not hidden, links to directories unfollowed."""
    found: list[Path] = []
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        found.extend(Path(folder) / name for name in (*names, *links) if not name.startswith("."))
        if len(found) > MAX_FILES:
            break
    return found


def safe_files(root: Path, faults: Faults) -> list[str]:
    """Give the names of the files that may be read, and a fault for each that may not.

    A link must stay inside the directory; what is not a regular file, and what is too big, is refused. Shipped packs may
    be made of links: some installers link every file of a package to their cache.
    """
    found = _walk(root)
    if len(found) > MAX_FILES:
        faults.error(Place(".", 1), f"more than {MAX_FILES:,} files", "give a directory that holds a pack and nothing else")
        return []
    total = sum(path.stat().st_size for path in found if path.is_file())
    if total > MAX_TOTAL_BYTES:
        faults.error(Place(".", 1), f"{total:,} bytes in all files, and the most is {MAX_TOTAL_BYTES:,}")
        return []
    resolved_root = root.resolve()
    safe: list[str] = []
    for path in found:
        name = path.relative_to(root).as_posix()
        complaint = _complaint(path, resolved_root)
        if complaint:
            faults.error(Place(name.encode("ascii", "backslashreplace").decode(), 1), complaint)
        else:
            safe.append(name)
    return sorted(safe)


def _complaint(path: Path, root: Path) -> str:
    """Say why a file may not be read, or give an empty string."""
    if not path.name.isprintable():
        return f"the name {quoted(path.name)} has characters that cannot be printed"
    try:
        target = path.resolve(strict=True)
        status = target.stat()
    except (OSError, RuntimeError):
        return "a link to nothing"
    shipped = {pack.resolve() for pack in (DEFAULT_PACK, *SHIPPED.values())}
    if path.is_symlink() and not target.is_relative_to(root) and root not in shipped:
        return "a link that leaves the pack's directory"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    limit = MAX_TOML_BYTES if path.suffix == ".toml" else MAX_FILE_BYTES
    return f"{status.st_size:,} bytes, and the most is {limit:,}" if status.st_size > limit else ""


def read_text(root: Path, name: str, faults: Faults, label: str) -> str | None:
    """Read a file as UTF-8, each line end a single line feed; a fault with the line, and ``None``, where it is not UTF-8."""
    try:
        content = (root / name).read_bytes()
    except OSError as error:
        faults.error(Place(label, 1), f"cannot be read: {error.strerror}")
        return None
    try:
        document = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.error(Place(label, line), f"not UTF-8: byte 0x{content[error.start]:02X}", "save the file as UTF-8")
        return None
    return document.replace("\r\n", "\n")
