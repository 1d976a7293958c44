"""What a chunk writes to: a table, its key, and the statements that copy into it or merge into it."""

import msgspec
import pyarrow as pa

from rayapp.datasets import Dataset
from rayapp.datasets.declaration import VERSION

DECISIONS = "rayapp.decision"
DECISION_COLUMNS = (
    "status",
    "merchant_name",
    "merchant_id",
    "processor",
    "category_primary",
    "category_detailed",
    "score",
    "confidence",
    "level",
    "merchant_score",
    "semantic_score",
    "rule_score",
    "alias_id",
    "rule_ids",
)


class Target(msgspec.Struct, frozen=True):
    """A table that rows are merged into: of rows with one ``key`` the highest version stays, and rows where ``keeps`` holds stay anyway."""

    table: str
    key: tuple[str, ...]
    keeps: str = "false"
    touches: str = ""
    """What else a replaced row gets."""

    @property
    def name(self) -> str:
        """The table without its schema."""
        return self.table.partition(".")[2]

    @property
    def schema(self) -> str:
        """The table's schema."""
        return self.table.partition(".")[0]

    @property
    def quoted(self) -> str:
        """The table for use in a statement."""
        return f'"{self.schema}"."{self.name}"'

    @property
    def listed_key(self) -> str:
        """The key's columns for use in a statement."""
        return ", ".join(f'"{name}"' for name in self.key)

    @property
    def staging(self) -> str:
        """The temporary table that its rows wait in."""
        return f"staging_{self.name}"

    def create_staging(self, columns: list[str]) -> str:
        """Give the statement that makes the staging table, with the types of the table and without its keys."""
        listed = ", ".join(f'"{name}"' for name in columns)
        return f'CREATE TEMP TABLE "{self.staging}" ON COMMIT DROP AS SELECT {listed} FROM {self.quoted} WITH NO DATA'  # noqa: S608

    def probe(self, rows: pa.Table) -> tuple[str, list[list[object]]]:
        """Give a question and its arguments: whether the table has any of some rows' keys."""
        named = self.listed_key
        types = ", ".join(f"${place}::{_array_of(rows.schema.field(name).type)}" for place, name in enumerate(self.key, 1))
        question = f"SELECT EXISTS (SELECT FROM {self.quoted} JOIN unnest({types}) AS asked ({named}) USING ({named}))"  # noqa: S608 - checked names
        return question, [rows[name].to_pylist() for name in self.key]

    def merge(self, columns: list[str]) -> str:
        """Give the statement that merges the staging table, and answers how many rows are new and how many were replaced.

        The staging table has each key once. All writers go through keys in the same order, so none can wait for another in a ring. A row
        whose version the table has passed changes nothing, so the order in which chunks are committed does not matter.
        """
        key = self.listed_key
        listed = ", ".join(f'"{name}"' for name in columns)
        assigned = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in self.key) + self.touches
        return f"""
            WITH merged AS (
                INSERT INTO {self.quoted} AS stored ({listed})
                SELECT {listed} FROM "{self.staging}" ORDER BY {key}
                ON CONFLICT ({key}) DO UPDATE SET {assigned}
                WHERE excluded."{VERSION}" > stored."{VERSION}" AND NOT ({self.keeps})
                RETURNING stored.xmax = 0 AS is_new -- a row that was never updated or locked has no xmax
            )
            SELECT count(*) FILTER (WHERE is_new)::integer AS inserted, count(*) FILTER (WHERE NOT is_new)::integer AS updated FROM merged
        """  # noqa: S608 - names were checked when the declaration was read


def targets(dataset: Dataset) -> tuple[Target, ...]:
    """Give the tables that a dataset's rows are written to, in the order in which every writer goes through them."""
    own = Target(dataset.table, dataset.key)
    return (own, Target(DECISIONS, ("transaction_id",), "stored.locked", ", decided_at = now()")) if dataset.decides else (own,)


def _array_of(kind: pa.DataType) -> str:
    """Name PostgreSQL's array type of a key column's values."""
    if pa.types.is_integer(kind):
        return "bigint[]"
    if pa.types.is_date32(kind):
        return "date[]"
    if pa.types.is_timestamp(kind):
        return "timestamptz[]"
    return "boolean[]" if pa.types.is_boolean(kind) else "text[]"
