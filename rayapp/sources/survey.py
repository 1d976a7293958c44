"""One file looked through: how it is written, where its rows are, and its digest."""

from typing import NamedTuple, Protocol

import msgspec

from rayapp.datasets import Dataset
from rayapp.errors import InvalidInput
from rayapp.settings import Settings
from rayapp.sources.dialect import Dialect, dialect_of
from rayapp.sources.encoding import CUT_AS_THEY_ARE, guessed, non_ascii_lines
from rayapp.sources.fields import FAULT, LINE, VALUE, cutter_of
from rayapp.sources.formats import STATEMENTS, Format
from rayapp.sources.json_rows import keys_in
from rayapp.sources.locations import Location, opened, remote_errors, stamp_of
from rayapp.sources.mapping import Mapping, plain
from rayapp.sources.options import MappingFile
from rayapp.sources.parquet_rows import fields_of, opened_parquet, stretches_of
from rayapp.sources.pieces import SourceFile
from rayapp.sources.scanning import Scan, Scanner, Stretch
from rayapp.sources.tiers import LARGE_ROWS
from rayapp.sources.unpacking import UTF_8_MARK, Text

HEAD_BYTES = 1 << 20
LARGE_BYTES = 1 << 26


class Written(Protocol):
    """A text of which the format is known, and the encoding or nothing."""

    @property
    def format(self) -> Format:
        """The format."""
        ...

    @property
    def encoding(self) -> str:
        """The encoding, empty where it has to be guessed."""
        ...


class Surveyed(NamedTuple):
    """A file with what a plan is made of; ``fields`` are its columns' plain names."""

    file: SourceFile
    fields: tuple[str, ...]
    digest: str
    stretches: list[Stretch]
    fine: list[Stretch]


class Head(NamedTuple):
    """What the beginning of a text tells: where the rows begin, and how they are written."""

    encoding: str
    dialect: Dialect | None
    keys: tuple[str, ...]
    start: int
    first_line: int


def surveyed(location: Location, text: Text, dataset: Dataset, said: MappingFile, settings: Settings) -> Surveyed:
    """Look through a file; ``text`` is what it reads as."""
    if text.format == "parquet":
        return _parquet(location, text)
    with opened(text.location) as content, remote_errors(location.name):
        head = head_of(content.read(HEAD_BYTES), text, dataset, said)
        scan = Scanner(cutter_of(head.dialect), head.start, head.first_line, settings.tier_large).scan(content)
    encoding = head.encoding or _encoding_of(scan, location)
    file = _file(location, text, scan.rows)
    file = msgspec.structs.replace(file, encoding=encoding, dialect=head.dialect, keys=head.keys)
    return Surveyed(file, fields_in(head), scan.digest, scan.stretches, scan.fine)


def _parquet(location: Location, text: Text) -> Surveyed:
    """Read a Parquet file's end; what is in a store is known by the store's tag, so that it need not be read twice."""
    with opened(text.location) as content, remote_errors(location.name), opened_parquet(content) as parquet:
        fields = tuple(plain(field) for field in fields_of(parquet))
        stretches, fine = stretches_of(parquet), stretches_of(parquet, LARGE_ROWS)
        stamp = stamp_of(text.location)
        digest = f"{stamp.tag} {stamp.bytes}" if text.location.uri and stamp.tag else Scanner.digest_of(content)
    return Surveyed(_file(location, text, sum(stretch.rows for stretch in stretches)), fields, digest, stretches, fine)


def _file(location: Location, text: Text, rows: int) -> SourceFile:
    return SourceFile(
        name=location.name,
        bytes=stamp_of(location).bytes,
        rows=rows,
        format=text.format,
        packed=text.packed,
        text=text.location,
        stamp=stamp_of(text.location),
        is_copy=text.is_copy,
    )


def check_head(text: Text, dataset: Dataset, said: MappingFile) -> None:
    """Refuse a large text that cannot be what it should, before all of it is read."""
    if text.format == "parquet" or stamp_of(text.location).bytes < LARGE_BYTES:
        return
    with opened(text.location) as content:
        head_of(content.read(HEAD_BYTES), text, dataset, said)


def head_of(begin: bytes, text: Written, dataset: Dataset, said: MappingFile) -> Head:
    """Read off the beginning of a text how it is written; the encoding is empty where there is nothing but ASCII."""
    start = len(UTF_8_MARK) if begin.startswith(UTF_8_MARK) else 0
    whole = begin[: begin.rfind(b"\n") + 1] or begin
    encoding = text.encoding or (guessed(lines) if (lines := non_ascii_lines(whole, HEAD_BYTES)) else "")
    if text.format == "csv":
        dialect = dialect_of(begin[start:], dataset, said, encoding or "utf-8")
        return Head(encoding, dialect, (), start + dialect.offset, dialect.first_line)
    if text.format in STATEMENTS:
        return Head("utf-8", None, dataset.names, start, 1)
    return Head(encoding, None, keys_in(begin[start:]), start, 1)


def refuse_doubles(dialect: Dialect | None, mapping: Mapping) -> None:
    """Refuse a CSV in which a name that is read stands twice."""
    if dialect and (twice := sorted(dialect.twice & mapping.fields)):
        raise InvalidInput(f"the column {twice[0]!r} stands twice: a mapping file can name one by its number")


def _encoding_of(scan: Scan, location: Location) -> str:
    if not scan.not_ascii:
        return "utf-8"
    encoding = guessed(scan.not_ascii)
    if encoding not in CUT_AS_THEY_ARE:
        raise InvalidInput(f"{location.name} seems to be in {encoding} from some place on: say so with --encoding or in a mapping file")
    return encoding


def fields_in(head: Head) -> tuple[str, ...]:
    """Give the plain names of a text's fields, each once."""
    if head.dialect:
        return head.dialect.fields
    return tuple(dict.fromkeys(plain(key) for key in head.keys if key not in {LINE, FAULT, VALUE}))
