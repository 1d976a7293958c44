"""What people are asked to look at: stored decisions that are unsure, page by page, and the categories to choose among."""

import asyncio

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
     known AS (INSERT INTO rayapp.transaction (id, descriptor, version) SELECT lpad(n::text, 2, '0'), 'SHOP ' || n, 1 FROM generate_series(0, 19) n)
INSERT INTO rayapp.decision (transaction_id, status, score, confidence, level, merchant_score, semantic_score, rule_score, rule_ids, pack_id, locked)
SELECT lpad(n::text, 2, '0'), 'classified', 0.5, n / 20.0, 'LOW', 0, 0, 0, '{}', pack.id, n = 3 FROM generate_series(0, 19) n, pack
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


def test_unsure_decisions_come_page_by_page_without_those_that_a_person_made(asked):
    ask, found, after = asked(), [], ""
    while after is not None:
        page = ask("GET", f"/transactions?below=0.5&limit=4&after={after}").json()
        found += page["transactions"]
        after = page["next"]
    assert [row["id"] for row in found] == ["00", "01", "02", "04", "05", "06", "07", "08", "09"]
    assert found[0] == {"id": "00", "descriptor": "SHOP 0", "confidence": 0.0, "level": "LOW"} | dict.fromkeys(
        ("amount", "currency", "direction", "mcc", "country", "booked_at", "merchant", "category")
    )
    assert ask("GET", "/transactions?below=0").json() == {"transactions": [], "next": None}


def test_what_everybody_stored_is_shown_to_operators_only(asked):
    gate = Gate(exposed=True)
    gate.use([api_key()])
    ask = asked(gate)
    assert ask("GET", "/transactions", headers=with_key()).status_code == 403
    gate.use([msgspec.structs.replace(api_key(), operator=True)])
    assert ask("GET", "/transactions", headers=with_key()).status_code == 200


@pytest.mark.parametrize("query", ["below=2", "below=x", "below=nan", "limit=0", "limit=501", "after=%00"])
def test_a_wrong_parameter_is_named(asked, query):
    refused = asked()("GET", f"/transactions?{query}")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"?{query.partition('=')[0]}")


def test_the_categories_are_those_of_the_pack_that_decides(asked, small_classifier):
    told = asked()("GET", "/categories").json()
    assert told["pack"] == small_classifier.pack.digest
    assert told["categories"] == [{"primary": "FOOD", "detailed": "FOOD_COFFEE"}, {"primary": "PAY", "detailed": "PAY_SALARY"}]
