"""What people are asked to look at: stored decisions that are unsure, page by page, and the categories to choose among."""

import asyncio
import base64

import msgspec
import pytest

from rayapp.serve.admission import Gate
from rayapp.serve.app import build_app
from rayapp.serve.database import Database
from rayapp.serve.desk import Deciding, Desk
from rayapp.serve.job_desk import JobDesk
from rayapp.settings import Settings
from rayapp.store.database import connection
from tests.serve.conftest import Client
from tests.serve.test_admission import api_key, with_key

INSERT = """
WITH pack AS (INSERT INTO rayapp.pack (digest, name, artefact) VALUES (repeat('a', 64), 'small', '') RETURNING id),
     known AS (INSERT INTO rayapp.transaction (id, descriptor, account_id, booked_at, version)
               SELECT lpad(n::text, 2, '0'), 'SHOP ' || n, CASE WHEN n % 2 = 0 THEN 'DE 1+&' END,
                      CASE WHEN n > 4 THEN timestamptz '2025-06-01 00:00Z' + (n / 4) * interval '1 day' END, 1
               FROM generate_series(0, 19) n)
INSERT INTO rayapp.decision (transaction_id, status, score, confidence, level, merchant_score, semantic_score, rule_score, rule_ids, pack_id, locked)
SELECT lpad(n::text, 2, '0'), 'classified', 0.5, (19 - n) / 20.0, 'LOW', 0, 0, 0, '{}', pack.id, n = 3 FROM generate_series(0, 19) n, pack
"""


@pytest.fixture
def asked(small_classifier, database, tmp_path):
    """Gives a client of an app with a gate."""

    async def store():
        async with connection(database) as session:
            await session.execute(INSERT)

    asyncio.run(store())
    clients = []

    def make(gate=None):
        base = Database(database)
        desk = Desk(gate or Gate(), base)
        desk.use(Deciding(1, small_classifier))
        client = Client(build_app(desk, JobDesk(Settings(data_dir=tmp_path, database_url=database), base)))
        clients.append((client, desk))
        return client

    yield make
    for client, desk in clients:
        client.runner.run(desk.close())
        client.runner.close()


def pages(ask, query):
    """Give the rows of all pages of a list."""
    found, after = [], ""
    while after is not None:
        page = ask("GET", f"/transactions?{query}&limit=4&after={after}").json()
        found += page["transactions"]
        after = page["next"]
    return found


def test_unsure_decisions_come_page_by_page_the_least_sure_first_without_those_that_a_person_made(asked):
    ask = asked()
    found = pages(ask, "below=0.5")
    assert [row["id"] for row in found] == ["19", "18", "17", "16", "15", "14", "13", "12", "11", "10"]
    assert found[0] == {
        "id": "19",
        "descriptor": "SHOP 19",
        "confidence": 0.0,
        "level": "LOW",
        "booked_at": "2025-06-05T00:00:00Z",
    } | dict.fromkeys(("amount", "currency", "direction", "mcc", "country", "merchant", "category"))
    assert len(pages(ask, "below=1")) == 19
    assert len(pages(ask, "")) == 14
    assert ask("GET", "/transactions?below=0").json() == {"transactions": [], "next": None}


def test_an_accounts_lines_come_page_by_page_the_newest_first(asked):
    ask = asked()
    found = pages(ask, "account_id=DE%201%2B%26")
    assert [row["id"] for row in found] == ["18", "16", "14", "12", "10", "08", "06", "04", "02", "00"]
    assert [row["booked_at"] for row in found[6:8]] == ["2025-06-02T00:00:00Z", None]
    assert ask("GET", "/transactions?account_id=nobody").json() == {"transactions": [], "next": None}


def token(*key):
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode()


HOSTILE = [
    "x",
    "%00",
    "é",
    "%ED%A0%80",
    "a" * 5_001,
    "WyJ%0A",
    token(),
    token(0.5),
    token("x", "y"),
    token(0.5, "t", "t"),
    token([], "t"),
    token("2025-06-01", "t"),
    token("2025-06-01T00:00:00", "t"),
    token("2025-06-01T00:00:00+23:59", "t"),
    token("2025-13-01T00:00:00Z", "t"),
    token("infinity", "t"),
    token(None, "\0"),
    token(0.5, "\0"),
    base64.b64encode(b'[NaN, "t"]').decode(),
    base64.b64encode(b'[1e999, "t"]').decode(),
    base64.b64encode(b'[0.5, "\\ud800"]').decode(),
    base64.b64encode(b"[" * 3_000).decode(),
    base64.b64encode(b'[0.5, "\xff"]').decode(),
]
"""What no page gave to go on after."""


@pytest.mark.parametrize("query", ["below=0.5", "account_id=DE%201%2B%26"])
def test_what_no_page_gave_to_go_on_after_is_refused(asked, query):
    ask = asked()
    for after in HOSTILE:
        refused = ask("GET", f"/transactions?{query}&after={after}")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "?after"), after


def test_a_list_does_not_go_on_where_another_ended(asked):
    ask = asked()
    unsure = ask("GET", "/transactions?limit=1").json()["next"]
    booked = ask("GET", "/transactions?account_id=DE%201%2B%26&limit=1").json()["next"]
    assert ask("GET", f"/transactions?account_id=DE%201%2B%26&after={unsure}").status_code == 422
    assert ask("GET", f"/transactions?after={booked}").status_code == 422


def test_what_everybody_stored_is_shown_to_operators_only(asked):
    gate = Gate(exposed=True)
    gate.use([api_key()])
    ask = asked(gate)
    for query in ("", "?account_id=DE%201%2B%26"):
        assert ask("GET", f"/transactions{query}", headers=with_key()).status_code == 403
    gate.use([msgspec.structs.replace(api_key(), operator=True)])
    assert ask("GET", "/transactions", headers=with_key()).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "below=2",
        "below=x",
        "below=nan",
        "limit=0",
        "limit=501",
        "account_id=",
        "account_id=%00",
        f"account_id={'x' * 1_001}",
        "below=0.5&account_id=one",
    ],
)
def test_a_wrong_parameter_is_named(asked, query):
    refused = asked()("GET", f"/transactions?{query}")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"?{query.partition('=')[0]}")


def test_the_categories_are_those_of_the_pack_that_decides(asked, small_classifier):
    told = asked()("GET", "/categories").json()
    assert told["pack"] == small_classifier.pack.digest
    assert told["categories"] == [{"primary": "FOOD", "detailed": "FOOD_COFFEE"}, {"primary": "PAY", "detailed": "PAY_SALARY"}]
