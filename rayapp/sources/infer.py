"""Which field is which column: by the header's names, checked against a sample of the values, and after what a mapping file says."""

from collections.abc import Mapping as ByName
from difflib import get_close_matches

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from rayapp.datasets import Column, Dataset
from rayapp.errors import InvalidInput
from rayapp.sources.dates import dates_in
from rayapp.sources.header_names import bank_names, direction_words, names_of
from rayapp.sources.mapping import Certainty, ColumnSource, How, Mapping, plain, plainer
from rayapp.sources.numbers import ENOUGH, Written, numbers_in
from rayapp.sources.options import Given, MappingFile

SHOWN_SAMPLES = 3
BOOLEAN = r"(?i)^\s*(true|false|yes|no|t|f|y|n|0|1)\s*$"
SHAPES = {"currency": r"^\s*[A-Za-z]{3}\s*$", "country": r"^\s*[A-Za-z]{2}\s*$", "mcc": r"^\s*\d{1,4}\s*$", "boolean": BOOLEAN}

Samples = ByName[str, pa.Array]
"""Some values of each field, as text, in the order of the rows; nulls and blanks may be among them."""


class Inference:
    """One source's mapping in the making."""

    def __init__(self, dataset: Dataset, samples: Samples, said: MappingFile) -> None:
        """Take the fields with a sample of their values."""
        self._dataset = dataset
        self._said = said
        self._samples = {field: _without_blanks(values) for field, values in samples.items()}
        self._fields = tuple(samples)
        self._free = dict.fromkeys(self._fields)
        self._found: dict[str, ColumnSource] = {}
        self._questions: list[str] = []
        self._own_format = all(name in samples for name in (("id", "descriptor") if dataset.decides else dataset.key))

    def mapping(self, *, row_ids: bool) -> Mapping:
        """Map what can be mapped; ``row_ids`` number the rows where the file has no ids, else those are digests.

        Raises ``InvalidInput`` when a needed column is not there, or the mapping file names what is not.
        """
        self._take_what_is_said()
        self._take_by_name()
        if self._dataset.decides:
            self._take_amounts_in_two()
            self._put_payee_first()
            self._take_direction_from_sign()
        self._make_ids(row_ids=row_ids)
        self._refuse_what_is_missing()
        columns = tuple(self._found[name] for name in self._dataset.names if name in self._found)
        return Mapping(columns, tuple(self._free), tuple(dict.fromkeys(self._questions)))

    def _take_what_is_said(self) -> None:
        said = self._said
        for name in (*said.columns, *said.constants):
            if name not in self._dataset.names:
                near = get_close_matches(name, self._dataset.names, n=1)
                hint = f", did you mean {near[0]}?" if near else ""
                raise InvalidInput(f"the mapping file names {name!r}, which is no column of {self._dataset.name}{hint}")
        for name, value in said.constants.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            self._add(ColumnSource(name, self._dataset.column(name).type, "constant", constant=text, certainty="given"))
        for name in said.columns:
            if given := said.given(name):
                self._take_given(self._dataset.column(name), given)

    def _take_given(self, column: Column, given: Given) -> None:
        if given.debit or given.credit:
            self._split((self._existing(given.debit), self._existing(given.credit)), "given")
            return
        fields = tuple(map(self._existing, [given.field] if isinstance(given.field, str) else given.field))
        if len(fields) > 1:
            self._add(ColumnSource(column.name, column.type, "joined", fields, certainty="given"))
        else:
            self._take(column, fields[0], "given")

    def _existing(self, field: str) -> str:
        """Give the plain name of a field that the mapping file names; a number counts the columns from one."""
        if plain(field) in self._samples:
            return plain(field)
        if field.isdecimal() and 1 <= int(field) <= len(self._fields):
            return self._fields[int(field) - 1]
        raise InvalidInput(f"the mapping file names the field {field!r}; the source has {', '.join(self._fields) or 'none'}")

    def _take_by_name(self) -> None:
        """Take fields by their names, the likeliest name of all columns first."""
        wanted = [column for column in self._dataset.columns if self._said.columns.get(column.name) is not False]
        by_name = {column.name: names_of(self._dataset, column.name) for column in wanted}
        fields = {field: plainer(field) for field in self._fields}
        for rank in range(max(map(len, by_name.values()), default=0)):
            for column in wanted:
                if column.name in self._found or rank >= len(by_name[column.name]):
                    continue
                for field in [field for field in self._free if fields[field] == by_name[column.name][rank]]:
                    if column.name not in self._found:
                        self._take(column, field, "exact" if rank == 0 else "known")

    def _take(self, column: Column, field: str, certainty: Certainty) -> None:
        """Take a field if its values are of the column's kind; under the column's own name, whatever they are."""
        written = self._written(column, field, certainty)
        if written is None and certainty == "known":
            return
        words = self._words(field) if self._is_direction(column) else ()
        how: How = "words" if words else "value"
        notation = written.notation if written else ""
        if written and written.question:
            self._questions.append(f"{column.name}: {written.question}")
        self._add(ColumnSource(column.name, column.type, how, (field,), notation, words=words, certainty=certainty))

    def _written(self, column: Column, field: str, certainty: Certainty) -> Written | None:
        """Say how a field's values are written, if they are of the column's kind."""
        values = self._samples[field]
        given = self._said.given(column.name)
        if column.type in {"decimal", "integer"}:
            mark = (given.decimal if given else None) or self._said.decimal
            found = self._number(values, mark, own=self._own_format and certainty == "exact")
            return _whole(values) if column.type == "integer" and found and found.question else found
        if column.type in {"date", "instant"}:
            form = (given.dates if given else None) or self._said.dates
            return Written(form) if form else dates_in(values)
        if self._is_direction(column):
            return Written("") if not len(values) or self._are_words(values) else None
        shape = SHAPES.get(column.type) or SHAPES.get(column.name)
        if shape and len(values) and pc.match_substring_regex(values, shape).true_count < ENOUGH * len(values):
            return None
        return Written("")

    @staticmethod
    def _number(values: pa.Array, mark: str | None, *, own: bool) -> Written | None:
        found = numbers_in(values)
        if mark is not None:
            return Written("" if mark == "." and found == Written("") else mark)
        return Written("") if own and found and found.notation == "" else found

    def _is_direction(self, column: Column) -> bool:
        return self._dataset.decides and column.name == "direction"

    def _all_words(self) -> dict[str, str]:
        said = self._said.directions
        own = {plainer(word) or word: direction for direction in ("debit", "credit") for word in getattr(said, direction)}
        return {**direction_words(), **own}

    def _are_words(self, values: pa.Array) -> bool:
        known = self._all_words()
        return all(plainer(word) in known or word.strip() in known for word in pc.unique(values).to_pylist())

    def _words(self, field: str) -> tuple[tuple[str, str], ...]:
        """Give the words of a direction, none where its values are ours already."""
        own = {"debit", "credit"}
        if all(word.strip().lower() in own for word in pc.unique(self._samples[field]).to_pylist()) and not self._said.directions.debit:
            return ()
        return tuple(sorted(self._all_words().items()))

    def _take_amounts_in_two(self) -> None:
        if "amount" in self._found or self._said.columns.get("amount") is False:
            return
        pair = tuple(self._first_numbers(name) for name in ("debit", "credit"))
        if pair[0] and pair[1]:
            self._split((pair[0], pair[1]), "likely")

    def _first_numbers(self, name: str) -> str | None:
        fields = {plainer(field): field for field in reversed(tuple(self._free))}
        found = (fields[known] for known in bank_names(self._dataset, name) if known in fields)
        return next((field for field in found if numbers_in(self._samples[field])), None)

    def _split(self, fields: tuple[str, ...], certainty: Certainty) -> None:
        values = pa.concat_arrays([self._samples[field] for field in fields])
        written = self._number(values, self._said.decimal, own=False) or Written("")
        if written.question:
            self._questions.append(f"amount: {written.question}")
        self._add(ColumnSource("amount", "decimal", "split", fields, written.notation or ".", certainty=certainty))
        if "direction" not in self._found:
            self._add(ColumnSource("direction", "text", "split sign", fields, written.notation or ".", certainty=certainty))

    def _put_payee_first(self) -> None:
        """Have the payee's name stand before the text of the booking, as it tells most, where they are in two fields."""
        source = self._found.get("descriptor")
        if source is None or source.certainty != "known" or plainer(source.fields[0]) in bank_names(self._dataset, "payee"):
            return
        fields = {plainer(field): field for field in reversed(tuple(self._free))}
        payee = next((fields[name] for name in bank_names(self._dataset, "payee") if name in fields), None)
        if payee is not None and len(self._samples[payee]):
            self._add(ColumnSource("descriptor", "text", "joined", (payee, *source.fields), certainty="likely"))

    def _take_direction_from_sign(self) -> None:
        """Read the direction off the sign where a sample of a bank's amounts has both; in our own format it is read off by the engine."""
        amount = self._found.get("amount")
        said = self._said
        if amount is None or amount.how != "value" or "direction" in self._found:
            return
        if said.sign == "none" or said.columns.get("direction") is False:
            return
        values = self._samples[amount.fields[0]]
        negative = pc.match_substring_regex(values, r"[-−(]").true_count
        both = not self._own_format and 0 < negative < len(values)
        if said.sign or both:
            sign = said.sign or "negative is debit"
            certainty: Certainty = "given" if said.sign else "likely"
            self._add(ColumnSource("direction", "text", "sign", amount.fields, amount.notation, sign=sign, certainty=certainty))

    def _make_ids(self, *, row_ids: bool) -> None:
        if self._dataset.key != ("id",) or "id" in self._found:
            return
        said = self._said.id
        if said == "row" or (row_ids and not said):
            self._add(ColumnSource("id", "text", "row", certainty="given" if said else "likely"))
        elif said:
            fields = tuple(self._existing(field) for field in ([said] if isinstance(said, str) else said))
            self._add(ColumnSource("id", "text", "digest", fields, certainty="given"))
        elif used := tuple(field for field in self._fields if any(field in source.fields for source in self._found.values())):
            self._add(ColumnSource("id", "text", "digest", used, certainty="likely"))

    def _refuse_what_is_missing(self) -> None:
        missing = [column.name for column in self._dataset.columns if column.needed and column.name not in self._found]
        if self._dataset.key == ("id",) and missing != ["id"]:
            missing = [name for name in missing if name != "id"]
        if missing:
            has = f"the source has {', '.join(self._fields)}" if self._fields else "the source has no columns"
            raise InvalidInput(f"the column {missing[0]!r} is missing; {has}. A mapping file can say which one it is")

    def _add(self, source: ColumnSource) -> None:
        samples = [self._samples[field].slice(0, SHOWN_SAMPLES).to_pylist() for field in source.fields]
        shown: tuple[str, ...] = tuple(samples[0]) if samples else ()
        if source.how == "joined":
            shown = tuple(" ".join(values) for values in zip(*samples, strict=False))
        self._found[source.column] = msgspec.structs.replace(source, samples=shown)
        for field in source.fields:
            self._free.pop(field, None)


def _whole(values: pa.Array) -> Written:
    """Take a mark in whole numbers for one of thousands, whatever else it could be."""
    return Written("." if pc.match_substring(values, ",").true_count else ",")


def _without_blanks(values: pa.Array) -> pa.Array:
    values = values.cast(pa.string()) if not pa.types.is_string(values.type) else values
    return values.filter(pc.fill_null(pc.match_substring_regex(values, r"\S"), fill_value=False))
