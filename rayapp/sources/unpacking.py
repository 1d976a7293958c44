"""A file as a text that can be read at any place: itself where it is one, else an unpacked copy beside the data."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from rayapp.datasets import Dataset
from rayapp.errors import InvalidInput
from rayapp.settings import Settings
from rayapp.sources.encoding import CUT_AS_THEY_ARE, known, marked
from rayapp.sources.formats import LOOKED_AT, STATEMENTS, Format, format_of
from rayapp.sources.locations import Location, opened
from rayapp.sources.options import MappingFile
from rayapp.sources.stream import BLOCK_BYTES, Stream

UTF_8_MARK = b"\xef\xbb\xbf"


class Text(NamedTuple):
    """Where the text is and what it is; ``encoding`` is empty where it has to be guessed. ``packed`` is gz, zst or nothing."""

    location: Location
    format: Format
    packed: str
    encoding: str
    is_copy: bool


class Opened(NamedTuple):
    """A stream without packing, and in UTF-8 where its encoding cannot be cut as it is."""

    stream: Stream
    format: Format
    packed: str
    encoding: str
    recoded: bool


def opened_stream(source: Stream, said: MappingFile) -> Opened:
    """Unpack and tell apart a stream; raises ``InvalidInput`` when it is empty or in no format that can be read."""
    packed = source.packing()
    plain = source.unpacked()
    begin = plain.ahead(_shows_format)[:LOOKED_AT]
    if not begin:
        raise InvalidInput("it is empty")
    encoding = known(said.encoding) if said.encoding else marked(begin) or ""
    recoded = bool(encoding) and encoding not in CUT_AS_THEY_ARE
    if recoded:
        plain = plain.in_utf_8(encoding)
        encoding = "utf-8"
    if plain.peek(len(UTF_8_MARK)) == UTF_8_MARK:
        plain.read(len(UTF_8_MARK))
    return Opened(plain, format_of(plain.ahead(_shows_format)[:LOOKED_AT]), packed, encoding, recoded)


def _shows_format(begin: bytes) -> bool:
    return len(begin) >= LOOKED_AT or (b"\n" in begin and b"<" not in begin[:8])


def unpacked(location: Location, dataset: Dataset, said: MappingFile, settings: Settings, stack: ExitStack) -> Text:
    """Give a text that lies where it can be read at any place for as long as the ``stack`` is open."""
    with opened(location) as file:
        try:
            source = opened_stream(Stream.of(file), said)
        except InvalidInput as error:
            raise InvalidInput(f"cannot read {location.name}: {error}") from error
        if source.format in STATEMENTS:
            from rayapp.sources.statements import as_json_lines

            copy = _spooled(as_json_lines(source.stream, source.format, dataset), settings, stack)
            return Text(copy, source.format, source.packed, "utf-8", is_copy=True)
        if not source.packed and not source.recoded:
            return Text(location, source.format, "", source.encoding, is_copy=False)
        copy = _spooled(source.stream, settings, stack)
        return Text(copy, source.format, source.packed, source.encoding, is_copy=True)


def _spooled(source: Stream, settings: Settings, stack: ExitStack) -> Location:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    copy = stack.enter_context(tempfile.NamedTemporaryFile(dir=settings.data_dir, prefix="unpacked-"))  # noqa: SIM115 - the stack closes it
    while part := source.read(BLOCK_BYTES):
        copy.write(part)
    copy.flush()
    return Location(copy.name, str(Path(copy.name).absolute()))
