"""Bulk requests that are answered later: the same decisions as at once, whatever the size, made once for each key."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.serve.bodies import MAX_ROWS
from rayapp.serve.listed_rows import ListCutter
from rayapp.serve.problems import MalformedBody
from rayapp.store.database import connection
from tests.running_worker import a_worker
from tests.serve import test_jobs
from tests.serve.test_jobs import ROW, ended, rows_of

ask, settings = test_jobs.ask, test_jobs.settings

LATER = {"prefer": "respond-async"}
SAME = ("id", "status", "merchant", "category", "score", "confidence", "level", "pack")


def test_a_bulk_request_that_prefers_so_becomes_a_job_with_the_same_decisions(ask, settings):
    rows = [{**ROW, "id": str(number)} for number in range(40)] + [{"id": "x", "descriptor": 5}]
    body = json.dumps({"transactions": rows}, indent=1)
    made = ask("POST", "/classify/bulk", content=body, headers={"prefer": "wait=5, Respond-Async; x=1"})
    assert (made.status_code, made.headers["preference-applied"]) == (202, "respond-async")
    assert made.headers["location"] == f"/status/{made.json()['id']}"
    with a_worker(settings):
        assert ended(ask, made.json()["id"])["rows"] == {"total": 41, "done": 41, "failed": 1}
    now = ask("POST", "/classify/bulk", content=body).json()["results"]
    later = rows_of(ask, made.json()["id"])
    assert [[row.get(name) for name in SAME] for row in later[:40]] == [[row.get(name) for name in SAME] for row in now[:40]]
    assert (later[40]["row"], later[40]["id"], later[40]["errors"][0]["pointer"]) == (41, "x", "#/descriptor")


def test_over_the_cap_a_job_is_made_where_a_bulk_request_is_refused_and_told_so(ask):
    body = {"transactions": [{"id": "1", "descriptor": "X"}] * (MAX_ROWS + 1)}
    refused = ask("POST", "/classify/bulk", json=body)
    assert refused.status_code == 413
    assert all(way in refused.json()["detail"] for way in ("Prefer: respond-async", "POST /jobs"))
    assert ask("POST", "/classify/bulk", json=body, headers=LATER).status_code == 202


def test_stored_transactions_are_looked_up_when_the_request_comes(ask, settings):
    async def store():
        async with connection(settings.database_url) as session:
            await session.execute("INSERT INTO rayapp.transaction (id, descriptor, version) VALUES ('a', 'SQ *BLUE BOTTLE', 1)")

    asyncio.run(store())
    made = ask("POST", "/classify/bulk", json={"transaction_ids": ["a", "none"]}, headers=LATER)
    assert made.status_code == 202
    with a_worker(settings):
        ended(ask, made.json()["id"])
    first, second = rows_of(ask, made.json()["id"])
    assert (first["id"], first["status"]) == ("a", "classified")
    assert (second["id"], second["status"]) == ("none", "rejected")


def test_a_key_makes_one_job_and_another_body_under_it_is_refused(ask):
    headers = {**LATER, "idempotency-key": "b-1"}
    first, again = (ask("POST", "/classify/bulk", json={"transactions": [ROW]}, headers=headers) for _ in range(2))
    assert (first.content, again.headers["idempotency-replayed"]) == (again.content, "true")
    assert ask("POST", "/classify/bulk", json={"transactions": [ROW, ROW]}, headers=headers).status_code == 422
    assert len(ask("GET", "/jobs").json()["jobs"]) == 1


BAD = [
    ("", "#"),
    ("[]", "#"),
    ("{}", "#"),
    ('{"rows": []}', "#"),
    ('{"transactions": 5}', "#/transactions"),
    ('{"transactions": [1', "#/transactions/1"),
    ('{"transactions": [{}, {]}', "#/transactions/1"),
    ('{"transactions": [] ', "#"),
    ('{"transactions": []}}', "#"),
    ('{"transactions": [,]}', "#/transactions/0"),
    ('{"transaction_ids": [1]}', "#/transaction_ids/0"),
    ("{1: []}", "#"),
    ('{"transactions" []}', "#"),
    ('{"transactions": [' + "[" * 40_000 + "]}", "#/transactions/0"),
]


def test_what_is_no_list_of_rows_is_refused_with_its_place(ask):
    for body, pointer in BAD:
        refused = ask("POST", "/classify/bulk", content=body, headers=LATER)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, pointer), body[:40]
    assert ask("GET", "/jobs").json()["jobs"] == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    rows=st.lists(VALUES, max_size=8),
    more=st.dictionaries(st.text(min_size=1), VALUES, max_size=2),
    cut=st.integers(1, 9),
    indent=st.none() | st.just(2),
)
def test_rows_are_cut_out_wherever_the_pieces_end(rows, more, cut, indent):
    lists = {"transactions", "transaction_ids"}
    body = json.dumps(
        {**{name: value for name, value in more.items() if name not in lists}, "transactions": rows}, indent=indent, ensure_ascii=False
    )
    sent = body.encode("utf-8", "surrogatepass")
    try:
        sent.decode()
    except UnicodeDecodeError:
        return
    cutter = ListCutter()
    found = [row for first in range(0, len(sent), cut) for row in cutter.feed(sent[first : first + cut])] + list(cutter.end())
    assert [name for name, _ in found] == ["transactions"] * len(rows)
    assert [json.loads(row) for _, row in found] == rows


def test_a_row_without_an_end_is_refused_before_it_fills_the_memory():
    cutter = ListCutter()
    list(cutter.feed(b'{"transactions": ["' + b"x" * 90_000))
    with pytest.raises(MalformedBody, match="longer than"):
        list(cutter.feed(b"x" * 20_000))
