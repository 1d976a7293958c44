"""Plans, what carries them out and what takes them back: nothing before, exactly the plan, everything as it was but for edits."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rayapp.errors import InvalidInput
from rayapp.packs.source import Conditions, MerchantSource, Pattern, RuleSource
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.transaction import Transaction
from rayapp.store.changesets import finish_reclassification, open_reclassification, redecide_range
from rayapp.store.corrections import Correction, correct
from rayapp.store.database import connection
from rayapp.store.decision_history import decision_history
from rayapp.store.packs import activate_pack, current_pack, save_pack
from rayapp.store.plan_application import activate_checked, apply_plan, fetch_changeset, list_changesets, revert_changeset
from rayapp.store.plans import PlanRequest, make_plan
from rayapp.store.retention import Keeping, forget, forgettable
from rayapp.store.stored_rows import Range, decide, read_rows
from rayapp.store.touched_rows import touched_rows

from .redeciding import decisions, store_rows
from .small_packs import NOWHERE, Written


def rule(name: str, category: str, pattern: str, **rest: Any) -> RuleSource:
    return RuleSource(id=name, category=category, patterns=(Pattern(pattern, 1),), place=NOWHERE, **rest)


GAP = MerchantSource("gap", "Gap", "GEAR_CLOTHES", (), (), "", "", 0.95, NOWHERE)
OLD = Written((rule("coffee", "EAT_COFFEE", r"\bCOFFEE\b"),), (GAP,), (), (), (), ())
NEW = msgspec.structs.replace(
    OLD,
    rules=(
        *OLD.rules,
        rule("bakery", "EAT_GROCERIES", r"\bBAKERY\b", weight=0.9),
        rule("big", "FEES_BANK", r"\bGAP\b", when=Conditions(currency=("USD",))),
    ),
)
ROWS = [
    Transaction("1", "BLUE COFFEE", "4.50", "USD"),
    Transaction("2", "OLD BAKERY", "10", "EUR"),
    Transaction("3", "BAKERY COFFEE", "7.25", "EUR"),
    Transaction("4", "GAP 0123", "99.90", "USD"),
    Transaction("5", "NEW BAKERY", "1.10", "USD"),
    Transaction("6", "NOTHING KNOWN", "1", "USD"),
]


class Stored:
    """A database with rows decided by one pack, which is active, and another pack stored beside it."""

    def __init__(self, url: str, folder: Path, new: Written = NEW) -> None:
        self.url = url
        self.old, self.new = (Classifier(pack.compiled(folder)) for pack in (OLD, new))

    async def begin(self, session: Any) -> None:
        await store_rows(session, self.old, ROWS)
        await activate_pack(session, self.old.pack.digest)
        await save_pack(session, self.new.pack.digest, "new", self.new.pack.dump())

    def request(self, **rest: Any) -> PlanRequest:
        return PlanRequest(pack=self.new.pack.digest, **rest)

    async def reclassify(self, session: Any) -> int:
        """Decide anew by the new pack, every range; gives the changeset."""
        touched = await touched_rows(session, self.new.pack)
        changeset = await open_reclassification(session, self.new.pack.digest, whole=False)
        for number in range(changeset.ranges):
            await redecide_range(session, changeset, number, self.new, touched.condition)
        await finish_reclassification(session, changeset)
        return changeset.id


@pytest.fixture
def story(database: str, tmp_path: Path) -> Callable[[Callable[[Any, Stored], Awaitable[None]]], None]:
    """Run a test's coroutine over a session and a stored beginning."""

    def tell(body: Callable[[Any, Stored], Awaitable[None]], new: Written = NEW) -> None:
        async def whole() -> None:
            stored = Stored(database, tmp_path, new)
            async with connection(database) as session:
                await stored.begin(session)
                await body(session, stored)

        asyncio.run(whole())

    return tell


def test_a_plan_says_what_changes_and_writes_no_decision(story: Any) -> None:
    async def body(session: Any, stored: Stored) -> None:
        before = await decisions(session)
        plan = await make_plan(stored.url, stored.request())
        assert await decisions(session) == before
        assert await current_pack(session) == stored.old.pack.digest
        report = plan.report
        moves = {(one.before, one.after): (one.rows, one.amounts) for one in report.transitions if one.before != one.after}
        assert moves[None, "EAT_GROCERIES"] == (2, {"EUR": "10", "USD": "1.10"})
        assert moves["EAT_COFFEE", "EAT_GROCERIES"] == (1, {"EUR": "7.25"})
        rules = {one.rule: one for one in report.rules}
        assert (rules["bakery"].gained, rules["bakery"].fires, rules["bakery"].shadowed) == (3, 3, 0)
        assert (rules["big"].gained, rules["big"].fires, rules["big"].shadowed) == (0, 1, 1)
        assert (rules["coffee"].gained, rules["coffee"].lost) == (0, 1)
        assert (report.category, report.merchant, report.other, report.locked) == (3, 0, 1, 0)
        assert {sample.id for sample in report.samples} == {"2", "3", "4", "5"}
        assert report.examined == 4

    story(body)


def test_a_plan_carried_out_gives_what_deciding_all_again_gives(story: Any) -> None:
    async def body(session: Any, stored: Stored) -> None:
        async with session.transaction():
            every = decide(stored.new, await read_rows(session, Range(0, 1000), "true"))
        plan = await make_plan(stored.url, stored.request())
        changeset = await apply_plan(session, plan.id, made_by="ann")
        assert (changeset.kind, changeset.changed, changeset.plan_id, changeset.made_by) == ("apply", 4, plan.id, "ann")
        assert {key: value[5] for key, value in (await decisions(session)).items()} == {
            row["id"]: row["category_detailed"] for row in every.decisions.to_pylist()
        }
        assert await current_pack(session) == stored.new.pack.digest
        with pytest.raises(InvalidInput, match="carried out before"):
            await apply_plan(session, plan.id)

    story(body)


async def load_more(session: Any, stored: Stored) -> None:
    await session.execute("INSERT INTO rayapp.pack (digest, name, artefact) VALUES ('x', 'x', 'x')")
    await session.execute(
        "INSERT INTO rayapp.ingest_job (dataset, source, source_digest, source_bytes, pack_id, chunks) VALUES ('transactions', 's', 'd', 1, 1, 1)"
    )


async def activate_another(session: Any, stored: Stored) -> None:
    await activate_pack(session, stored.new.pack.digest)


async def correct_one(session: Any, stored: Stored) -> None:
    await correct(session, Correction(transaction_id="2", category="FEES_BANK", made_by="ann"))


async def edit_unseen(session: Any, stored: Stored) -> None:
    await session.execute("UPDATE rayapp.decision SET merchant_name = 'else' WHERE transaction_id = '2'")


async def delete_one(session: Any, stored: Stored) -> None:
    await session.execute("DELETE FROM rayapp.decision WHERE transaction_id = '2'")


@pytest.mark.parametrize(
    ("moves", "message"),
    [
        (load_more, "written since"),
        (activate_another, "active pack was"),
        (correct_one, "written since"),
        (edit_unseen, "not as plan"),
        (delete_one, "not as plan"),
    ],
)
def test_a_plan_is_refused_when_data_or_pack_moved_since(story: Any, moves: Any, message: str) -> None:
    async def body(session: Any, stored: Stored) -> None:
        plan = await make_plan(stored.url, stored.request())
        await moves(session, stored)
        before = await decisions(session)
        with pytest.raises(InvalidInput, match=message):
            await apply_plan(session, plan.id)
        assert await decisions(session) == before

    story(body)


def test_a_change_taken_back_leaves_everything_as_it_was(story: Any) -> None:
    async def body(session: Any, stored: Stored) -> None:
        before = await session.fetch("SELECT transaction_id, rayapp.verdict_of(d) AS verdict FROM rayapp.decision d ORDER BY 1")
        plan = await make_plan(stored.url, stored.request())
        changeset = await apply_plan(session, plan.id)
        done = await revert_changeset(session, changeset.id, made_by="bob")
        assert (done.restored, done.left, done.active) == (4, 0, stored.old.pack.digest)
        assert await session.fetch("SELECT transaction_id, rayapp.verdict_of(d) AS verdict FROM rayapp.decision d ORDER BY 1") == before
        assert await current_pack(session) == stored.old.pack.digest
        with pytest.raises(InvalidInput, match="taken back before"):
            await revert_changeset(session, changeset.id)
        with pytest.raises(InvalidInput, match="which is not taken back"):
            await revert_changeset(session, done.changeset)
        assert [one.kind for one in await list_changesets(session)] == ["revert", "apply"]
        assert (await fetch_changeset(session, changeset.id)).reverted_by == done.changeset

    story(body)


def test_what_a_change_is_taken_back_by_is_kept_for_ever_unless_asked_otherwise_and_for_corrections_always(story: Any) -> None:
    async def body(session: Any, stored: Stored) -> None:
        plan = await make_plan(stored.url, stored.request())
        applied = await apply_plan(session, plan.id)
        corrected = await correct(session, Correction(transaction_id="6", category="FEES_BANK", made_by="ann"))
        unused = await make_plan(stored.url, PlanRequest(pack=stored.old.pack.digest))
        await session.execute("UPDATE rayapp.changeset SET finished_at = finished_at - interval '400 days'")
        await session.execute("UPDATE rayapp.plan SET finished_at = finished_at - interval '400 days'")
        assert (await forget(session, Keeping(jobs_days=90, files_days=1, history_days=0))).planned == 4, "not those that may still be applied"
        assert await session.fetchval("SELECT count(*) FROM rayapp.planned_decision WHERE plan_id = $1", unused.id) > 0
        assert (await forgettable(session, Keeping(0, 0, 90))).history == 4
        assert (await forget(session, Keeping(0, 0, 90))).history == 4
        with pytest.raises(InvalidInput, match="was forgotten on"):
            await revert_changeset(session, applied.id)
        assert (await revert_changeset(session, corrected.changeset)).restored == 1

    story(body)


def test_rows_that_were_edited_meanwhile_are_not_put_back_and_are_named(story: Any) -> None:
    async def body(session: Any, stored: Stored) -> None:
        changeset = (await apply_plan(session, (await make_plan(stored.url, stored.request())).id)).id
        await correct(session, Correction(transaction_id="2", category="FEES_BANK", made_by="ann"))
        await session.execute("UPDATE rayapp.decision SET version = version + 1 WHERE transaction_id = '3'")
        await session.execute("UPDATE rayapp.decision SET merchant_name = 'else' WHERE transaction_id = '4'")
        done = await revert_changeset(session, changeset)
        assert done.restored == 1
        assert {one.transaction_id: one.why for one in done.edited} == {
            "2": "was corrected by a person",
            "3": "was loaded again",
            "4": "was decided again",
        }
        after = await decisions(session)
        assert (after["2"][5], after["5"][5]) == ("FEES_BANK", None)

    story(body)


def test_another_pack_that_became_active_meanwhile_stays_active(story: Any) -> None:
    async def body(session: Any, stored: Stored) -> None:
        changeset = (await apply_plan(session, (await make_plan(stored.url, stored.request())).id)).id
        await save_pack(session, "other", "other", b"x")
        await activate_pack(session, "other")
        assert (await revert_changeset(session, changeset)).active is None
        assert await current_pack(session) == "other"

    story(body)


def test_a_correction_locks_its_row_against_every_change(story: Any) -> None:
    async def body(session: Any, stored: Stored) -> None:
        done = await correct(session, Correction(transaction_id="2", category="PAY_SALARY", merchant="Old Bakery Ltd", made_by="ann"))
        assert (done.before, done.after, done.pack) == (None, "PAY_SALARY", stored.old.pack.digest)
        plan = await make_plan(stored.url, stored.request(override="she knows"))
        assert [one.id for one in plan.report.locked_samples] == ["2"]
        assert plan.report.locked == 1
        await apply_plan(session, plan.id)
        await stored.reclassify(session)
        row = await session.fetchrow("SELECT * FROM rayapp.decision WHERE transaction_id = '2'")
        assert (row["category_detailed"], row["merchant_name"], row["locked"]) == ("PAY_SALARY", "Old Bakery Ltd", True)

    story(body)


def test_a_correction_taken_back_frees_the_row(story: Any) -> None:
    async def body(session: Any, stored: Stored) -> None:
        before = await decisions(session)
        first = await correct(session, Correction(transaction_id="2", category="PAY_SALARY", made_by="ann"))
        second = await correct(session, Correction(transaction_id="2", category="FEES_BANK", made_by="bob"))
        await revert_changeset(session, second.changeset)
        row = await session.fetchrow("SELECT * FROM rayapp.decision WHERE transaction_id = '2'")
        assert (row["category_detailed"], row["locked"]) == ("PAY_SALARY", True)
        await revert_changeset(session, first.changeset)
        assert await decisions(session) == before
        assert not await session.fetchval("SELECT locked FROM rayapp.decision WHERE transaction_id = '2'")
        assert not await session.fetchval("SELECT count(*) FROM rayapp.standing_correction")

    story(body)


def test_a_pack_that_breaks_corrections_needs_a_reason(story: Any) -> None:
    async def body(session: Any, stored: Stored) -> None:
        await correct(session, Correction(transaction_id="2", category="EAT_GROCERIES", made_by="ann"))
        await correct(session, Correction(transaction_id="1", category="FEES_BANK", made_by="ann"))
        await correct(session, Correction(transaction_id="6", category="FEES_BANK", made_by="ann", regression=False))
        plan = await make_plan(stored.url, stored.request())
        assert plan.blocked
        assert [(one.transaction_id, one.wanted, one.given) for one in plan.report.broken] == [("1", "FEES_BANK", "EAT_COFFEE")]
        with pytest.raises(InvalidInput, match="breaks 1 corrections"):
            await apply_plan(session, plan.id)
        with pytest.raises(InvalidInput, match="breaks 1 corrections"):
            await activate_checked(session, stored.new.pack.digest)
        assert await current_pack(session) == stored.old.pack.digest
        done = await apply_plan(session, plan.id, override="an exception")
        assert "an exception" in done.reason

    story(body)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"transaction_id": "none"}, "no transaction"),
        ({"category": "EAT_COFFE"}, "did you mean EAT_COFFEE"),
        ({"category": "?"}, "no category"),
        ({"made_by": " "}, "name of who"),
    ],
)
def test_a_wrong_correction_changes_nothing(story: Any, wrong: dict[str, str], message: str) -> None:
    async def body(session: Any, stored: Stored) -> None:
        given = {"transaction_id": "1", "category": "FEES_BANK", "made_by": "ann", **wrong}
        with pytest.raises(InvalidInput, match=message):
            await correct(session, Correction(**given))
        assert not await session.fetchval("SELECT count(*) FROM rayapp.changeset")

    story(body)


def test_history_tells_why_a_decision_changed(story: Any) -> None:
    async def body(session: Any, stored: Stored) -> None:
        assert await decision_history(session, "3") == []
        first = await stored.reclassify(session)
        await correct(session, Correction(transaction_id="3", category="FEES_BANK", made_by="ann", reason="a fee"))
        history = await decision_history(session, "3")
        assert [(one.kind, one.category_before, one.category_after) for one in history] == [
            ("reclassify", "EAT_COFFEE", "EAT_GROCERIES"),
            ("correction", "EAT_GROCERIES", "FEES_BANK"),
        ]
        assert (history[0].changeset, history[0].rules_before, history[0].rules_after) == (first, ["coffee"], ["bakery"])
        assert (history[0].pack_before, history[0].pack_after) == (stored.old.pack.digest, stored.new.pack.digest)
        assert (history[1].made_by, history[1].reason) == ("ann", "a fee")

    story(body)
