"""A stream of bytes whose beginning can be looked at, and which gives what is there rather than wait for more."""

import codecs
import gzip
import io
from collections.abc import Callable
from typing import BinaryIO, Self, cast

import pyarrow as pa

from rayapp.errors import InvalidInput

BLOCK_BYTES = 1 << 22
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Stream(io.RawIOBase):
    """Bytes to be read once. Errors of the source become ``InvalidInput``."""

    def __init__(self, read: Callable[[int], bytes | None], file: BinaryIO | None = None) -> None:
        """Take a function that gives some bytes, at most as many as asked, none at the end."""
        super().__init__()
        self._read = read
        self._ahead = b""
        self._file = file

    @classmethod
    def of(cls, file: io.RawIOBase | BinaryIO) -> Self:
        """Read an open, unbuffered file."""
        return cls(file.read, cast("BinaryIO", file))

    def readable(self) -> bool:
        """Say yes."""
        return True

    def peek(self, count: int) -> bytes:
        """Give the first ``count`` bytes, fewer where the source ends, and leave them to be read."""
        while len(self._ahead) < count and (more := self._more(count)):
            self._ahead += more
        return self._ahead[:count]

    def read(self, size: int = -1) -> bytes:
        """Give what is there, at most ``size`` bytes; all there will ever be when ``size`` is negative."""
        if size < 0:
            whole, self._ahead = self._ahead + b"".join(iter(lambda: self._more(BLOCK_BYTES), b"")), b""
            return whole
        if self._ahead:
            part, self._ahead = self._ahead[:size], self._ahead[size:]
            return part
        return self._more(size)

    def seekable_file(self) -> BinaryIO | None:
        """Give the file itself, at its beginning, if one can go back and forth in it."""
        if self._file is None or not self._file.seekable():
            return None
        self._file.seek(0)
        return self._file

    def packing(self) -> str:
        """Say how the stream is packed: gz, zst or nothing."""
        return "gz" if self.peek(2) == GZIP else "zst" if self.peek(4) == ZSTD else ""

    def unpacked(self) -> "Stream":
        """Give the stream without gzip or zstd, if it is in one of them."""
        match self.packing():
            case "gz":
                return Stream(gzip.GzipFile(fileobj=cast("BinaryIO", self)).read1)
            case "zst":
                return Stream(pa.CompressedInputStream(pa.PythonFile(self, "r"), "zstd").read)
        return self

    def ahead(self, enough: Callable[[bytes], bool]) -> bytes:
        """Give what is there, leaving it to be read; more is waited for until it is ``enough``, or nothing more comes."""
        while not (self._ahead and enough(self._ahead)) and (more := self._more(BLOCK_BYTES)):
            self._ahead += more
        return self._ahead

    def in_utf_8(self, encoding: str) -> "Stream":
        """Give the text in UTF-8.

        Bytes that mean nothing in an old encoding stay as they are, so that their rows are named; in UTF-16 they are replaced by U+FFFD.
        """
        handling = "replace" if encoding.startswith("utf") else "surrogateescape"
        decoder = codecs.getincrementaldecoder(encoding)(handling)

        def read(size: int) -> bytes:
            while part := self.read(size):
                if text := decoder.decode(part):
                    return text.encode("utf-8", handling)
            return decoder.decode(b"", final=True).encode("utf-8", handling)

        return Stream(read)

    def _more(self, size: int) -> bytes:
        try:
            return self._read(size) or b""
        except (OSError, EOFError, pa.ArrowException) as error:
            raise InvalidInput(f"the source breaks off: {error}") from error
