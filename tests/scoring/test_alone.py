"""A row that comes alone: the answer that it gets in a table, whatever came before it in the same room, however long it is."""

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from rayapp import Transaction
from rayapp.errors import InvalidSetup
from rayapp.scoring.alone import MOST_TURNS
from rayapp.scoring.columns import table_of
from rayapp.scoring.handed import Handed, layout_of, taken
from rayapp.serve.decisions import decisions_of

WORDS = ["SQ *", "BLUE BOTTLE", "STARBUCKS", "#1234", "PAYROLL", "FEE", "OAKLAND CA", "ZZZZ", "UBER   *EATS", "QUOZZLE", "METRO", "H&M", "é+", "OF"]
LONG = ["&" * 512, "*" * 512, "é" * 512, "漢" * 512, "😀" * 512, "A+" * 256, "A1 " * 170, "INDN:" * 100, "X" * 512, ("\u00bd" * 511) + "A"]


def transactions(count, seed):
    random = Random(seed)
    texts = LONG + [" ".join(random.choices(WORDS, k=random.randint(1, 6))) + str(random.randint(0, 999)) for _ in range(count)]
    random.shuffle(texts)
    amounts = [None, "3.00", "57.5", -4000, "3.99"]
    return [
        Transaction(id=str(place), descriptor=text, amount=random.choice(amounts), currency="CAD", mcc=random.choice([None, "5814"]))
        for place, text in enumerate(texts)
    ]


def in_a_table(classifier, given):
    return decisions_of(classifier.classify(table_of(given)), classifier.pack)


@pytest.mark.parametrize("pack", ["default", "cards", "small"])
def test_rows_alone_get_the_answers_of_a_table(request, pack):
    classifier = request.getfixturevalue(pack)
    given = transactions(400, 1)
    assert [classifier.classify_one(one) for one in given] == in_a_table(classifier, given)


def test_the_scratch_of_patterns_is_filled_anew_before_its_numbers_end(default):
    given = transactions(40, 2)
    default.classify_one(given[0])
    turns = default._alone._place.room._values.turn
    turns[0] = MOST_TURNS - 20
    assert [default.classify_one(one) for one in given] == in_a_table(default, given)
    assert 0 < turns[0] < len(given)


def test_each_thread_has_a_room_of_its_own(default):
    given = transactions(300, 3)
    wanted = in_a_table(default, given)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(default.classify_one, given * 4)) == wanted * 4


class Inner(NamedTuple):
    names: NDArray[np.uint8]
    table: NDArray[np.int32]


class Outer(NamedTuple):
    first: Inner
    number: int
    weights: NDArray[np.float64]


LAYOUT = layout_of(Outer, {Inner: {"table"}})


@njit(_nrt=False)
def read(at, row, column):
    outer = taken(at, LAYOUT)
    return outer.first.names[0] + outer.number + outer.first.table[row, column] + outer.weights[outer.weights.size - 1] + outer.first.table.shape[0]


def outer(table_kind=np.int32):
    return Outer(Inner(np.array([7, 8], np.uint8), np.arange(6, dtype=table_kind).reshape(3, 2)), 100, np.array([0.25, 0.5]))


def test_a_kernel_reads_what_it_is_handed():
    handed = Handed(outer(), LAYOUT)
    assert read(handed.at, 2, 1) == 7 + 100 + 5 + 0.5 + 3


@pytest.mark.parametrize("wrong", [outer(np.int64), outer()._replace(number=1.5), outer()._replace(weights=np.zeros((2, 2)))])
def test_what_a_kernel_would_misread_is_not_handed_over(wrong):
    with pytest.raises(InvalidSetup, match="laid out"):
        Handed(wrong, LAYOUT)
