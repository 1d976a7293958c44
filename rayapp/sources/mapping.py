"""Which column of a dataset comes from which of a file, and how its values are written there."""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

import msgspec

from rayapp.datasets import ColumnType

UMLAUT = re.compile("([aou])e")

How = Literal["value", "joined", "split", "words", "sign", "split sign", "constant", "row", "digest"]
"""Where a column's values come from.

value: one field. joined: several, with a space between. split: the amount, printed in a debit or a credit field. words: a direction, in
the bank's words. sign: a direction, from the amount's sign. split sign: a direction, from which field the amount stands in. constant: the
same for every row. row: the row's place in the source. digest: a digest of fields and of how many rows before had the same.
"""

Certainty = Literal["given", "exact", "known", "likely"]
"""given: by a mapping file. exact: the header has the dataset's own name. known: another name for it. likely: put together from others."""

Sign = Literal["negative is debit", "positive is debit", "none"]


class ColumnSource(msgspec.Struct, frozen=True):
    """Where one column of the dataset comes from.

    ``fields`` are names of the header, as ``plain`` gives them. ``notation`` is the decimal mark of numbers, ``.`` or ``,``, or the format
    of dates, such as ``DD.MM.YYYY``; empty where values are written as they are loaded: ``1234.56``, ISO 8601.
    """

    column: str
    type: ColumnType
    how: How
    fields: tuple[str, ...] = ()
    notation: str = ""
    constant: str = ""
    sign: Sign = "negative is debit"
    words: tuple[tuple[str, str], ...] = ()
    """Of a direction: the bank's words in lower case, each with ``debit`` or ``credit``."""
    certainty: Certainty = "exact"
    samples: tuple[str, ...] = ()
    """Some values as they are printed."""


class Mapping(msgspec.Struct, frozen=True):
    """All columns that are loaded, the fields that are not, and what only a person can answer before a load."""

    columns: tuple[ColumnSource, ...]
    dropped: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """The fields that are read."""
        return frozenset(field for column in self.columns for field in column.fields)

    def source(self, column: str) -> ColumnSource | None:
        """Say where a column comes from, if it is there."""
        return next((found for found in self.columns if found.column == column), None)


def plain(name: str) -> str:
    """Give a header's name without case, quotes, and odd spaces."""
    return " ".join(unicodedata.normalize("NFC", name).replace("\ufeff", "").strip().strip('"').casefold().split())


@lru_cache(maxsize=4096)
def plainer(name: str) -> str:
    """Give a header's name to be looked up among known ones: without accents, punctuation, and what stands in brackets.

    An e after a, o or u goes as well, with which umlauts are written where there are none.
    """
    bare = unicodedata.normalize("NFKD", plain(name).replace("ß", "ss"))
    kept = "".join(" " if letter in "_-./:;*#'’" else letter for letter in bare if not unicodedata.combining(letter))
    return " ".join(UMLAUT.sub(r"\1", kept.partition("(")[0].partition("[")[0]).split())
