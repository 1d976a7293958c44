"""The CSV files of a pack: taxonomy, MCC map, merchants, processors and phrases, row by row with their lines."""

import csv
import io
from collections.abc import Iterator
from typing import get_args

import msgspec

from rayapp.packs.faults import Faults, quoted
from rayapp.packs.record import MAX_DESCRIPTOR, Record
from rayapp.packs.source import (
    AliasMatch,
    CaseSource,
    CategoryDirection,
    CategorySource,
    Example,
    FlowDirection,
    MccRange,
    MerchantSource,
    PhraseKind,
    PhraseSource,
    Place,
    ProcessorSource,
    StarUse,
)
from rayapp.scoring.codes import COUNTRIES, CURRENCIES

MERCHANT_WEIGHT = 0.95
MCC_WEIGHT = 0.8


class Columns(msgspec.Struct, frozen=True):
    """The columns of a file: those that must be there and those that may."""

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()


TAXONOMY = Columns(("primary", "detailed", "direction", "merchant"), ("description",))
MCC = Columns(("first", "last", "detailed"), ("weight", "description"))
MERCHANTS = Columns(("id", "name", "category"), ("aliases", "countries", "website", "match", "weight"))
PROCESSORS = Columns(("id", "name", "prefixes"), ("star",))
PHRASES = Columns(("phrase", "kind"), ("channel",))
CASES = Columns(
    ("descriptor",),
    ("amount", "currency", "direction", "mcc", "country", "booked_at", "category", "merchant", "processor", "why"),
)


def rows(document: str, file: str, columns: Columns, faults: Faults) -> Iterator[Record]:
    """Give the rows of a CSV document as records; a fault for a wrong header or a row with too few or too many values."""
    reader = csv.reader(io.StringIO(document, newline=""), strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            faults.error(Place(file, line), f"not CSV: {error}", "a quote inside a quoted value is written twice")
            return
        if header is None:
            header = _header([value.strip() for value in values], Place(file, line), columns, faults)
            if header is None:
                return
        elif len(values) == len(header):
            yield Record(dict(zip(header, values, strict=True)), file, faults, line)
        elif values:
            message = f"{len(values)} values, and the header has {len(header)}"
            faults.error(Place(file, line), message, "a value with a comma needs quotes" if len(values) > len(header) else "")
    if header is None:
        faults.error(Place(file, 1), "empty file", "the first line is " + ",".join((*columns.needed, *columns.optional)))


def _header(names: list[str], place: Place, columns: Columns, faults: Faults) -> list[str] | None:
    """Check the header; ``None`` where the rows below it cannot be understood."""
    known = (*columns.needed, *columns.optional)
    for name in names:
        if name not in known:
            faults.error(place, f"unknown column {quoted(name)}", faults.closest(name, known))
    missing = [name for name in columns.needed if name not in names]
    if missing:
        faults.error(place, "missing column " + ", ".join(missing), "the header is " + ",".join(known))
    repeated = len(set(names)) != len(names)
    if repeated:
        faults.error(place, "a column is named twice")
    return None if missing or repeated else names


def read_category(row: Record) -> CategorySource:
    """Read a row of ``taxonomy.csv``."""
    directions: tuple[CategoryDirection, ...] = get_args(CategoryDirection)
    return CategorySource(
        primary=row.text("primary", needed=True),
        detailed=row.text("detailed", needed=True),
        direction=row.choice("direction", directions),
        merchant=row.choice("merchant", ("yes", "no")) == "yes",
        description=row.text("description"),
        place=row.place,
    )


def read_mcc(row: Record) -> MccRange:
    """Read a row of ``mcc.csv``."""
    first, last = _four_digits(row, "first"), _four_digits(row, "last")
    sound = 0 <= first <= last
    if first > last >= 0:
        row.wrong("first", f"the range {first:04}-{last:04} is reversed")
    return MccRange(
        first=first if sound else -1,
        last=last if sound else -1,
        category=row.text("detailed", needed=True),
        weight=row.number("weight", MCC_WEIGHT),
        description=row.text("description"),
        place=row.place,
    )


def _four_digits(row: Record, name: str) -> int:
    """Read a code, -1 where there is none; leading zeros that a spreadsheet took away are given back."""
    code = row.text(name, needed=True)
    found = row.mcc(code.zfill(4), name) if code else None
    if found and found[0] != found[1]:
        row.wrong(name, "one code, not a range")
    return found[0] if found else -1


def read_merchant(row: Record) -> MerchantSource:
    """Read a row of a merchants file."""
    matches: tuple[AliasMatch, ...] = get_args(AliasMatch)
    countries = tuple(row.text("countries").split())
    for code in countries:
        if code not in COUNTRIES:
            row.wrong("countries", f"unknown code {quoted(code)}", row.faults.code(code, COUNTRIES))
    return MerchantSource(
        id=row.text("id", needed=True),
        name=row.text("name", needed=True),
        category=row.text("category"),
        aliases=parts(row, "aliases"),
        countries=countries,
        website=row.text("website"),
        match=row.choice("match", matches, ""),
        weight=row.number("weight", MERCHANT_WEIGHT),
        place=row.place,
    )


def read_processor(row: Record) -> ProcessorSource:
    """Read a row of ``processors.csv``."""
    stars: tuple[StarUse, ...] = get_args(StarUse)
    prefixes = parts(row, "prefixes")
    if not prefixes:
        row.wrong("prefixes", "is missing")
    return ProcessorSource(
        id=row.text("id", needed=True),
        name=row.text("name", needed=True),
        prefixes=prefixes,
        star=row.choice("star", stars, "optional"),
        place=row.place,
    )


def read_phrase(row: Record) -> PhraseSource:
    """Read a row of ``phrases.csv``."""
    kinds: tuple[PhraseKind, ...] = get_args(PhraseKind)
    return PhraseSource(
        phrase=row.text("phrase", needed=True),
        kind=row.choice("kind", kinds),
        channel=row.text("channel"),
        place=row.place,
    )


def read_case(row: Record) -> CaseSource:
    """Read a row of ``cases.csv``."""
    directions: tuple[FlowDirection, ...] = get_args(FlowDirection)
    mcc = _four_digits(row, "mcc") if row.has("mcc") else None
    if len(row.text("descriptor", needed=True)) > MAX_DESCRIPTOR:
        row.wrong("descriptor", f"has more than {MAX_DESCRIPTOR} characters")
    if not any(map(row.has, ("category", "merchant", "processor"))):
        row.wrong("category", "is missing, and so are merchant and processor", "say what must come out")
    return CaseSource(
        given=Example(
            descriptor=row.text("descriptor"),
            direction=row.choice("direction", directions) if row.has("direction") else None,
            amount=row.amount("amount"),
            currency=row.code("currency", CURRENCIES),
            mcc=mcc,
            country=row.code("country", COUNTRIES),
            booked_at=row.day("booked_at") if row.has("booked_at") else None,
        ),
        category=row.text("category"),
        merchant=row.text("merchant"),
        processor=row.text("processor"),
        why=row.text("why"),
        place=row.place,
    )


def parts(row: Record, name: str) -> tuple[str, ...]:
    """Split a value at its bars; a fault for a part that is empty."""
    if not row.has(name):
        return ()
    found = [part.strip() for part in row.text(name).split("|")]
    if "" in found:
        row.wrong(name, "has an empty part", "one bar between two values, none at the ends")
    return tuple(part for part in found if part)
