"""Pieces of a body become lines, in bounded memory: a line that is too long is skipped as it comes, and stands as ``None``."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Cut(NamedTuple):
    """Lines with their numbers in the body, which only grow; ``None`` where one was too long to keep."""

    numbers: Sequence[int]
    lines: Sequence[bytes | None]

    def since(self, first: int) -> "Cut":
        """Leave out the lines before number ``first``."""
        place = bisect_left(self.numbers, first)
        return Cut(self.numbers[place:], self.lines[place:]) if place else self

    def size(self) -> int:
        """Count the bytes."""
        return sum(map(len, filter(None, self.lines)))


NOTHING = Cut((), ())


class LineCutter:
    """Cuts one body. Blank lines are passed over and counted, so that numbers are those of the file."""

    def __init__(self, longest: int) -> None:
        """Begin before line 1."""
        self.number = 0
        self._longest = longest
        self._rest = b""
        self._skipping = False

    def feed(self, piece: bytes) -> Cut:
        """Take the next piece; gives the lines that it completes."""
        first, *others = piece.split(b"\n")
        cut = NOTHING
        if others:
            rest = others.pop()
            cut = self._complete([self._rest + first, *others])
            self._rest = rest
        elif not self._skipping:
            self._rest += first
        if len(self._rest) > self._longest:
            self._rest, self._skipping = b"", True
        return cut

    def end(self) -> Cut:
        """Give the last line, if it has no end of its own."""
        return self._complete([self._rest]) if self._rest or self._skipping else NOTHING

    def _complete(self, lines: list[bytes]) -> Cut:
        """Number lines; where one was being skipped, the first is its end."""
        before, skipped = self.number, self._skipping
        self.number, self._skipping = before + len(lines), False
        numbers = range(before + 1, self.number + 1)
        if before == 0:
            lines[0] = lines[0].removeprefix(BYTE_ORDER_MARK)
        if not skipped and all(map(bytes.strip, lines)) and len(max(lines, key=len)) <= self._longest:
            return Cut(numbers, lines)
        long = [len(line) > self._longest for line in lines]
        long[0] |= skipped
        kept = [(n, None if much else line) for n, line, much in zip(numbers, lines, long, strict=True) if much or line.strip()]
        return Cut(*zip(*kept, strict=True)) if kept else NOTHING
