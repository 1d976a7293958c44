"""Bulk by ids: stored transactions are decided as if they had been sent."""

import asyncio

import pytest

from rayapp.serve.app import build_app
from rayapp.serve.database import Database
from rayapp.serve.desk import Deciding, Desk
from rayapp.store.database import connection
from tests.serve.conftest import Client

INSERT = "INSERT INTO rayapp.transaction (id, descriptor, amount, currency, direction, mcc, version) VALUES ($1, $2, 4.50, 'USD', 'debit', '5814', 1)"


@pytest.fixture
def ask(small_classifier, database):
    async def store():
        async with connection(database) as session:
            await session.executemany(INSERT, [(str(number), f"SQ *BLUE BOTTLE {number:04}") for number in range(1_500)])

    asyncio.run(store())
    desk = Desk(database=Database(database))
    desk.use(Deciding(1, small_classifier))
    client = Client(build_app(desk))
    yield client
    client.runner.run(desk.close())
    client.runner.close()


def test_stored_transactions_are_decided_like_sent_ones_and_an_unknown_id_is_told(ask):
    ids = [str(number) for number in range(1_500)]
    told = ask("POST", "/classify/bulk", json={"transaction_ids": [*ids, "no such", "with\0nought", "7"]}).json()
    sent = {"id": "7", "descriptor": "SQ *BLUE BOTTLE 0007", "amount": "4.50", "currency": "USD", "direction": "debit", "mcc": "5814"}
    (expected,) = ask("POST", "/classify/bulk", json={"transactions": [sent]}).json()["results"]
    assert [result["id"] for result in told["results"]] == [*ids, "no such", "with\0nought", "7"]
    assert told["results"][7] == told["results"][-1] == expected
    assert told["results"][1_500]["errors"] == [{"pointer": "#/transaction_ids/1500", "detail": "no transaction with this id is stored"}]
    assert told["summary"] == {"rows": 1_503, "classified": 1_501, "unclassified": 0, "rejected": 2}


@pytest.mark.parametrize("body", [{}, {"transactions": None}, {"transaction_ids": [1]}, {"transaction_ids": "1"}])
def test_a_body_with_no_list_of_rows_is_refused(ask, body):
    refused = ask("POST", "/classify/bulk", json=body)
    assert (refused.status_code, refused.json()["type"]) == (400, "urn:rayapp:problem:malformed-body")


def test_sent_and_stored_transactions_are_answered_together(ask):
    body = {"transaction_ids": ["7", "no such"], "transactions": [{"id": "a", "descriptor": "BLUE BOTTLE"}, {"id": "b"}]}
    told = ask("POST", "/classify/bulk", json=body).json()
    assert [(row["id"], row["status"]) for row in told["results"]] == [
        ("a", "classified"),
        ("b", "rejected"),
        ("7", "classified"),
        ("no such", "rejected"),
    ]
    assert "partial" not in told


def test_without_a_database_ids_are_unavailable_and_rows_are_not(small_classifier, tmp_path):
    desk = Desk(database=Database(f"postgresql://nobody@localhost/none?host={tmp_path}"))
    desk.use(Deciding(1, small_classifier))
    client = Client(build_app(desk))
    assert client("POST", "/classify/bulk", json={"transaction_ids": ["1"]}).status_code == 503
    rows = [{"id": "1", "descriptor": "BLUE BOTTLE"}]
    assert client("POST", "/classify/bulk", json={"transactions": rows}).status_code == 200
    partial = client("POST", "/classify/bulk", json={"transactions": rows, "transaction_ids": ["a", "b"]})
    told = partial.json()
    assert (partial.status_code, told["partial"]) == (200, "database")
    assert told["summary"] == {"rows": 3, "classified": 1, "unclassified": 0, "rejected": 0, "unavailable": 2}
    assert [(row["id"], row["status"]) for row in told["results"]] == [("1", "classified"), ("a", "unavailable"), ("b", "unavailable")]
    assert told["results"][2]["errors"][0]["pointer"] == "#/transaction_ids/1"
    client.runner.run(desk.close())
    client.runner.close()
