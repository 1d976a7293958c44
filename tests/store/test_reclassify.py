"""Reclassification as a whole: stopped and gone on with, over several packs, killed, and beside loads that go on."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rayapp.data_jobs.reclassify import ReclassifyRequest, reclassify, run_reclassify
from rayapp.errors import InvalidInput
from rayapp.packs.source import Pattern, RuleSource
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.transaction import Transaction
from rayapp.settings import Settings
from rayapp.store import changesets
from rayapp.store import touched_rows as touched
from rayapp.store.changesets import finish_reclassification, open_reclassification, redecide_range
from rayapp.store.corrections import Correction, correct
from rayapp.store.database import connection
from rayapp.store.ledger import Source, open_job
from rayapp.store.packs import activate_pack, save_pack
from rayapp.store.plan_application import apply_plan, revert_changeset
from rayapp.store.plans import PlanRequest, make_plan
from rayapp.store.touched_rows import touched_rows

from .redeciding import decisions, store_rows
from .small_packs import NOWHERE, Written

DECIDED_BY = "SELECT DISTINCT digest FROM rayapp.decision JOIN rayapp.pack ON pack.id = pack_id"
WORDS = ("COFFEE", "BAKERY", "GAP", "FEE", "NOTHING")
CODES = ("EAT_COFFEE", "EAT_GROCERIES", "GEAR_CLOTHES", "FEES_BANK")


def pack_of(*known: int) -> Written:
    rules = [RuleSource(id=WORDS[n], category=CODES[n], patterns=(Pattern(rf"\b{WORDS[n]}\b", 1),), place=NOWHERE) for n in known]
    return Written(tuple(rules), (), (), (), (), ())


def rows(count: int, first: int = 0) -> list[Transaction]:
    return [Transaction(f"{number:07}", f"{WORDS[number % 5]} {'Z' * 40} {number}", "1", "EUR") for number in range(first, first + count)]


def expected(count: int, known: tuple[int, ...]) -> dict[str, str | None]:
    return {f"{number:07}": CODES[number % 5] if number % 5 in known else None for number in range(count)}


def categories(found: dict[str, tuple[Any, ...]]) -> dict[str, str | None]:
    return {key: value[5] for key, value in found.items()}


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database, data_dir=tmp_path)


@pytest.fixture(autouse=True)
def short_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changesets, "STEP", 4)


async def begin(session: Any, classifiers: list[Classifier], count: int = 2_000) -> None:
    """Store an equal share of the rows by each pack but the last, which is active."""
    share = count // (len(classifiers) - 1)
    for number, classifier in enumerate(classifiers[:-1]):
        await store_rows(session, classifier, rows(share, number * share))
    last = classifiers[-1].pack
    await save_pack(session, last.digest, "last", last.dump())
    await activate_pack(session, last.digest)


def test_rows_of_several_old_packs_are_each_decided_as_the_new_pack_does(settings: Settings, tmp_path: Path) -> None:
    classifiers = [Classifier(pack_of(*known).compiled(tmp_path)) for known in ((0,), (0, 1), (1, 2), (1, 2, 3))]

    async def story() -> None:
        async with connection(settings.database_url or "") as session:
            await begin(session, classifiers, 1_500)
            done = await reclassify(settings, ReclassifyRequest(), lambda _: None, lambda: False)
            assert categories(await decisions(session)) == expected(1_500, (1, 2, 3))
            assert (done.state, done.touched.everything, len(done.touched.deciders)) == ("done", "", 3)
            assert done.progress.decided == 400 + 300 + 200, "of each pack those with its and the new one's words; FEE is in COFFEE too"
            assert done.progress.changed == await session.fetchval("SELECT count(*) FROM rayapp.decision_history")
            again = await reclassify(settings, ReclassifyRequest(), lambda _: None, lambda: False)
            assert (again.progress.decided, again.progress.changed) == (0, 0)
            whole = await reclassify(settings, ReclassifyRequest(full=True), lambda _: None, lambda: False)
            assert (whole.progress.decided, whole.progress.changed) == (1_500, 0)
            assert await session.fetchval("SELECT count(DISTINCT pack_id) FROM rayapp.decision") == 1

    asyncio.run(story())


def test_a_run_that_is_stopped_goes_on_where_it_was(settings: Settings, tmp_path: Path) -> None:
    classifiers = [Classifier(pack_of(*known).compiled(tmp_path)) for known in ((), (0, 1))]
    told: list[int] = []

    async def story() -> None:
        async with connection(settings.database_url or "") as session:
            await begin(session, classifiers)
            stopped = await reclassify(settings, ReclassifyRequest(), lambda one: told.append(one.ranges_done), lambda: len(told) >= 2)
            assert stopped.state == "stopped"
            assert 0 < stopped.progress.changed < 800
            done = await reclassify(settings, ReclassifyRequest(), lambda _: None, lambda: False)
            assert (done.progress.id, done.progress.changed, done.state) == (stopped.progress.id, 800, "done")
            assert categories(await decisions(session)) == expected(2_000, (0, 1))
            assert await session.fetchval("SELECT count(*) FROM rayapp.decision_history") == 800

    asyncio.run(story())


def test_a_locked_row_stays_as_the_person_said_also_when_all_are_decided_again(settings: Settings, tmp_path: Path) -> None:
    classifiers = [Classifier(pack_of(*known).compiled(tmp_path)) for known in ((0,), (0, 1))]

    async def story() -> None:
        async with connection(settings.database_url or "") as session:
            await begin(session, classifiers, 50)
            await correct(session, Correction(transaction_id="0000001", category="FEES_BANK", made_by="ann"))
            await reclassify(settings, ReclassifyRequest(), lambda _: None, lambda: False)
            await reclassify(settings, ReclassifyRequest(full=True), lambda _: None, lambda: False)
            assert categories(await decisions(session)) == {**expected(50, (0, 1)), "0000001": "FEES_BANK"}

    asyncio.run(story())


def test_the_ledgers_name_every_pack_that_decides_rows_whatever_was_done_since_they_were_counted(settings: Settings, tmp_path: Path) -> None:
    classifiers = [Classifier(pack_of(*known).compiled(tmp_path)) for known in ((0,), (0, 1), (0, 2), (0, 3))]
    packs = [classifier.pack for classifier in classifiers]
    url = settings.database_url or ""
    counts: list[int] = []

    async def count(session: Any) -> None:
        used = {row["digest"] for row in await session.fetch(DECIDED_BY)}
        known = {row["digest"] for row in await session.fetch(touched.SQL["deciders_since"])}
        assert known >= used or not known
        touching = {decider.digest for decider in (await touched.soon_touched_rows(session, packs[0])).deciders}
        assert touching >= used - {packs[0].digest}
        counts.append(len(known))

    async def redecide(session: Any, pack: Any) -> int:
        done = await reclassify(settings, ReclassifyRequest(pack=pack.digest), lambda _: None, lambda: False)
        await count(session)
        return done.progress.id

    async def story() -> None:
        async with connection(url) as session:
            await begin(session, classifiers, 300)
            for pack in packs:
                await save_pack(session, pack.digest, "one", pack.dump())
            await count(session)
            first = await redecide(session, packs[1])
            await redecide(session, packs[2])
            await revert_changeset(session, first)
            await count(session)
            plan = await make_plan(url, PlanRequest(pack=packs[3].digest))
            await apply_plan(session, plan.id)
            await count(session)
            source = Source(dataset="transactions", name="x", digest="x", bytes=1, chunks=1, pack=packs[0].digest)
            job = await open_job(session, source)
            await session.execute("UPDATE rayapp.decision SET pack_id = $1 WHERE transaction_id < '0000100'", job.pack_id)
            await count(session)

    asyncio.run(story())
    assert counts[0] == 0, "before the first count"
    assert all(counts[1:3]), "known without another"


def test_a_row_that_a_load_writes_meanwhile_is_decided_upon_its_new_values(settings: Settings, tmp_path: Path) -> None:
    classifiers = [Classifier(pack_of(*known).compiled(tmp_path)) for known in ((), (0, 1))]
    new = classifiers[1]

    async def load(url: str) -> None:
        async with connection(url) as session, session.transaction():
            await session.execute("UPDATE rayapp.transaction SET descriptor = 'BAKERY AGAIN', version = version + 1 WHERE id = '0000000'")
            await session.execute("UPDATE rayapp.decision SET version = version + 1, decided_at = now() WHERE transaction_id = '0000000'")

    class Slow(Classifier):
        def classify_rows(self, *given: Any, **rest: Any) -> Any:
            asyncio.run_coroutine_threadsafe(load(settings.database_url or ""), other).result()
            return super().classify_rows(*given, **rest)

    other = asyncio.new_event_loop()

    async def story() -> None:
        async with connection(settings.database_url or "") as session:
            await begin(session, classifiers, 10)
            changeset = await open_reclassification(session, new.pack.digest, whole=False)
            condition = (await touched_rows(session, new.pack)).condition
            with pytest.raises(Exception, match="could not serialize"):
                await redecide_range(session, changeset, 0, Slow(new.pack), condition)
        async with connection(settings.database_url or "") as session:
            await redecide_range(session, changeset, 0, new, condition)
            await finish_reclassification(session, changeset)
            assert categories(await decisions(session)) == {**expected(10, (0, 1)), "0000000": "EAT_GROCERIES"}

    import threading

    thread = threading.Thread(target=other.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run(story())
    finally:
        other.call_soon_threadsafe(other.stop)
        thread.join()
        other.close()


def test_a_pack_that_is_not_stored_is_told(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no pack"):
        run_reclassify(settings, {"pack": "none"}, lambda _: None, lambda: False)


def test_a_job_tells_how_far_it_is_and_sums_up(settings: Settings, tmp_path: Path) -> None:
    classifiers = [Classifier(pack_of(*known).compiled(tmp_path)) for known in ((0,), (0, 1))]

    async def start() -> None:
        async with connection(settings.database_url or "") as session:
            await begin(session, classifiers, 100)
            await session.execute("ANALYZE rayapp.transaction")

    asyncio.run(start())
    told: list[Any] = []
    done = run_reclassify(settings, {"job": "some id", "pack": None, "full": True}, told.append, lambda: False)
    assert (done["decided"], done["changed"], done["state"], done["whole"]) == (100, 20, "done", True)
    assert (told[-1].done, told[-1].total, told[-1].failed) == (100, 100, 0)
    assert msgspec.json.decode(msgspec.json.encode(done)) == done


KILLED = """
import sys
from rayapp.data_jobs.reclassify import run_reclassify
from rayapp.settings import Settings
from rayapp.store import changesets
from rayapp.store import touched_rows as touched
from pathlib import Path
changesets.STEP = 4
settings = Settings(database_url=sys.argv[1], data_dir=Path(sys.argv[2]))
run_reclassify(settings, {"full": True}, lambda rows: print(rows.done, flush=True), lambda: False)
"""


def test_a_run_that_is_killed_again_and_again_ends_as_a_clean_one(settings: Settings, tmp_path: Path) -> None:
    classifiers = [Classifier(pack_of(*known).compiled(tmp_path)) for known in ((0,), (0, 1, 2))]
    url = settings.database_url or ""

    async def start() -> None:
        async with connection(url) as session:
            await begin(session, classifiers, 3_000)

    asyncio.run(start())
    for kill_after in (1, 3, None):
        child = subprocess.Popen([sys.executable, "-c", KILLED, url, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        if kill_after is not None:
            for _ in range(kill_after):
                child.stdout.readline()
            os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        time.sleep(0.05)
    assert child.returncode == 0

    async def look() -> None:
        async with connection(url) as session:
            assert categories(await decisions(session)) == expected(3_000, (0, 1, 2))
            history = await session.fetch("SELECT transaction_id FROM rayapp.decision_history")
            assert len(history) == len({row[0] for row in history}) == 1_200

    asyncio.run(look())
