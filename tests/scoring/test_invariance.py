"""The same answer for one row and for many, in any order, in any chunks, on any thread."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rayapp import Transaction
from rayapp.scoring import classifier as flow

WORDS = ["SQ *", "BLUE BOTTLE", "STARBUCKS", "WAL-MART", "#1234", "PAYROLL", "FEE", "OAKLAND CA", "01/02", "é&+", "ZZZZ", "UBER   *EATS", "FEES", "x"]
descriptors = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join),
    st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip()) and text.isprintable()),
)
rows = st.fixed_dictionaries(
    {
        "descriptor": descriptors,
        "amount": st.one_of(st.none(), st.floats(-1e6, 1e6)),
        "mcc": st.one_of(st.none(), st.sampled_from(["5814", "5411", "0001"])),
        "country": st.one_of(st.none(), st.sampled_from(["US", "CA", "GB"])),
        "direction": st.one_of(st.none(), st.sampled_from(["debit", "credit"])),
    }
)


def table_of(items):
    columns = {name: [item[name] for item in items] for name in ("descriptor", "amount", "mcc", "country", "direction")}
    table = pa.table({name: pa.array(values, pa.float64() if name == "amount" else pa.string()) for name, values in columns.items()})
    return table.add_column(0, "id", pa.array([str(place) for place in range(len(items))]))


@settings(max_examples=60)
@given(items=st.lists(rows, min_size=1, max_size=30), seed=st.integers(0, 2**32 - 1))
def test_order_and_company_change_nothing(default, items, seed):
    table = table_of(items)
    whole = default.classify(table)
    order = np.random.default_rng(seed).permutation(len(items))
    assert default.classify(table.take(pa.array(order))).equals(whole.take(pa.array(order)).unify_dictionaries())
    alone = [default.classify(table.slice(place, 1)).to_pylist()[0] for place in range(len(items))]
    assert alone == whole.to_pylist()


@settings(max_examples=60)
@given(item=rows)
def test_one_transaction_and_a_table_of_one_agree(default, item):
    row = default.classify(table_of([item])).to_pylist()[0]
    one = default.classify_one(Transaction(id="0", **item))
    assert row == {
        "id": one.id,
        "status": one.status,
        "merchant_name": one.merchant.name,
        "merchant_id": one.merchant.id,
        "processor": one.merchant.processor,
        "category_primary": one.category and one.category.primary,
        "category_detailed": one.category and one.category.detailed,
        "score": one.score,
        "confidence": one.confidence,
        "level": one.level,
        "merchant_score": one.merchant_score,
        "semantic_score": one.semantic_score,
        "rule_score": one.rule_score,
        "alias_id": one.alias_id,
        "rule_ids": list(one.rule_ids),
        "pack": one.pack,
    }


@settings(max_examples=60)
@given(item=rows)
def test_the_evidence_adds_up_to_the_score(default, item):
    result = default.explain(Transaction(id="0", **item))
    if result.category is None:
        assert result.score == 0
        return
    mine = [evidence for evidence in result.evidence if evidence.counted and evidence.category == result.category.detailed]
    millionths = sum(round(evidence.contribution * 1_000_000) for evidence in mine)
    assert round(result.score * 1_000_000) == min(1_000_000, millionths)
    assert all(other.score <= result.score for other in result.alternatives)


@pytest.fixture(scope="module")
def many():
    generator = np.random.default_rng(7)
    words = np.array(WORDS, object)
    texts = [" ".join(words[generator.integers(0, len(WORDS), size)]) + str(generator.integers(0, 500)) for size in generator.integers(1, 5, 3000)]
    amounts = generator.uniform(0, 100, len(texts))
    return pa.table({"id": [str(place) for place in range(len(texts))], "descriptor": texts, "amount": amounts})


@pytest.mark.parametrize("size", [1, 7, 997, 3000])
@pytest.mark.parametrize("repeating", [False, True])
def test_chunks_of_any_size_give_the_same_rows(default, many, size, repeating, monkeypatch):
    whole = default.classify(many)
    monkeypatch.setattr(flow, "DISTINCT_ROWS", size)
    monkeypatch.setattr(flow, "REPEATING_ROWS", size)
    monkeypatch.setattr(flow, "SAMPLE", 1)
    monkeypatch.setattr(flow, "REPEATS_BELOW", 2.0 if repeating else 0.0)
    limit = 40 if size == 1 else 3000
    part = many.slice(0, limit)
    assert default.classify(part).equals(whole.slice(0, limit))
    (decisions, places), _ = default.decide_rows(part)
    assert decisions.take(pa.array(places)).set_column(0, "id", part["id"]).equals(whole.slice(0, limit))


@pytest.mark.parametrize("copies", [1, 40])
def test_rows_alike_get_the_verdict_they_get_alone(small, copies, monkeypatch):
    """Of equal descriptors only some differ in what a rule or a merchant asks for: amount, date, direction, currency, country, MCC."""
    monkeypatch.setattr(flow, "SAMPLE", 1)
    base = {"descriptor": "FEE", "amount": 10.0, "currency": "USD", "country": "US", "mcc": "6011", "direction": "debit", "booked_at": "2024-01-01"}
    others = [
        {},
        {"amount": 60.0},
        {"amount": None},
        {"booked_at": "2019-01-01"},
        {"booked_at": None},
        {"currency": "EUR"},
        {"country": "GB"},
        {"mcc": "5411"},
        {"descriptor": "PAYROLL"},
        {"descriptor": "PAYROLL", "direction": "credit"},
        {"descriptor": "METRO", "country": "CA"},
        {"descriptor": "METRO", "country": "GB"},
        {"descriptor": "METRO", "amount": 99.0},
    ]
    items = [{**base, **other} for other in others] * copies
    names = list(base)
    table = pa.table({"id": [str(place) for place in range(len(items))], **{name: [item[name] for item in items] for name in names}})
    alone = [small.classify(table.slice(place, 1)).to_pylist()[0] for place in range(len(others))]
    assert [{**row, "id": ""} for row in small.classify(table).to_pylist()] == [{**row, "id": ""} for row in alone] * copies


AMOUNTS = [None, 3.0, 3.99, 57.5, 57.51, 57.5, 4000.0, 3.0]


@pytest.mark.parametrize("repeating", [False, True])
def test_amounts_that_the_model_reads_are_read_for_each_row(cards, repeating, monkeypatch):
    monkeypatch.setattr(flow, "SAMPLE", 1)
    monkeypatch.setattr(flow, "REPEATS_BELOW", 2.0 if repeating else 0.0)
    texts = [f"SQ *{word} HILL" for word in ("NORTH", "SUGAR", "PAPER", "MAPLE", "STONE")]
    lines = [(text, amount) for amount in AMOUNTS for text in texts]
    columns = {"id": [str(place) for place in range(len(lines))], "descriptor": [text for text, _ in lines]}
    table = pa.table({**columns, "amount": [amount for _, amount in lines], "currency": ["CAD"] * len(lines)})
    alone = [cards.classify(table.slice(place, 1)).to_pylist()[0] for place in range(len(lines))]
    assert cards.classify(table).to_pylist() == alone
    assert len({row["score"] for row in alone}) > len(texts)
    ones = [Transaction(id=str(place), descriptor=text, amount=amount, currency="CAD") for place, (text, amount) in enumerate(lines)]
    assert [cards.classify_one(one).score for one in ones] == [row["score"] for row in alone]
    kept: dict[object, float] = {}
    assert all(kept.setdefault(cards.alike(one), row["score"]) == row["score"] for one, row in zip(ones, alone, strict=True))


def test_threads_do_not_disturb_each_other(default, many):
    whole = default.classify(many)
    with ThreadPoolExecutor(4) as pool:
        assert all(result.equals(whole) for result in pool.map(default.classify, [many] * 8))


def test_a_dumped_pack_decides_the_same(default, many):
    from rayapp.scoring.classifier import Classifier
    from rayapp.scoring.pack import CompiledPack

    again = Classifier(CompiledPack.load(default.pack.dump()))
    assert again.classify(many).equals(default.classify(many))
    assert again.pack.dump() == default.pack.dump()
