"""A plan in words, for a person who looks before loading."""

from collections.abc import Sequence

from rayapp.sources.mapping import ColumnSource, plain
from rayapp.sources.pieces import Plan, SourceFile

MOST_FILES = 10
WIDEST = 44
NOTATIONS = {",": "1.234,56", ".": "1,234.56"}
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def describe(plan: Plan) -> str:
    """Say of what a plan consists: the files, which field is which column with values as printed, what is dropped and what is unclear."""
    printed = _printed(plan)
    counted = "" if plan.counted else "about "
    pieces = f"{len(plan.pieces):,} piece{'s' if len(plan.pieces) != 1 else ''}"
    lines = [f"{plan.source}: {counted}{plan.rows:,} rows, {plan.bytes:,} bytes, tier {plan.tier} in {pieces}", ""]
    lines += _table(["file", "rows", "read as"], [[file.name, f"{file.rows:,}", written_as(file)] for file in plan.files[:MOST_FILES]])
    if len(plan.files) > MOST_FILES:
        lines.append(f"and {len(plan.files) - MOST_FILES:,} more files")
    lines += ["", *_table(["column", "from", "certainty", "values"], [_row(source, printed) for source in plan.mapping.columns]), ""]
    if plan.mapping.dropped:
        lines.append(f"not loaded: {', '.join(printed.get(field, field) for field in plan.mapping.dropped)}")
    lines += [f"to be answered: {question}" for question in plan.mapping.questions]
    return "\n".join(lines).rstrip() + "\n"


def written_as(file: SourceFile) -> str:
    """Say how a file is written."""
    told: list[str] = [file.format]
    if file.dialect:
        told += [
            NAMES.get(file.dialect.delimiter, repr(file.dialect.delimiter)),
            file.encoding,
            f"rows from line {file.dialect.first_line}",
        ]
    elif file.format == "jsonl":
        told.append(file.encoding)
    if file.packed:
        told.append(file.packed)
    if file.is_copy:
        told.append("unpacked to a copy beside the data, for this machine alone")
    return ", ".join(told)


def origin(source: ColumnSource, printed: dict[str, str]) -> str:
    """Say where a column comes from; ``printed`` are the fields' names as they stand in the file."""
    names = [printed.get(field, field) for field in source.fields]
    fields = " + ".join(names)
    notation = NOTATIONS.get(source.notation, source.notation)
    written = f" as {notation}" if notation else ""
    told = {
        "constant": f"always {source.constant!r}",
        "row": "the row's number",
        "digest": f"digest of {', '.join(names)}, equal rows numbered",
        "split": f"debit {names[0]}, credit {names[-1]}{written}" if names else "",
        "split sign": f"which of {' and '.join(names)} is filled",
        "sign": f"sign of {fields}: {source.sign}",
        "words": f"{fields}, the bank's words for debit and credit",
    }
    return told.get(source.how, f"{fields}{written}")


def _printed(plan: Plan) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in plan.files:
        if file.dialect:
            found = {**dict(zip(file.dialect.fields, file.dialect.printed, strict=True)), **found}
        found = {**{plain(key): key for key in file.keys}, **found}
    return found


def _row(source: ColumnSource, printed: dict[str, str]) -> list[str]:
    return [source.column, origin(source, printed), source.certainty, " | ".join(" ".join(value.split()) for value in source.samples)]


def _table(header: list[str], rows: Sequence[list[str]]) -> list[str]:
    """Set a table in columns; only the last one may be of any width."""
    cells = [header, *rows]
    widths = [max(len(_short(row[place])) for row in cells) for place in range(len(header) - 1)]
    return ["  ".join([*(f"{_short(cell):{width}}" for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in cells]


def _short(cell: str) -> str:
    return cell if len(cell) <= WIDEST else f"{cell[: WIDEST - 1]}…"
