"""Pieces of a body become lines, in bounded memory: a line that is too long is skipped as it comes, and stands as ``None``."""

from collections.abc import Iterator

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineCutter:
    """Cuts one body. Blank lines are passed over and counted, so that numbers are those of the file."""

    def __init__(self, longest: int) -> None:
        """Begin before line 1."""
        self.number = 0
        self._longest = longest
        self._rest = b""
        self._skipping = False

    def feed(self, piece: bytes) -> Iterator[tuple[int, bytes | None]]:
        """Take the next piece; gives the lines that it completes, with their numbers."""
        *lines, rest = piece.split(b"\n")
        for line in lines:
            yield from self._complete(self._rest + line)
            self._rest = b""
        self._rest = b"" if self._skipping else self._rest + rest
        if len(self._rest) > self._longest:
            self._rest, self._skipping = b"", True

    def end(self) -> Iterator[tuple[int, bytes | None]]:
        """Give the last line, if it has no end of its own."""
        if self._rest or self._skipping:
            yield from self._complete(self._rest)

    def _complete(self, line: bytes) -> Iterator[tuple[int, bytes | None]]:
        self.number += 1
        if self.number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        if self._skipping or len(line) > self._longest:
            self._skipping = False
            yield self.number, None
        elif line.strip():
            yield self.number, line
