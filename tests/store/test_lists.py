"""Lists of what is stored: in their order, page by page without gap or repeat, and by the indexes that are there for them."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rayapp.store.account_lines import Booked, account_lines
from rayapp.store.database import connection
from rayapp.store.decided import SQL, Page
from rayapp.store.review import INDEXED, to_review

STORE = """
WITH pack AS (INSERT INTO rayapp.pack (digest, name, artefact) VALUES (repeat('a', 64), 'small', '') RETURNING id),
     given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::float8[], $5::boolean[]) g (id, account, booked, sure, locked)),
     known AS (INSERT INTO rayapp.transaction (id, descriptor, account_id, booked_at, version) SELECT id, 'SHOP', account, booked, 1 FROM given)
INSERT INTO rayapp.decision (transaction_id, status, score, confidence, level, merchant_score, semantic_score, rule_score, rule_ids, pack_id, locked)
SELECT given.id, 'classified', 0.5, sure, 'LOW', 0, 0, 0, '{}', pack.id, locked FROM given, pack
"""
Row = tuple[str, str | None, datetime | None, float, bool]
"""Id, account, when it was booked, confidence, and whether a person decided."""

MADE = 120
LETTERS = "aBé_\U0001f4b3"
"""What ids begin with; people have them in another order than that of their bytes."""


def rows(seed: int) -> list[Row]:
    """Rows of which many were booked at one time or at none, and many are as sure as others."""
    chance = random.Random(seed)
    days = [None, *(datetime(2025, 3, day, 12, 30, 0, day, tzinfo=UTC) for day in (1, 2, 3))]
    ids = [f"{chance.choice(LETTERS)}{number}" for number in range(MADE)]
    sure = (0.0, 0.25, 0.5, 0.7, 0.9, 0.95, 1.0)
    accounts = ("one", "two", "x" * 5_000, None)
    return [(name, chance.choice(accounts), chance.choice(days), chance.choice(sure), chance.random() < 0.1) for name in ids]


async def store(session: Any, given: list[Row]) -> None:
    await session.execute(STORE, *(list(column) for column in zip(*given, strict=True)))


def newest_first(row: Row) -> tuple[datetime, bytes]:
    return row[2] or datetime.min.replace(tzinfo=UTC), row[0].encode()


def least_sure_first(row: Row) -> tuple[float, bytes]:
    return row[3], row[0].encode()


async def paged(database: str, page: Callable[[Any, Any], Awaitable[Page[Any]]], most: int) -> list[str]:
    """Read a list to its end, page by page; gives the ids."""
    found, after = [], None
    async with connection(database) as session:
        while True:
            read = await page(session, after)
            found += [line.id for line in read.transactions]
            assert len(read.transactions) == most or read.last is None
            if read.last is None:
                return found
            after = read.last


def stored(database: str, given: list[Row]) -> None:
    async def story() -> None:
        async with connection(database) as session:
            await store(session, given)

    asyncio.run(story())


@pytest.mark.parametrize("most", [1, 7, 500])
def test_an_accounts_lines_come_newest_first_each_once_and_those_without_a_date_last(database: str, most: int) -> None:
    given = rows(most)
    stored(database, given)
    for account in ("one", "two", "x" * 5_000, "nobody's"):
        wanted = sorted((row for row in given if row[1] == account), key=newest_first, reverse=True)
        found = asyncio.run(paged(database, lambda session, after, name=account: account_lines(session, name, after, most), most))
        assert found == [row[0] for row in wanted]


@pytest.mark.parametrize("most", [1, 7, 500])
def test_decisions_to_review_come_the_least_sure_first_each_once_without_those_that_a_person_made(database: str, most: int) -> None:
    given = rows(most)
    stored(database, given)
    for below in (0.0, 0.1, 0.7, INDEXED, 0.95, 1.0):
        wanted = sorted((row for row in given if row[3] < below and not row[4]), key=least_sure_first)
        found = asyncio.run(paged(database, lambda session, after, bound=below: to_review(session, bound, after, most), most))
        assert found == [row[0] for row in wanted]


def test_lines_that_come_between_two_pages_move_no_others(database: str) -> None:
    now = datetime(2025, 3, 1, tzinfo=UTC)

    async def story() -> None:
        async with connection(database) as session:
            await store(session, [(f"t{day}", "one", now + timedelta(days=day), 0.5, False) for day in range(4)])
            first = await account_lines(session, "one", None, 2)
            assert first.last == Booked(now + timedelta(days=2), "t2")
            await session.execute(
                "INSERT INTO rayapp.transaction SELECT 'new', 'SHOP', NULL, NULL, NULL, NULL, NULL, now(), 'one', NULL, 1"
            )
            assert [line.id for line in (await account_lines(session, "one", first.last, 2)).transactions] == ["t1", "t0"]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("statement", "types", "arguments", "index"),
    [
        ("unsure", "float8, float8, text, bigint", "0.7, -1, '', 51", "decision_unsure"),
        ("unsure", "float8, float8, text, bigint", "0.7, 0.5, 't', 51", "decision_unsure"),
        ("of_account", "text, text, text, bigint", "'one', 'infinity', '', 51", "transaction_of_account"),
        ("of_account", "text, text, text, bigint", "'one', '2025-03-01T00:00:00Z', 't', 51", "transaction_of_account"),
    ],
)
def test_a_page_is_read_from_the_index_in_its_order(database: str, statement: str, types: str, arguments: str, index: str) -> None:
    async def story(planned: str) -> str:
        async with connection(database) as session:
            await session.execute(f"SET plan_cache_mode = {planned}; SET enable_seqscan = off; SET enable_bitmapscan = off")
            await session.execute(f"PREPARE page ({types}) AS {SQL[statement]}")
            return "\n".join(row[0] for row in await session.fetch(f"EXPLAIN EXECUTE page ({arguments})"))

    for planned in ("force_custom_plan", "force_generic_plan"):
        plan = asyncio.run(story(planned))
        assert f"using {index}" in plan
        assert "Sort" not in plan
        assert plan.count("Filter") == 1, "all but the account's own name, and that nobody has decided, is asked of the index"


def test_a_page_of_an_account_with_a_good_part_of_all_lines_is_no_sort_of_them_when_the_plan_was_made_for_any_account(
    database: str,
) -> None:
    many = """
        INSERT INTO rayapp.transaction (id, descriptor, account_id, booked_at, version)
        SELECT md5(n::text), 'SHOP', CASE n % 10 WHEN 0 THEN 'large' ELSE 'a' || n / 100 END, timestamptz 'epoch' + n % 99 * interval '1 day', 1
        FROM generate_series(1, 20000) n
    """

    async def story() -> str:
        async with connection(database) as session:
            await session.execute(many)
            await session.execute("ANALYZE rayapp.transaction")
            await session.execute("SET plan_cache_mode = force_generic_plan")
            await session.execute(f"PREPARE page (text, text, text, bigint) AS {SQL['of_account']}")
            return "\n".join(row[0] for row in await session.fetch("EXPLAIN EXECUTE page ('large', 'infinity', '', 51)"))

    plan = asyncio.run(story())
    assert "using transaction_of_account" in plan
    assert "Sort" not in plan
