"""Which encoding a text is in, from its bytes: marks and NULs first, then UTF-8, then the likeliest of the old code pages."""

import codecs
import re

import numpy as np

from rayapp.errors import InvalidInput

PAIRS = 64
SAMPLE_BYTES = 1 << 16
"""Bytes of non-ASCII lines that are looked at."""

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

CUT_AS_THEY_ARE = frozenset(
    {"utf-8", "utf-8-sig", "ascii", "iso8859-1", "iso8859-15", "koi8-r", "koi8-u", "mac-roman", "cp437", "cp850", "cp852", "cp874"}
    | {f"cp125{page}" for page in range(9)}
    | {f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 16)}
)
"""Encodings whose bytes below 128 are ASCII and nothing else, so that a text can be cut before it is decoded."""

CANDIDATES = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874", "cp437", "koi8_r"]
WIDE = ["shift_jis", "gb18030", "big5", "euc_kr"]

ASCII = 127
ESCAPED = (0xDC80, 0xDCFF)
"""What Python makes of bytes that are no UTF-8."""

LONGEST_LINE = 1000
EURO_SIGN, WINDOWS_ONLY = re.compile(rb"\xa4"), re.compile(rb"[\x80-\x9f]")

WESTERN = re.compile(r"[\x00-\x7fÀ-ÏÑ-ÖØ-ÜßŒœŠšŽžŸà-ïñ-öø-üÿ€£§°ªº«»¡¿’‘“”„–—…·´¨¤\xa0®©™ªº½¼¾]*")
"""What Western European text in cp1252 is made of: no letters of Iceland alone, which stand for Turkish ones in cp1254, and few signs."""


def known(encoding: str) -> str:
    """Give Python's own name of an encoding; raises ``InvalidInput`` on one that it does not know."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise InvalidInput(f"no encoding is called {encoding!r}") from None


def marked(begin: bytes) -> str | None:
    """Give the encoding that the first bytes of a text tell: a mark, or the NULs of UTF-16 without one."""
    for mark, name in MARKS:
        if begin.startswith(mark):
            return name
    pairs = begin[:PAIRS]
    if pairs[1::2].count(0) > len(pairs) // 4 and not pairs[::2].count(0):
        return "utf-16-le"
    if pairs[::2].count(0) > len(pairs) // 4 and not pairs[1::2].count(0):
        return "utf-16-be"
    return None


def guessed(lines: bytes) -> str:
    """Give the likeliest encoding of lines that are not ASCII alone; UTF-8 where at least half of what is not ASCII is valid."""
    letters = np.frombuffer(lines.decode("utf-8", "surrogateescape").encode("utf-32-le", "surrogatepass"), np.uint32)
    broken = np.count_nonzero((letters >= ESCAPED[0]) & (letters <= ESCAPED[1]))
    if 2 * broken <= np.count_nonzero(letters > ASCII):
        return "utf-8"
    if _western(lines.decode("cp1252", "replace")):
        return "iso8859-15" if EURO_SIGN.search(lines) and not WINDOWS_ONLY.search(lines) else "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(lines, cp_isolation=CANDIDATES + WIDE).best()
    return known(best.encoding) if best else "cp1252"


def _western(text: str) -> bool:
    """Say whether a text reads as Western European: the right letters, and at most a third of them with an accent."""
    letters = sum(letter.isalpha() for letter in text)
    return bool(WESTERN.fullmatch(text)) and 3 * sum(letter > "\x7f" and letter.isalpha() for letter in text) <= letters


def non_ascii_lines(part: bytes, most: int) -> bytes:
    """Give lines of a part that hold anything but ASCII, of about ``most`` bytes together."""
    if part.isascii() or most <= 0:
        return b""
    places = np.flatnonzero(np.frombuffer(part, np.uint8) > ASCII)
    found: list[bytes] = []
    size = end = 0
    while size < most and (next_place := int(np.searchsorted(places, end))) < len(places):
        place = int(places[next_place])
        begin = max(part.rfind(b"\n", 0, place) + 1, place - LONGEST_LINE)
        end = part.find(b"\n", place, place + LONGEST_LINE) + 1 or min(place + LONGEST_LINE, len(part))
        found.append(part[begin:end])
        size += end - begin
    return b"".join(found)


def recoded(content: bytes, encoding: str) -> bytes:
    """Give a text in UTF-8. Bytes that mean nothing in the encoding stay as they are: no UTF-8, so that their rows are named."""
    if encoding in {"utf-8", "utf-8-sig", "ascii"} or content.isascii():
        return content
    return content.decode(encoding, "surrogateescape").encode("utf-8", "surrogateescape")
