"""What stands beside a core is a feature of its own: the same whatever the numbering of payment companies and the batch."""

import numpy as np
import pytest

from rayapp import load_pack
from rayapp.packs.files import SHIPPED
from rayapp.scoring.engine import Engine
from rayapp.scoring.marks import _PROCESSOR, MARKS, mark_rows, mark_table
from rayapp.scoring.semantic import features

BUCKETS = 1 << 16
NAMES = ["Square", "PayPal"]


def marks(core, clean_length=10, processor=-1, store=-1, phone=-1):
    out = np.empty((1, MARKS), np.int32)
    data = np.frombuffer(core.encode(), np.uint8)
    spans = [np.array([[place, place]], np.int32) for place in (store, phone)]
    clean, ends = np.array([0, clean_length], np.int64), np.array([0, data.size], np.int64)
    mark_rows(np.zeros(1, np.int32), np.array([processor], np.int16), *spans, clean, data, ends, mark_table(NAMES, BUCKETS), out)
    return out[0].tolist()


@pytest.mark.parametrize(
    ("change", "place"), [({"processor": 1}, 0), ({"store": 3}, 1), ({"phone": 4}, 2), ({"core": "BLUE BOTTLE"}, 3), ({"clean_length": 22}, 4)]
)
def test_each_kind_of_mark_changes_its_own_bucket_and_no_other(change, place):
    plain, other = marks("BLUE"), marks(**{"core": "BLUE", **change})
    assert [a != b for a, b in zip(plain, other, strict=True)] == [number == place for number in range(MARKS)]


def test_a_payment_company_keeps_its_mark_when_others_are_added_before_it():
    assert mark_table(NAMES, BUCKETS)[-1] == mark_table(["Zettle", *NAMES], BUCKETS)[-1]
    assert len(set(mark_table(NAMES, BUCKETS).tolist())) == _PROCESSOR + 1 + len(NAMES)


def test_beyond_what_banks_print_neither_length_nor_words_say_more():
    assert marks("A B C D E F", 25) == marks("A B C D E F G H", 200)


def test_marks_are_features_beside_those_of_the_core_but_an_empty_core_has_none():
    plain, _ = features([b"BLUE"], BUCKETS)
    marked, _ = features([b"BLUE"], BUCKETS, np.array([[5, -1, 7]], np.int32))
    assert sorted(marked) == sorted([*plain, 5, 7])
    assert features([b""], BUCKETS, np.array([[5, 6]], np.int32))[0].size == 0


def test_marks_are_read_only_where_the_lines_are_those_of_the_book():
    engines = {name: Engine(load_pack(name)) for name in SHIPPED}
    data, rows = np.frombuffer(b"SQ *BLUE ROOF 0123", np.uint8).copy(), np.zeros(1, np.int32)
    found = {name: engine.marks(engine.view(data, np.array([0, data.size], np.int64)), rows) for name, engine in engines.items()}
    assert found["default"] is None
    assert found["purchase-cards"].shape == (1, MARKS)
