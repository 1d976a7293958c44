"""What the columns of a dataset are called in files: its own names, those that it declares, and what banks print."""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from rayapp.datasets import Dataset
from rayapp.sources.mapping import plain, plainer


class _Known(msgspec.Struct, frozen=True):
    transactions: dict[str, tuple[str, ...]]
    words: dict[str, tuple[str, ...]]


@cache
def _known() -> _Known:
    text = files("rayapp.sources").joinpath("header_names.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Known)


def bank_names(dataset: Dataset, column: str) -> tuple[str, ...]:
    """Give what banks call a column, likeliest first, as ``plainer`` gives it; also ``debit``, ``credit`` and ``payee``."""
    return tuple(map(plainer, _known().transactions.get(column, ()))) if dataset.decides else ()


def names_of(dataset: Dataset, column: str) -> tuple[str, ...]:
    """Give all names of a column, its own first; to be compared with ``plainer``."""
    declared = next((found.names for found in dataset.columns if found.name == column), ())
    return tuple(dict.fromkeys(plainer(name) for name in (column, *declared, *bank_names(dataset, column))))


def direction_words() -> dict[str, str]:
    """Give ``debit`` or ``credit`` for the words that banks use."""
    return {plainer(word) or word: direction for direction, words in _known().words.items() for word in words}


@cache
def _all_names(dataset: Dataset) -> frozenset[str]:
    columns = (*dataset.names, *(("debit", "credit", "payee") if dataset.decides else ()))
    return frozenset(name for column in columns for name in names_of(dataset, column))


def known_in(dataset: Dataset, names: list[str]) -> int:
    """Count the different known names among the cells of a line, to tell a header."""
    known = _all_names(dataset)
    return len({plain(name) for name in names if plainer(name) in known})
