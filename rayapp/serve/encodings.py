"""Compressed request bodies, unpacked as they come and no further than is asked for: no small body becomes a large one in memory."""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rayapp.serve.problems import ELSEWHERE, BodyTooLarge, MalformedBody, SlowBody, UnsupportedBody

STEP = 1 << 16
"""Bytes that are unpacked at once."""

WINDOWS = {b"gzip": zlib.MAX_WBITS | 16, b"x-gzip": zlib.MAX_WBITS | 16, b"deflate": zlib.MAX_WBITS}
PLAIN = {b"", b"identity"}


class Plain:
    """A body as it came."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Give the piece."""
        yield piece

    def end(self) -> None:
        """Have no objection to the end."""


class Packed:
    """A body in gzip (also of several members, as ``cat a.gz b.gz`` makes) or deflate."""

    def __init__(self, window: int) -> None:
        """Take what zlib calls the window bits."""
        self._window = window
        self._unpacker = zlib.decompressobj(window)
        self._begun = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Unpack a piece, a step at a time; raises ``MalformedBody`` where it cannot be."""
        if not piece:
            return
        more = True
        while piece or more:
            if self._unpacker.eof:
                self._unpacker = zlib.decompressobj(self._window)
            self._begun = True
            try:
                unpacked = self._unpacker.decompress(piece, STEP)
            except zlib.error as error:
                raise MalformedBody(f"the body cannot be unpacked: {error}") from error
            piece = self._unpacker.unconsumed_tail or self._unpacker.unused_data
            more = len(unpacked) == STEP
            yield unpacked

    def end(self) -> None:
        """Raise ``MalformedBody`` when the body breaks off."""
        if self._begun and not self._unpacker.eof:
            raise MalformedBody("the body breaks off: its end is missing")


def unpacker(encoding: bytes) -> Plain | Packed:
    """Give what unpacks a ``Content-Encoding``; raises ``UnsupportedBody`` for one that is not known."""
    name = encoding.strip().lower()
    if name in PLAIN:
        return Plain()
    if name not in WINDOWS:
        raise UnsupportedBody(f"the body is encoded as {name.decode('latin-1')!r}: gzip, deflate or plain is taken")
    return Packed(WINDOWS[name])


class Collected:
    """A body that is read as a whole: its pieces unpacked and put together, of at most so many bytes before and after."""

    def __init__(self, headers: Mapping[bytes, bytes], most: int) -> None:
        """Look at what the head says; raises ``BodyTooLarge`` or ``UnsupportedBody`` before any of the body is read."""
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > most:
            raise too_large(most)
        self._unpacker = unpacker(headers.get(b"content-encoding", b""))
        self._pieces: list[bytes] = []
        self._left = most
        self._most = most

    def add(self, piece: bytes) -> None:
        """Take the next piece; raises ``BodyTooLarge`` as soon as it is."""
        for plain in self._unpacker.feed(piece):
            self._left -= len(plain)
            if self._left < 0:
                raise too_large(self._most)
            self._pieces.append(plain)

    def body(self) -> bytes:
        """Give the body, when all of it was added."""
        self._unpacker.end()
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


@contextmanager
def in_time() -> Iterator[None]:
    """Turn a time that is over while a body is read into ``SlowBody``."""
    try:
        yield
    except TimeoutError as error:
        raise SlowBody("the body did not arrive in time") from error


def too_large(most: int) -> BodyTooLarge:
    """Say that a body has too many bytes, and what to do."""
    return BodyTooLarge(f"the body is larger than {most:,} bytes: {ELSEWHERE}")
