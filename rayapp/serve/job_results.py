"""Results of a job by keyset page: the rows after a row, from the parts that are complete, as JSON lines or as Parquet."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rayapp.scoring.transaction import Category, Merchant
from rayapp.serve.problems import Place
from rayapp.serve.refusals import NotFound
from rayapp.store.job_results import Part

NDJSON, PARQUET = "application/x-ndjson", "application/vnd.apache.parquet"
MOST_ROWS = 10_000
COPIED = ("score", "confidence", "level", "merchant_score", "semantic_score", "rule_score")


class ResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """A decided row of a job's results: its one-based ``row`` and ``line`` in the source, and what ``/classify`` gives."""

    row: int
    line: int
    id: str
    status: str
    merchant: Merchant
    category: Category | None
    score: float
    confidence: float
    level: str
    merchant_score: float
    semantic_score: float
    rule_score: float
    alias_id: str | None
    rule_ids: tuple[str, ...]
    pack: str


class RejectedResult(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a job's results that could not be decided, with what is wrong with it."""

    row: int
    line: int
    id: str | None
    status: Literal["rejected"]
    errors: tuple[Place, ...]


class Page(NamedTuple):
    """Rows, the last one's number, and whether there are more now."""

    body: bytes
    rows: int
    last: int
    more: bool


def read_page(folder: Path, parts: Sequence[Part], after: int, limit: int, media_type: str) -> Page:
    """Read the first ``limit`` rows after a row; ``parts`` hold them and at least one row more where there is one.

    Raises ``NotFound`` when the files are gone.
    """
    tables = [table_after(folder, part, after) for part in parts]
    table = pa.concat_tables(tables) if tables else pa.table({"row": pa.array([], pa.int64())})
    page = table.slice(0, limit)
    last = page["row"][-1].as_py() if page.num_rows else after
    body = _parquet(page) if media_type == PARQUET else b"".join(lines_of(page))
    return Page(body, page.num_rows, last, table.num_rows > limit)


def table_after(folder: Path, part: Part, row: int) -> pa.Table:
    """Read the rows of a part after a row; raises ``NotFound`` when its file is gone."""
    try:
        table = pq.read_table(folder / part.file)
    except OSError as error:
        raise NotFound("the results of this job are not kept any more") from error
    return table.filter(pc.greater(table["row"], row)) if row else table


def _parquet(table: pa.Table) -> bytes:
    out = pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue().to_pybytes()  # type: ignore[no-any-return]


def lines_of(table: pa.Table) -> Iterable[bytes]:
    """Write rows as JSON, one a line."""
    encode = msgspec.json.Encoder().encode
    return (encode(_row(row)) + b"\n" for row in table.to_pylist())


def _row(row: dict[str, Any]) -> ResultRow | RejectedResult:
    common = {name: row[name] for name in ("row", "line", "id", "status")}
    if row["errors"] is not None:
        return RejectedResult(**common, errors=tuple(Place(**error) for error in row["errors"]))
    return ResultRow(
        merchant=Merchant(row["merchant_name"], row["merchant_id"] or None, row["merchant_website"] or None, row["processor"] or None),
        category=None if row["category_detailed"] is None else Category(row["category_primary"], row["category_detailed"]),
        alias_id=row["alias_id"] or None,
        rule_ids=tuple(row["rule_ids"]),
        pack=row["pack"],
        **common,
        **{name: row[name] for name in COPIED},
    )
