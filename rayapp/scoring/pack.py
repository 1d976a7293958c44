"""A compiled rule pack: flat arrays, string tables and a manifest, in one content-addressed artefact.

The artefact is a safetensors file (no code in it, nothing is unpickled): arrays by name, string tables as bytes and offsets, and the
manifest as JSON in the header. ``digest`` names the sources it was compiled from; the same sources and engine give the same digest
everywhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from rayapp.errors import InvalidPack
from rayapp.scoring.pack_check import check_pack
from rayapp.scoring.transaction import Category

FORMAT = "rayapp-pack-7"
_BYTES, _ENDS = ".bytes", ".offsets"
_KINDS = {
    **{f"{letter}{8 * size}": f"<{letter.lower()}{size}" for letter in "IUF" for size in (1, 2, 4, 8) if (letter, size) != ("F", 1)},
    "BOOL": "?",
}
"""numpy's name of each kind of number that a safetensors file may hold."""


class LevelBounds(msgspec.Struct, frozen=True):
    """The least confidence of each level; below ``medium`` is LOW."""

    very_high: float
    high: float
    medium: float


class Manifest(msgspec.Struct, frozen=True):
    """What a pack says of itself."""

    digest: str
    name: str
    version: str
    weights: dict[str, int]
    """By signal, in millionths."""
    decided: int
    unclassified: int
    adds_up: bool
    learned_first: bool
    levels: LevelBounds
    confidence: dict[str, Any]
    counts: dict[str, int]
    engine: str = ""
    """Version of the engine that it was compiled for and decides with; empty where that was not yet written down."""


class CompiledPack:
    """A rule pack ready for the engine; immutable."""

    def __init__(self, manifest: Manifest, arrays: Mapping[str, NDArray[Any]], strings: Mapping[str, pa.StringArray]) -> None:
        """Take the parts as compiled.

        Nothing writes to the arrays, and yet they carry numpy's writeable flag: numba hands read-only arguments over by a path that costs
        50 microseconds for each array and call, more than a whole row.
        """
        self.manifest = manifest
        self.arrays = {name: np.require(array, requirements=["C", "W", "A"]) for name, array in arrays.items()}
        self.strings = dict(strings)

    @property
    def digest(self) -> str:
        """Name the pack's content."""
        return self.manifest.digest

    def categories(self) -> list[Category]:
        """Give the taxonomy in the order of the categories' numbers."""
        primaries, detailed = self.strings["primary"].to_pylist(), self.strings["category"].to_pylist()
        of = self.arrays["category/primary"].tolist()
        return [Category(primaries[number], code) for number, code in zip(of, detailed, strict=True)]

    def section(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Give the arrays whose name begins with ``prefix`` and a slash, by the rest of their name."""
        start = prefix + "/"
        return {name.removeprefix(start): array for name, array in self.arrays.items() if name.startswith(start)}

    def dump(self) -> bytes:
        """Write the pack as bytes; the same pack always gives the same bytes."""
        tensors = dict(self.arrays)
        for name, table in self.strings.items():
            ends, content = string_buffers(table)
            tensors[name + _ENDS] = ends
            tensors[name + _BYTES] = content
        header = {FORMAT: msgspec.json.encode(self.manifest, order="deterministic").decode()}
        return save({name: tensors[name] for name in sorted(tensors)}, metadata=header)

    @classmethod
    def load(cls, content: bytes) -> Self:
        """Read a pack from bytes. Raises ``InvalidPack`` when they are not a pack of this format, or one that would mislead the engine."""
        try:
            tensors = load(content)
            size = int.from_bytes(content[:8], "little")
            header = msgspec.json.decode(content[8 : 8 + size])["__metadata__"]
        except (SafetensorError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise InvalidPack(f"not a compiled pack: {error}") from error
        return cls._build(header, tensors)

    @classmethod
    def open(cls, path: str) -> Self:
        """Read a pack from a file without a copy: its pages are the file's own, and a page that nothing asks for is never read."""
        try:
            with safe_open(path, framework="numpy") as file:
                header = file.metadata() or {}
            tensors = _mapped(path)
        except (SafetensorError, OSError) as error:
            raise InvalidPack(f"not a compiled pack: {path}: {error}") from error
        return cls._build(header, tensors)

    @classmethod
    def _build(cls, header: Mapping[str, str], tensors: Mapping[str, NDArray[Any]]) -> Self:
        if FORMAT not in header:
            raise InvalidPack(f"not a compiled pack of the format {FORMAT!r}: compile the pack again")
        tables = {name.removesuffix(_ENDS) for name in tensors if name.endswith(_ENDS)}
        try:
            manifest = msgspec.json.decode(header[FORMAT], type=Manifest)
            strings = {name: string_table(tensors[name + _ENDS], tensors[name + _BYTES]) for name in tables}
        except (msgspec.DecodeError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise InvalidPack(f"the compiled pack is damaged: {error}") from error
        skipped = {name + end for name in tables for end in (_ENDS, _BYTES)}
        arrays = {name: array for name, array in tensors.items() if name not in skipped}
        check_pack(arrays, {name: len(table) for name, table in strings.items()}, manifest.weights)
        return cls(manifest, arrays, strings)


def _mapped(path: str) -> dict[str, NDArray[Any]]:
    """Map the arrays of a safetensors file that has been checked; what is written to them stays in this process."""
    content = np.asarray(np.memmap(path, np.uint8, "c"))
    start = 8 + int.from_bytes(content[:8].tobytes(), "little")
    arrays = {}
    for name, told in msgspec.json.decode(content[8:start].tobytes()).items():
        if name != "__metadata__":
            first, last = told["data_offsets"]
            arrays[name] = content[start + first : start + last].view(_KINDS[told["dtype"]]).reshape(told["shape"])
    return arrays


def string_buffers(table: pa.StringArray) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Give a string table's ``n + 1`` offsets and its bytes, without what lies outside a slice."""
    if not len(table):
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    _, ends, content = table.buffers()
    offsets = np.frombuffer(ends, np.int32)[table.offset : table.offset + len(table) + 1]
    raw = np.frombuffer(content, np.uint8) if content else np.zeros(0, np.uint8)
    return offsets - offsets[0], raw[offsets[0] : offsets[-1]]


def string_table(offsets: NDArray[np.int32], content: NDArray[np.uint8]) -> pa.StringArray:
    """Wrap offsets and bytes as a string array; raises ``ValueError`` unless they fit."""
    if offsets.dtype != np.int32 or content.dtype != np.uint8 or offsets.ndim != 1 or content.ndim != 1 or not len(offsets):
        raise ValueError("a string table needs int32 offsets and bytes")
    table = pa.StringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(np.ascontiguousarray(content))
    )
    table.validate(full=True)
    return table


def string_array(values: Sequence[str | None]) -> pa.StringArray:
    """Make a string table from Python strings, ``None`` as the empty string."""
    return pa.array([value or "" for value in values], pa.string())
