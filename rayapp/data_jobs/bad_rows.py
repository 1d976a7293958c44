"""Bad rows: how many a load may have, and the file that they are written to."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import msgspec

from rayapp.errors import InvalidInput
from rayapp.store.ledger import Rejected

COLUMNS = ("file", "line", "column", "value", "reason")


class Limit(msgspec.Struct, frozen=True):
    """How many bad rows a load may have: a number of rows, or a share of them in 0..1, or any."""

    rows: int | None = None
    share: float | None = None

    @classmethod
    def read(cls, text: str | None) -> "Limit":
        """Read ``--max-bad``: ``100`` rows, ``1%`` of them; nothing is no limit. Raises ``InvalidInput``."""
        if text is None:
            return cls()
        share = text.endswith("%")
        try:
            number = float(text.removesuffix("%")) if share else int(text)
        except ValueError:
            number = -1
        if not 0 <= number <= (100 if share else 10**12):
            raise InvalidInput(f"--max-bad {text!r} is neither a number of rows, such as 100, nor a share of them, such as 1%")
        return cls(share=number / 100) if share else cls(rows=int(number))

    def most(self, rows: int) -> int | None:
        """Give the most bad rows of a source of so many rows; ``None`` for any."""
        return self.rows if self.share is None else int(self.share * rows)


def bad_rows(rejected: Sequence[Rejected]) -> int:
    """Count the rows that some bad values are from."""
    return len({(bad.file, bad.line) for bad in rejected})


def too_many_bad(bad: int, rows: int, most: int) -> InvalidInput:
    """Say that a load was stopped."""
    return InvalidInput(f"{bad:,} bad rows among {rows:,}, and no more than {most:,} may be: mend the source, or raise --max-bad to go on")


@contextmanager
def _rows_to(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror}") from error


def write_rejects(path: Path, rejected: list[Rejected]) -> None:
    """Write bad values with their places: JSON lines where the name ends in ``.jsonl``, else CSV."""
    with _rows_to(path) as file:
        if path.suffix in {".jsonl", ".ndjson"}:
            for bad in rejected:
                file.write(msgspec.json.encode({name: getattr(bad, name) for name in COLUMNS}).decode() + "\n")
            return
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerows([getattr(bad, name) for name in COLUMNS] for bad in rejected)
