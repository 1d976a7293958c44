"""A pack that somebody sent, compiled in a process of its own: ``python -m rayapp.packs.uploaded ARCHIVE OUT``.

ARCHIVE is a zip or a tar (also gzipped) of a pack directory. Writes the compiled pack to OUT and ``{"digest", "name"}`` to stdout, or
``{"faults": [...]}`` with every fault. Nothing of the archive is written outside of a temporary directory, nor more than a pack may have.
"""

import resource
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from rayapp.errors import Fault, InvalidPack
from rayapp.packs.files import MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES

MOST_MEMORY = 6 << 30
MOST_CPU_S = 120
STEP = 1 << 20


class Compiled(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of an upload: a pack, or faults."""

    digest: str = ""
    name: str = ""
    faults: tuple[Fault, ...] = ()


Member = tuple[str, IO[bytes]]


def compile_upload(archive: Path, out: Path) -> Compiled:
    """Compile the pack in an archive; gives its digest, or its faults."""
    from rayapp.packs.compile import compile_pack

    with tempfile.TemporaryDirectory(prefix="rayapp-pack-") as folder:
        try:
            unpack(archive, Path(folder))
            pack = compile_pack(root_of(Path(folder)))
        except InvalidPack as error:
            return Compiled(faults=error.faults)
        out.write_bytes(pack.dump())
        return Compiled(pack.digest, pack.manifest.name)


def unpack(archive: Path, folder: Path) -> None:
    """Write the regular files of an archive below a folder; raises ``InvalidPack`` for names that leave it, and for too much."""
    count, left = 0, MAX_TOTAL_BYTES
    with _members(archive) as members:
        for name, content in members:
            count += 1
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or not path.parts:
                raise _refused(name, "the name leaves the archive")
            if count > MAX_FILES:
                raise _refused(name, f"more than {MAX_FILES:,} files")
            left -= _copied(content, folder / path, min(left, MAX_FILE_BYTES), name)


def root_of(folder: Path) -> Path:
    """Give where the pack is: where ``pack.toml`` is, which may be one folder down."""
    inside = [path for path in folder.iterdir() if path.is_dir()]
    return inside[0] if not (folder / "pack.toml").exists() and len(inside) == 1 else folder


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    """Give the regular files of an archive by name; raises ``InvalidPack`` when it is none."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                yield ((item.filename, zipped.open(item)) for item in zipped.infolist() if not item.is_dir())
        else:
            with tarfile.open(archive, "r|*") as tar:
                yield _of_tar(tar)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise _refused(".", f"no zip and no tar that can be read: {error}") from error


def _of_tar(tar: tarfile.TarFile) -> Iterator[Member]:
    for item in tar:
        if item.isdir():
            continue
        content = tar.extractfile(item) if item.isreg() else None
        if content is None:
            raise _refused(item.name, "not a regular file")
        yield item.name, content


def _copied(content: IO[bytes], path: Path, most: int, name: str) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with content, path.open("xb") as file:
        while piece := content.read(STEP):
            size += len(piece)
            if size > most:
                raise _refused(name, "larger than a pack may be")
            file.write(piece)
    return size


def _refused(name: str, message: str) -> InvalidPack:
    shown = name.encode("ascii", "backslashreplace").decode()[:200]
    return InvalidPack.of("the upload is no pack", [Fault(shown, 1, message)])


def main(words: Sequence[str]) -> int:
    """Compile an upload within limits."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    archive, out = map(Path, words)
    sys.stdout.buffer.write(msgspec.json.encode(compile_upload(archive, out)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
