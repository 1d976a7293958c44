"""The gate before the routes: keys, limits, and a bank that is away."""

import asyncio

import msgspec
import pytest

from rayapp.errors import Unavailable
from rayapp.serve import admission
from rayapp.serve.admission import Gate
from rayapp.serve.app import build_app
from rayapp.serve.breaker import FAILURES
from rayapp.serve.database import Database
from rayapp.serve.desk import Deciding, Desk
from rayapp.serve.overload import QuotaExceeded, TooManyAtOnce, Unauthorised
from rayapp.store.api_keys import Allowance, ApiKey, Lease, hash_of
from tests.serve.conftest import Client

ONE = {"id": "1", "descriptor": "BLUE BOTTLE"}
KEY = "rayapp_a-key-of-a-test"


def api_key(rows_per_s=0.5, burst=5, at_once=2, key=KEY):
    return ApiKey(id=1, name="test", mark=key[:15], tier="standard", allowance=Allowance(rows_per_s, burst, at_once), hash=hash_of(key))


class Bank:
    """A shared bucket that never refills, and can be away."""

    def __init__(self, tokens):
        self.tokens, self.away, self.asked, self.most = tokens, False, 0, 2

    async def lease(self, _key_id, need, want):
        self.asked += 1
        if self.away:
            raise Unavailable("away")
        granted = max(need, min(want, self.tokens)) if self.tokens >= need else 0
        self.tokens -= granted
        return Lease(granted, self.tokens)

    async def give_back(self, _key_id, rows):
        self.tokens += rows

    async def take_slots(self, _key_id, _need, want):
        if self.away:
            raise Unavailable("away")
        return min(want, self.most)

    async def keep_slots(self, key_ids):
        return set(key_ids)

    async def give_slots(self, _key_id, left):
        self.left = left


@pytest.fixture
def guarded(small_classifier):
    """Clients of the app behind a gate."""
    clients = []

    def make(gate):
        desk = Desk(gate)
        desk.use(Deciding(1, small_classifier))
        clients.append((Client(build_app(desk)), desk))
        return clients[-1][0]

    yield make
    for client, desk in clients:
        client.runner.run(desk.batcher.stop())
        client.runner.close()


async def paid_by(gate, client, rows):
    try:
        await gate.charge(client, rows)
    except QuotaExceeded:
        return False
    return True


def with_key(key=KEY):
    return {"authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": f"Basic {KEY}"}, 401),
        ({"authorization": "Bearer " + "x" * 10_000}, 401),
        ({"x-api-key": KEY}, 200),
        ({"authorization": f"bearer {KEY}"}, 200),
        (with_key(), 200),
    ],
)
def test_a_key_is_needed_where_there_are_keys(guarded, headers, status):
    gate = Gate(Bank(100))
    gate.use([api_key()])
    answer = guarded(gate)("POST", "/classify", json=ONE, headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["type"] == "urn:rayapp:problem:unauthorised"


@pytest.mark.parametrize("path", ["/packs", f"/packs/{'0' * 64}/activate", "/plans/1/apply", "/changesets/1/revert"])
def test_packs_are_changed_with_an_operators_key_only(guarded, path):
    gate = Gate(Bank(100))
    gate.use([api_key()])
    refused = guarded(gate)("POST", path, json={}, headers=with_key())
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:rayapp:problem:forbidden")
    gate.use([msgspec.structs.replace(api_key(), operator=True)])
    assert guarded(gate)("POST", path, json={}, headers=with_key()).status_code != 403


@pytest.mark.parametrize("path", ["/classify/bulk", "/classify/stream", "/metrics", "/limits", "/no-such-route"])
def test_no_route_but_the_open_ones_is_reached_without_a_key(guarded, path):
    gate = Gate(Bank(100))
    gate.use([api_key()])
    ask = guarded(gate)
    assert ask("POST", path, content=b"{}").status_code == 401
    assert [ask("GET", open_path).status_code for open_path in ("/healthz", "/readyz", "/docs", "/console", "/pages/page.js", "/openapi.json")] == [200] * 6


def test_exposed_nobody_gets_in_before_keys_are_known_or_when_there_are_none(guarded):
    gate = Gate(Bank(100), exposed=True)
    ask = guarded(gate)
    assert ask("POST", "/classify", json=ONE).status_code == 503
    gate.use([])
    assert ask("POST", "/classify", json=ONE).status_code == 401


def test_before_keys_are_known_anybody_here_may_ask_and_nobody_change_packs(guarded):
    ask = guarded(Gate(Bank(100)))
    assert ask("POST", "/classify", json=ONE).status_code == 200
    assert ask("POST", "/packs", json={}).status_code == 403


def test_keys_that_could_not_be_read_again_are_believed_for_a_while_only(guarded, monkeypatch):
    gate = Gate(Bank(100))
    gate.use([api_key()])
    ask = guarded(gate)
    assert ask("POST", "/classify", json=ONE, headers=with_key()).status_code == 200
    monkeypatch.setattr(admission, "KEYS_GOOD_S", -1.0)
    assert ask("POST", "/classify", json=ONE, headers=with_key()).status_code == 503
    gate.use([])
    assert ask("POST", "/classify", json=ONE).status_code == 200


def test_who_asks_too_much_at_once_is_told_when_one_of_its_requests_will_be_answered():
    async def test():
        gate = Gate(Bank(5))
        gate.use([api_key(at_once=2)])
        client = gate.enter("/classify", {b"x-api-key": KEY.encode()})
        for _ in range(50):
            await gate.admit(client)
            gate.leave(client, 8.0)
        await gate.admit(client)
        await gate.admit(client)
        with pytest.raises(TooManyAtOnce) as refused:
            await gate.admit(client)
        assert refused.value.details[0].after_s == pytest.approx(4.0, rel=0.01)

    asyncio.run(test())


def test_a_spent_client_is_told_when_to_come_again_and_what_is_left(guarded):
    gate = Gate(Bank(5))
    gate.use([api_key()])
    ask = guarded(gate)
    answers = [ask("POST", "/classify", json=ONE, headers=with_key()) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["ratelimit-policy"] == '"rows";q=5;w=10'
    assert answers[0].headers["ratelimit"] == '"rows";r=4;t=2'
    assert answers[5].json()["type"] == "urn:rayapp:problem:quota-exceeded"
    assert answers[5].headers["retry-after"] == "2"


def test_bulk_is_paid_by_its_rows(guarded):
    gate = Gate(Bank(5))
    gate.use([api_key()])
    ask = guarded(gate)
    answers = [ask("POST", "/classify/bulk", json={"transactions": [ONE] * rows}, headers=with_key()) for rows in (4, 2, 1)]
    assert [answer.status_code for answer in answers] == [200, 429, 200]


def test_as_many_requests_at_once_as_a_key_may_have_and_no_more():
    async def test():
        gate = Gate(Bank(5))
        gate.use([api_key(at_once=2)])
        client = gate.enter("/classify", {b"x-api-key": KEY.encode()})
        await gate.admit(client)
        await gate.admit(client)
        with pytest.raises(TooManyAtOnce):
            await gate.admit(client)
        gate.leave(client)
        await gate.admit(client)

    asyncio.run(test())


@pytest.mark.parametrize(("at_once", "replicas", "allowed"), [(6, 2, 3), (1, 2, 1), (5, 4, 1)])
def test_a_bank_that_is_away_lets_each_replica_work_on_its_share_at_once(at_once, replicas, allowed):
    async def test():
        bank = Bank(5)
        bank.away = True
        gate = Gate(bank, replicas=replicas)
        gate.use([api_key(at_once=at_once)])
        client = gate.enter("/classify", {b"x-api-key": KEY.encode()})
        for _ in range(allowed):
            await gate.admit(client)
        with pytest.raises(TooManyAtOnce):
            await gate.admit(client)

    asyncio.run(test())


def test_a_bank_that_is_away_lets_each_replica_give_its_share():
    async def test():
        bank = Bank(1_000)
        bank.away = True
        gate = Gate(bank, replicas=2)
        gate.use([api_key(rows_per_s=10, burst=20)])
        client = gate.enter("/classify", {b"x-api-key": KEY.encode()})
        paid = [await paid_by(gate, client, 1) for _ in range(100)]
        assert 1 <= paid.count(True) <= 10
        assert not any([await paid_by(gate, client, 5) for _ in range(20)])

    asyncio.run(test())


def test_new_keys_replace_former_ones_and_a_kept_key_keeps_what_it_has_leased():
    gate = Gate(Bank(100))
    gate.use([api_key()])
    headers = {b"x-api-key": KEY.encode()}
    client = gate.enter("/classify", headers)
    gate.use([api_key()])
    assert gate.enter("/classify", headers) is client
    gate.use([api_key(burst=50)])
    assert gate.enter("/classify", headers) is not client
    gate.use([api_key(key="rayapp_another")])
    with pytest.raises(Unauthorised):
        gate.enter("/classify", headers)


def test_a_database_that_is_away_is_soon_left_alone(tmp_path):
    async def test():
        database = Database(f"postgresql://nobody@localhost/none?host={tmp_path}")

        async def question(session):
            raise AssertionError(session)

        for _ in range(FAILURES):
            with pytest.raises(Unavailable, match="does not answer"):
                await database.ask(question, 5.0)
        with pytest.raises(Unavailable, match="for a while") as refused:
            await database.ask(question, 5.0)
        assert refused.value.details[0].after_s > 0

    asyncio.run(test())
