"""Exactly-once loading, with real transactions, real races and a real kill."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.datasets import dataset
from rayapp.errors import InvalidInput, InvalidSetup, Unavailable
from rayapp.store.chunks import ChunkLoader
from rayapp.store.database import connect_to_copy, connection, migrated
from rayapp.store.embedded import EmbeddedPostgres
from rayapp.store.ledger import Counts, Job, Rejected, Source, finish_job, job_progress, loaded_chunks, open_job, quarantined
from rayapp.store.packs import save_pack
from rayapp.store.staging import Chunk
from rayapp.store.values import read_values

PACK = "aa11"
TRANSACTIONS = dataset("transactions")
SCORES = ("score", "confidence", "merchant_score", "semantic_score", "rule_score")


def source(chunks: int, digest: str = "d1") -> Source:
    return Source(dataset="transactions", name="bank.csv", digest=digest, bytes=1, chunks=chunks, pack=PACK)


def chunk(number: int, ids: list[str], descriptors: list[str] | None = None, rejected: tuple[Rejected, ...] = ()) -> Chunk:
    n = len(ids)
    transactions = pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "descriptor": descriptors or pa.array([f"SHOP {number}.{i}" for i in range(n)], pa.string()),
            "amount": pa.array(["12.50"] * n),
            "currency": pa.array(["EUR"] * n).dictionary_encode(),
            "booked_at": pa.array(["2026-01-31"] * n),
        }
    )
    decisions = pa.table(
        {
            "status": pa.array(["classified"] * n, pa.string()).dictionary_encode(),
            **{name: pa.nulls(n, pa.string()) for name in ("merchant_name", "merchant_id", "processor", "alias_id")},
            "category_primary": pa.array(["FOOD_AND_DRINK"] * n, pa.string()).dictionary_encode(),
            "category_detailed": pa.array(["FOOD_AND_DRINK_COFFEE"] * n, pa.string()),
            "level": pa.array(["HIGH"] * n, pa.string()),
            "rule_ids": pa.array([["a.b", "c.d"]] * n, pa.list_(pa.string())),
            **dict.fromkeys(SCORES, pa.array([0.5] * n, pa.float64())),
        }
    )
    rows = read_values(TRANSACTIONS, transactions)
    assert not rows.problems
    return Chunk(number, rows.table, pa.array(range(n), pa.int32()), rejected, decisions)


async def load_chunk(session: Any, job: Job, loaded: Chunk) -> Counts | None:
    loader = ChunkLoader(job, TRANSACTIONS)
    return await loader.load(session, loader.prepare(loaded))


async def begin(session: Any, chunks: int, digest: str = "d1") -> Job:
    await save_pack(session, PACK, "default", b"x")
    return await open_job(session, source(chunks, digest))


async def stored(session: Any) -> dict[str, str]:
    rows = await session.fetch("SELECT id, descriptor FROM rayapp.transaction")
    assert {row["id"] for row in rows} == {row["transaction_id"] for row in await session.fetch("SELECT * FROM rayapp.decision")}
    return {row["id"]: row["descriptor"] for row in rows}


def test_a_chunk_keeps_every_value_of_input_and_decision(database: str) -> None:
    async def story() -> dict[str, Any]:
        async with connection(database) as session:
            job = await begin(session, 1)
            await load_chunk(session, job, chunk(0, ["t1"]))
            return dict(await session.fetchrow("SELECT * FROM rayapp.classified"))

    row = asyncio.run(story())
    assert (row["id"], row["descriptor"], str(row["amount"]), row["currency"], row["mcc"]) == ("t1", "SHOP 0.0", "12.50", "EUR", None)
    assert row["booked_at"].isoformat() == "2026-01-31T00:00:00+00:00"
    assert (row["category_detailed"], row["rule_ids"], row["pack"], row["score"]) == ("FOOD_AND_DRINK_COFFEE", ["a.b", "c.d"], PACK, 0.5)


def test_a_chunk_that_is_loaded_twice_counts_once(database: str) -> None:
    async def story() -> None:
        async with connection(database) as session:
            job = await begin(session, 1)
            assert await load_chunk(session, job, chunk(0, ["a", "b", "a"])) == Counts(3, 2, 0, 0, 1, 0)
            assert await load_chunk(session, job, chunk(0, ["a", "b", "a"])) is None
            assert await stored(session) == {"a": "SHOP 0.2", "b": "SHOP 0.1"}
            assert await loaded_chunks(session, job) == {0}
            progress = await finish_job(session, job)
            assert (progress.rows, progress.inserted, progress.repeated, progress.chunks_done) == (3, 2, 1, 1)
            assert progress.finished_at is not None

    asyncio.run(story())


def test_a_source_that_is_loaded_again_goes_on_with_the_same_job(database: str) -> None:
    async def story() -> None:
        async with connection(database) as session:
            job = await begin(session, 2)
            await load_chunk(session, job, chunk(0, ["a"]))
            assert (await finish_job(session, job)).finished_at is None
            again = await begin(session, 2)
            assert (again.seq, again.finished) == (job.seq, False)
            await load_chunk(session, again, chunk(1, ["b"]))
            await finish_job(session, again)
            assert (await begin(session, 2)).finished
            assert (await begin(session, 2, digest="d2")).seq > job.seq

    asyncio.run(story())


@given(ids=st.lists(st.lists(st.sampled_from("abcdefg"), max_size=6), min_size=1, max_size=5), order=st.randoms(use_true_random=False))
def test_the_order_in_which_chunks_are_committed_does_not_matter(postgres: Any, ids: list[list[str]], order: random.Random) -> None:
    expected = {key: f"SHOP {number}.{row}" for number, keys in enumerate(ids) for row, key in enumerate(keys)}

    async def story() -> None:
        await migrated(postgres.url())
        async with connection(postgres.url()) as session:
            await session.execute(
                "TRUNCATE rayapp.transaction, rayapp.decision, rayapp.ingest_job, rayapp.ingest_chunk, rayapp.quarantine CASCADE"
            )
            job = await begin(session, len(ids))
            numbers = list(range(len(ids)))
            order.shuffle(numbers)
            for number in numbers:
                await load_chunk(session, job, chunk(number, ids[number]))
            assert await stored(session) == expected
            progress = await finish_job(session, job)
            assert progress.rows == sum(map(len, ids)) == progress.inserted + progress.updated + progress.superseded + progress.repeated
            assert progress.inserted == len(expected)

    asyncio.run(story())


def test_workers_that_race_for_the_same_chunks_load_each_once_and_never_deadlock(database: str) -> None:
    keys = [str(n) for n in range(300)]

    async def worker(seed: int) -> int:
        rng, done = random.Random(seed), 0
        async with connection(database) as session:
            job = await begin(session, 30)
            for number in rng.sample(range(30), 30):
                ids = random.Random(number).sample(keys, 200)
                done += await load_chunk(session, job, chunk(number, ids)) is not None
        return done

    async def story() -> None:
        assert sum(await asyncio.gather(*(worker(seed) for seed in range(4)))) == 30
        expected = {key: f"SHOP {n}.{row}" for n in range(30) for row, key in enumerate(random.Random(n).sample(keys, 200))}
        async with connection(database) as session:
            assert await stored(session) == expected

    asyncio.run(story())


LOADER = """
import asyncio, os, sys
sys.path.insert(0, sys.argv[2])
from test_chunks import begin, chunk, load_chunk
from rayapp.store.database import connection

async def load():
    async with connection(sys.argv[1]) as session:
        job = await begin(session, 50)
        for number in range(50):
            await load_chunk(session, job, chunk(number, [str(k) for k in range(number, number + 20)]))
            print(number, flush=True)

asyncio.run(load())
"""


def test_a_load_that_is_killed_again_and_again_ends_as_a_clean_one(database: str, request: pytest.FixtureRequest) -> None:
    expected = {str(k): f"SHOP {min(k, 49)}.{k - min(k, 49)}" for k in range(69)}
    for kill_after in (1, 7, 20, None):
        child = subprocess.Popen(
            [sys.executable, "-c", LOADER, database, str(request.path.parent)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(kill_after or 0):
            child.stdout.readline()
        if kill_after:
            child.send_signal(signal.SIGKILL)
        _, said = child.communicate()
        assert kill_after or child.returncode == 0, said

    async def story() -> None:
        async with connection(database) as session:
            assert await stored(session) == expected
            progress = await finish_job(session, await begin(session, 50))
            assert (progress.chunks_done, progress.rows, progress.inserted) == (50, 1000, 69)

    asyncio.run(story())


def test_a_load_goes_on_after_the_server_itself_was_killed(open_dir: Path) -> None:
    server = EmbeddedPostgres(open_dir / "data")

    async def load_until_done(kills: list[int]) -> int:
        lost, todo = 0, list(range(30))
        while todo:
            try:
                async with connection(server.url()) as session:
                    job = await begin(session, 30)
                    while todo:
                        if kills and todo[0] == kills[0]:
                            kills.pop(0)
                            os.kill(int((server.cluster / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
                        await load_chunk(session, job, chunk(todo[0], [str(k) for k in range(todo[0], todo[0] + 20)]))
                        todo.pop(0)
            except Unavailable:
                lost += 1
                server.start()
        return lost

    async def check() -> None:
        async with connection(server.url()) as session:
            assert await stored(session) == {str(k): f"SHOP {min(k, 29)}.{k - min(k, 29)}" for k in range(49)}
            progress = await finish_job(session, await begin(session, 30))
            assert (progress.chunks_done, progress.rows, progress.inserted) == (30, 600, 49)

    with server:
        asyncio.run(migrated(server.url()))
        assert asyncio.run(load_until_done([3, 12, 25])) >= 3
        asyncio.run(check())


def test_a_chunk_with_a_value_that_postgresql_refuses_leaves_no_trace(database: str) -> None:
    poison = chunk(0, ["a", "b"])
    poisoned = poison.rows.set_column(1, "descriptor", pa.array(["fine", "poison\0"]))

    async def story() -> None:
        async with connection(database) as session:
            job = await begin(session, 1)
            with pytest.raises(Exception, match="0x00"):
                await load_chunk(session, job, Chunk(0, poisoned, poison.places, (), poison.decisions))
            assert await stored(session) == {}
            assert await loaded_chunks(session, job) == frozenset()
            await load_chunk(session, job, chunk(0, ["a", "b"]))

    asyncio.run(story())


def test_rejected_values_are_kept_with_their_place_and_counted_by_row(database: str) -> None:
    bad = (Rejected(3, "amount", "x\0y", "not a number"), Rejected(3, "currency", None, "missing"), Rejected(9, "mcc", "z" * 5000, "long"))

    async def story() -> None:
        async with connection(database) as session:
            job = await begin(session, 1)
            counts = await load_chunk(session, job, chunk(0, ["a"], rejected=bad))
            assert counts == Counts(3, 1, 0, 0, 0, 2)
            kept = await quarantined(session, job)
            assert [(entry.line, entry.column, entry.value) for entry in kept] == [
                (3, "amount", "x\ufffdy"),
                (3, "currency", None),
                (9, "mcc", "z" * 1000),
            ]

    asyncio.run(story())


def test_a_chunk_without_any_good_row_is_still_entered_in_the_ledger(database: str) -> None:
    async def story() -> None:
        async with connection(database) as session:
            job = await begin(session, 1)
            assert await load_chunk(session, job, chunk(0, [])) == Counts(0, 0, 0, 0, 0, 0)
            assert (await job_progress(session, job)).chunks_done == 1

    asyncio.run(story())


def test_a_pack_that_is_not_stored_cannot_decide_a_load(database: str) -> None:
    async def story() -> None:
        async with connection(database) as session:
            await open_job(session, source(1))

    with pytest.raises(InvalidSetup, match="pack aa11 is not stored"):
        asyncio.run(story())


def test_tables_of_different_lengths_are_refused_before_anything_is_written(database: str) -> None:
    broken = Chunk(0, chunk(0, ["a"]).rows, pa.array([0], pa.int32()), (), chunk(0, []).decisions)

    async def story() -> None:
        async with connection(database) as session:
            await load_chunk(session, await begin(session, 1), broken)

    with pytest.raises(InvalidInput, match="1 rows, 0 decisions, 1 places"):
        asyncio.run(story())


def test_a_server_that_does_not_answer_is_unavailable_and_its_address_is_not_quoted() -> None:
    async def story() -> None:
        async with connection("postgresql://bank:s3cret@127.0.0.1:1/money"):
            pass

    with pytest.raises(Unavailable) as caught:
        asyncio.run(story())
    assert "s3cret" not in str(caught.value)


def test_the_end_of_a_load_waits_for_the_disk_on_a_connection_whose_commits_do_not(database: str) -> None:
    async def end() -> tuple[str, str]:
        session = await connect_to_copy(database)
        await save_pack(session, PACK, "p", b"")
        job = await open_job(session, source(chunks=0))
        before = await session.fetchval("SHOW synchronous_commit")
        async with session.transaction():
            await finish_job(session, job)
            waits = await session.fetchval("SHOW synchronous_commit")
        await session.close()
        return before, waits

    assert asyncio.run(end()) == ("off", "on")
