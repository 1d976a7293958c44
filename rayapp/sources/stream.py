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
UTF_8_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


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

    def push_back(self, part: bytes) -> None:
        """Have ``part`` read again next."""
        self._ahead = part + self._ahead

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

    def decompressed(self) -> "Stream":
        """Give the stream without gzip or zstd, if it is in one of them."""
        if self.peek(2) == GZIP:
            return Stream(gzip.GzipFile(fileobj=cast("BinaryIO", self)).read1)
        if self.peek(4) == ZSTD:
            return Stream(pa.CompressedInputStream(pa.PythonFile(self, "r"), "zstd").read)
        return self

    def as_utf_8(self, encoding: str | None) -> "Stream":
        """Give the text in UTF-8 without a byte order mark, from ``encoding`` or else from what the mark says."""
        if encoding is None and self.peek(2) in UTF_16_MARKS:
            encoding = "utf-16"
        if encoding is not None:
            return Stream(self._recoder(encoding))
        if self.peek(3) == UTF_8_MARK:
            self.read(3)
        return self

    def _recoder(self, encoding: str) -> Callable[[int], bytes]:
        try:
            decoder = codecs.getincrementaldecoder(encoding)("replace")
        except LookupError:
            raise InvalidInput(f"no encoding is called {encoding!r}") from None

        def read(size: int) -> bytes:
            while part := self.read(size):
                if text := decoder.decode(part):
                    return text.encode()
            return decoder.decode(b"", final=True).encode()

        return read

    def _more(self, size: int) -> bytes:
        try:
            return self._read(size) or b""
        except (OSError, EOFError, pa.ArrowException) as error:
            raise InvalidInput(f"the source breaks off: {error}") from error
