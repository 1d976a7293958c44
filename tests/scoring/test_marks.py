"""What stands beside a core is a feature of its own: the same whatever the numbering of payment companies and the batch."""

import numpy as np
import pytest

from rayapp import load_pack
from rayapp.scoring.engine import Engine
from rayapp.scoring.evidence import NO_DATE, Inputs
from rayapp.scoring.geography import currency_number
from rayapp.scoring.marks import _PROCESSOR, MARKS, MOST_ASIDE, PRINTED, TOLD, mark_rows, mark_table
from rayapp.scoring.ngrams import features
from rayapp.scoring.pack import CompiledPack

NAMES = ["Square", "PayPal"]


def every_mark(core, clean, processor=-1, store=-1, phone=-1):
    out = np.empty((1, MARKS), np.int32)
    data, view = np.frombuffer(core.encode(), np.uint8), np.frombuffer(clean.encode(), np.uint8)
    spans = [np.array([[place, place]], np.int32) for place in (store, phone)]
    texts = view, np.array([0, view.size], np.int64), data, np.array([0, data.size], np.int64)
    mark_rows(np.zeros(1, np.int32), np.array([processor], np.int16), *spans, *texts, mark_table(NAMES), out)
    return out[0].tolist()


def marks(core, clean_length=10, **beside):
    return every_mark(core, "X" * clean_length, **beside)[:PRINTED]


def aside(core, clean):
    """Give the marks of the words outside the core, and of the signs."""
    found = every_mark(core, clean)[TOLD:]
    return [mark for mark in found[:MOST_ASIDE] if mark >= 0], [place for place, mark in enumerate(found[MOST_ASIDE:]) if mark >= 0]


@pytest.mark.parametrize(
    ("change", "place"), [({"processor": 1}, 0), ({"store": 3}, 1), ({"phone": 4}, 2), ({"core": "BLUE BOTTLE"}, 3), ({"clean_length": 22}, 4)]
)
def test_each_kind_of_mark_changes_its_own_bucket_and_no_other(change, place):
    plain, other = marks("BLUE"), marks(**{"core": "BLUE", **change})
    assert [a != b for a, b in zip(plain, other, strict=True)] == [number == place for number in range(PRINTED)]


def test_a_payment_company_keeps_its_mark_when_others_are_added_before_it():
    assert mark_table(NAMES)[-1] == mark_table(["Zettle", *NAMES])[-1]
    assert len(set(mark_table(NAMES).tolist())) == _PROCESSOR + 1 + len(NAMES)


def test_beyond_what_banks_print_neither_length_nor_words_say_more():
    assert marks("A B C D E F", 25) == marks("A B C D E F G H", 200)


def test_marks_are_features_beside_those_of_the_core_but_an_empty_core_has_none():
    plain, _ = features([b"BLUE"])
    marked, _ = features([b"BLUE"], np.array([[5, -1, 7]], np.int32))
    assert sorted(marked) == sorted([*plain, 5, 7])
    assert features([b""], np.array([[5, 6]], np.int32))[0].size == 0


@pytest.mark.parametrize(
    ("core", "clean", "words", "signs"),
    [
        ("BLUE ROOF", "BLUE ROOF", 0, []),
        ("BLUE ROOF", "BLUE ROOF INC", 1, []),
        ("BLUE ROOF", "SQ *BLUE ROOF #0123", 2, [0, 1]),
        ("MCDONALDS", "MCDONALD'S", 0, [3]),
        ("A AND W", "A&W", 0, [2]),
        ("", "1 2 33 444 55 6666 77777", 6, []),
        ("", "", 0, []),
        ("", "'", 0, [3]),
        ("CAFÉ", "CAFÉ - PARIS/FR.", 2, [4, 5, 6]),
    ],
)
def test_words_that_the_core_leaves_aside_and_signs_are_marks(core, clean, words, signs):
    assert (len(aside(core, clean)[0]), aside(core, clean)[1]) == (words, signs)


def test_of_numbers_left_aside_only_the_length_is_told():
    assert aside("BLUE", "BLUE 0123") == aside("BLUE", "BLUE 9876")
    assert aside("BLUE", "BLUE 0123") != aside("BLUE", "BLUE 01234")


def told(name, descriptor="SQ *BLUE ROOF 0123", amount=12.5, currency="CAD", mcc=-1):
    """Give what the model of a shipped pack is told of one line beside its core."""
    pack = load_pack(name)
    engine = Engine(pack)
    plain = Engine(CompiledPack(pack.manifest, {key: value for key, value in pack.arrays.items() if "semantic/" not in key}, pack.strings))
    data, rows = np.frombuffer(descriptor.encode(), np.uint8).copy(), np.zeros(1, np.int32)
    number, codes = currency_number(currency) if currency else -1, (np.array([mcc], np.int16), np.array([-1], np.int16))
    inputs = Inputs(rows, np.array([amount]), np.array([number], np.int16), np.zeros(1, np.int8), *codes, np.array([NO_DATE], np.int32))
    views = engine.view(data, np.array([0, data.size], np.int64))
    found = engine.marks(views, inputs, rows, plain.judge(views, inputs)[0])
    return None if found is None else found[0].tolist()


def test_marks_are_read_only_where_the_lines_are_those_of_the_book():
    assert told("default") is None
    assert len(told("purchase-cards")) == MARKS


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"amount": 12.75}, [6]),
        ({"amount": 125.5}, [5]),
        ({"amount": 125.0}, [5, 6]),
        ({"amount": 9.25, "currency": "USD"}, [6]),
        ({"amount": 1250.0, "currency": "JPY"}, [6]),
        ({"amount": float("nan")}, [5, 6]),
        ({"amount": 0.0}, [5, 6]),
        ({"currency": None}, [5, 6]),
        ({"currency": "XTS"}, [5, 6]),
        ({"mcc": 5411}, []),
    ],
)
def test_an_amount_is_told_by_its_rough_worth_and_the_kind_of_its_hundredths(change, places):
    pairs = zip(told("purchase-cards"), told("purchase-cards", **change), strict=True)
    assert [place for place, (one, other) in enumerate(pairs) if one != other] == places


def test_what_rules_and_brands_say_is_told_but_not_what_an_mcc_or_the_book_says():
    assert told("purchase-cards", "ZZQX VRRB")[TOLD - 2 : TOLD] == [-1, -1]
    assert -1 not in told("purchase-cards", "ZZQX PIZZERIA")[:TOLD]
    assert told("purchase-cards", "ZZQX VRRB", mcc=5411)[TOLD - 2 : TOLD] == [-1, -1]
