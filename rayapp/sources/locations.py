"""Where a source lies: files of this machine, or of a store that Arrow or fsspec can reach; one file, a folder or a pattern."""

import fnmatch
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from glob import glob, has_magic
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec
import pyarrow as pa
from pyarrow import fs

from rayapp.errors import InvalidInput, Unavailable

HIDDEN = (".", "_")
"""How names begin that are skipped in folders and patterns, as of ``_SUCCESS``."""

ARROW_SCHEMES = frozenset({"s3", "gs", "gcs", "hdfs", "abfs", "abfss"})


class Location(msgspec.Struct, frozen=True):
    """A file: its ``uri`` (empty on this machine), its ``path`` there, and the ``name`` that is shown, which holds no password."""

    name: str
    path: str
    uri: str = ""


class Stamp(msgspec.Struct, frozen=True):
    """What tells a file from itself after a change: its size in bytes, and the store's own tag or the time of its last change."""

    bytes: int
    tag: str


def located(uri: str) -> tuple[Location, ...]:
    """Give the files of a source, sorted; raises ``InvalidInput`` when there is none."""
    parts = urlsplit(uri)
    if len(parts.scheme) <= 1 or "://" not in uri:
        return _on_this_machine(uri)
    if parts.scheme == "file":
        return _on_this_machine(unquote(parts.path))
    return _remote(uri)


def lies_here(location: Location, shared: Path) -> bool:
    """Say whether a file lies on this machine alone: not in a store, and not below the folder that all machines see."""
    return not location.uri and not Path(location.path).resolve().is_relative_to(shared.resolve())


def shown(uri: str) -> str:
    """Give an address without the user and password in it."""
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="")) if "://" in uri else uri


@contextmanager
def opened(location: Location) -> Iterator[BinaryIO]:
    """Open a file to be read at any place; raises ``InvalidInput`` when it is not there or closed to us."""
    if not location.uri:
        try:
            file = Path(location.path).open("rb", buffering=0)  # noqa: SIM115 - closed below
        except OSError as error:
            raise InvalidInput(f"cannot read {location.name}: {error.strerror}") from error
        with file:
            yield cast("BinaryIO", file)
        return
    with remote_errors(location.name), _filesystem(location.uri)[0].open_input_file(location.path) as remote:
        yield cast("BinaryIO", remote)


def stamp_of(location: Location) -> Stamp:
    """Look at a file's size and tag."""
    if not location.uri:
        status = Path(location.path).stat()
        return Stamp(status.st_size, str(status.st_mtime_ns))
    with remote_errors(location.name):
        filesystem, _ = _filesystem(location.uri)
        with filesystem.open_input_file(location.path) as file:
            size, tag = file.size(), _tag(file)
        return Stamp(size, tag or str(filesystem.get_file_info(location.path).mtime_ns))


@contextmanager
def remote_errors(name: str) -> Iterator[None]:
    """Turn what a store says into our errors."""
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise InvalidInput(f"cannot read {name}: {error}") from error
    except (OSError, pa.ArrowException) as error:
        raise Unavailable(f"cannot read {name}: {error}") from error


def _tag(file: pa.NativeFile) -> str:
    """Give the ETag or generation of an object, nothing where the store has none."""
    try:
        known = {str(key).lower(): value for key, value in (file.metadata() or {}).items()}
    except (AttributeError, pa.ArrowNotImplementedError):
        return ""
    found: bytes = known.get("etag") or known.get("generation") or b""
    return found.decode("utf-8", "replace").strip('"')


def _on_this_machine(name: str) -> tuple[Location, ...]:
    try:
        found = _paths(name)
    except OSError as error:
        raise InvalidInput(f"cannot read {name}: {error.strerror}") from error
    for path in found:
        if not os.access(path, os.R_OK):
            raise InvalidInput(f"cannot read {path}: no such file, or closed to us")
    return tuple(Location(str(path), str(path.absolute())) for path in found)


def _paths(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        found = sorted(inside for inside in path.rglob("*") if inside.is_file() and not _is_hidden(inside.relative_to(path).parts))
        if not found:
            raise InvalidInput(f"cannot read {name}: the folder has no files")
        return found
    if not has_magic(name) or path.exists():
        return [path]
    matched = [Path(inside) for inside in glob(name, recursive=True)]  # noqa: PTH207 - the pattern may begin anywhere
    found = sorted(inside for inside in matched if inside.is_file() and not _is_hidden((inside.name,)))
    if not found:
        raise InvalidInput(f"cannot read {name}: no file has such a name")
    return found


def _remote(uri: str) -> tuple[Location, ...]:
    filesystem, path = _filesystem(uri)
    with remote_errors(shown(uri)):
        if has_magic(path):
            beginning = path[: min(path.find(sign) for sign in "*[?" if sign in path)].rpartition("/")[0]
            listed = _files_under(filesystem, beginning)
            found = [inside for inside in listed if fnmatch.fnmatchcase(inside, path)]
        elif filesystem.get_file_info(path).type == fs.FileType.Directory:
            found = _files_under(filesystem, path)
        else:
            found = [path]
    if not found:
        raise InvalidInput(f"cannot read {shown(uri)}: there are no files")
    parts = urlsplit(uri)
    user = parts.netloc.rpartition("@")[0]
    query = f"?{parts.query}" if parts.query else ""
    begin = f"{parts.scheme}://{user}@" if user else f"{parts.scheme}://"
    return tuple(Location(f"{parts.scheme}://{inside}", inside, f"{begin}{inside}{query}") for inside in sorted(found))


def _files_under(filesystem: fs.FileSystem, path: str) -> list[str]:
    found = filesystem.get_file_info(fs.FileSelector(path, recursive=True))
    inner = [info.path for info in found if info.type == fs.FileType.File]
    return [inside for inside in inner if not _is_hidden(tuple(inside.removeprefix(path).strip("/").split("/")))]


@lru_cache(maxsize=64)
def _filesystem(uri: str) -> tuple[fs.FileSystem, str]:
    """Give the store of an address and the path in it."""
    scheme = urlsplit(uri).scheme
    try:
        if scheme in ARROW_SCHEMES:
            found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(uri)
            return found
        import fsspec

        other, path = fsspec.core.url_to_fs(uri)
    except (pa.ArrowException, OSError) as error:
        raise Unavailable(f"cannot reach {shown(uri)}: {error}") from error
    except (ImportError, ValueError) as error:
        raise InvalidInput(f"cannot read {shown(uri)}: {error}") from error
    return fs.PyFileSystem(fs.FSSpecHandler(other)), path


def _is_hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(HIDDEN) for part in parts)
