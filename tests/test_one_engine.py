"""One engine behind every door: the shipped sample through each of them, and the same bytes from all.

The doors of a cluster, HTTP through HAProxy and Ray Data into PostgreSQL, are in tests/cluster/test_service.py.
"""

import asyncio

import httpx
import msgspec
import pyarrow as pa
import pyarrow.csv
import pytest

from rayapp import Transaction, load_classifier
from rayapp.data_jobs.load_piece import PieceWork
from rayapp.datasets import dataset
from rayapp.scoring.columns import FIELDS
from rayapp.serve.app import build_app
from rayapp.serve.decisions import decisions_of
from rayapp.serve.desk import Deciding, Desk
from rayapp.sources.pieces import Piece, Rows

SAMPLE = "rayapp/samples/transactions.csv"
TEXT = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(FIELDS, pa.string()), strings_can_be_null=True)


@pytest.fixture(scope="module")
def classifier():
    return load_classifier()


@pytest.fixture(scope="module")
def table():
    return pyarrow.csv.read_csv(SAMPLE, convert_options=TEXT)


@pytest.fixture(scope="module")
def by_library(classifier, table):
    rows = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
    return rows, [msgspec.json.encode(classifier.classify_one(Transaction(**row))) for row in rows]


def post(classifier, path, bodies):
    desk = Desk()
    desk.use(Deciding(1, classifier))

    async def send():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(build_app(desk)), base_url="http://rayapp") as client:
            return [(await client.post(path, json=body)).content for body in bodies]

    return asyncio.run(send())


def test_a_table_and_its_rows_one_by_one_give_the_same_bytes(classifier, table, by_library):
    decisions = decisions_of(classifier.classify(table), classifier.pack)
    assert [msgspec.json.encode(decision) for decision in decisions] == by_library[1]


def test_http_single_gives_the_library_s_bytes(classifier, by_library):
    rows, expected = by_library
    assert post(classifier, "/classify", rows) == expected


def test_http_bulk_gives_the_library_s_bytes(classifier, by_library):
    class Body(msgspec.Struct):
        results: list[msgspec.Raw]

    rows, expected = by_library
    (body,) = post(classifier, "/classify/bulk", [{"transactions": rows}])
    assert [bytes(raw) for raw in msgspec.json.decode(body, type=Body).results] == expected


def test_a_loading_job_s_chunk_holds_the_library_s_table(classifier, table):
    chunk = PieceWork(dataset("transactions"), classifier, lambda _: iter([Rows(table, range(table.num_rows))])).chunk(Piece(0, 0, 0, 0, 0, 1))
    decisions = chunk.decisions.take(pa.array(chunk.decided)).set_column(0, "id", table["id"])
    assert decisions.equals(classifier.classify(table))
