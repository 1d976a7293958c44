"""What a plan tells people: transitions with counts and amounts, what each rule gains, loses or fires in vain, samples, locked rows."""

import threading
from collections.abc import Mapping, Sequence

import asyncpg
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from rayapp.scoring.classifier import Classifier
from rayapp.store.corrections import Broken
from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements
from rayapp.store.stored_rows import INPUTS, Decided
from rayapp.store.touched_rows import Touched

SQL = statements("plans")
SAMPLES = 3
MOST_NAMES = 20
DECIDED, LOCKED = (False,), (True,)


class Transition(msgspec.Struct, frozen=True):
    """Rows that go from one detailed category to another (null is none); decimal amounts without their sign by currency."""

    before: str | None
    after: str | None
    rows: int
    amounts: dict[str, str]


class RuleEffect(msgspec.Struct, frozen=True):
    """A rule's rows: ``gained`` and ``lost`` decisions that it speaks for.

    Of a rule that differs from the active pack's also how many of the rows looked at it fires on, and on how many of these in vain
    (``shadowed``), since they come out as another category.
    """

    rule: str
    gained: int = 0
    lost: int = 0
    fires: int | None = None
    shadowed: int | None = None


class NameEffect(msgspec.Struct, frozen=True):
    """Rows that one alias spoke for and another does now; empty where none."""

    before: str
    after: str
    rows: int


class Sample(msgspec.Struct, frozen=True):
    """A row that changes, or that would if it were not ``locked``."""

    id: str
    descriptor: str
    amount: str | None
    currency: str | None
    before: str | None
    after: str | None
    merchant_before: str | None
    merchant_after: str | None
    confidence_before: float
    confidence_after: float
    locked: bool


class Source(msgspec.Struct, frozen=True):
    """Rows decided by one pack, and why they can differ: how many differences, or what makes all of them differ."""

    pack: str
    name: str
    rows: int
    differences: int
    everything: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The summary of a plan. ``examined`` rows were decided again, ``unreadable`` ones among them keep their decision.

    Of the rows that change, ``category`` get another category, ``merchant`` only another merchant's name, ``other`` only other evidence
    or confidence. ``locked`` rows would change and do not, since a person decided.
    """

    sources: list[Source]
    examined: int
    unreadable: int
    category: int
    merchant: int
    other: int
    locked: int
    transitions: list[Transition]
    levels: list[tuple[str, str, int]]
    rules: list[RuleEffect]
    names: list[NameEffect]
    samples: list[Sample]
    locked_samples: list[Sample]
    broken: list[Broken]

    @property
    def changed(self) -> int:
        """Rows that change in anything."""
        return self.category + self.merchant + self.other


class Examined:
    """Counts over the rows that were decided again, range by range. ``rules``: id and category of the rules to follow, by number."""

    def __init__(self, rules: Mapping[int, tuple[str, str]]) -> None:
        """Begin at nothing."""
        self.rules = rules
        self.rows = self.unreadable = 0
        self.fires = dict.fromkeys(rules, 0)
        self.shadowed = dict.fromkeys(rules, 0)
        self._lock = threading.Lock()

    def add(self, classifier: Classifier, decided: Decided) -> None:
        """Count a range."""
        if self.rules and decided.stored.num_rows:
            self._follow(classifier, decided)
        with self._lock:
            self.rows += decided.stored.num_rows
            self.unreadable += decided.unreadable

    def _follow(self, classifier: Classifier, decided: Decided) -> None:
        fired = classifier.fires(decided.stored.select(INPUTS), list(self.rules))
        given = decided.decisions["category_detailed"].cast(pa.string())
        with self._lock:
            for number, rows in zip(self.rules, fired, strict=True):
                other = pc.fill_null(pc.not_equal(given, self.rules[number][1]), fill_value=True).to_numpy()
                self.fires[number] += int(rows.sum())
                self.shadowed[number] += int((rows & other).sum())


async def write_report(session: asyncpg.Connection, plan_id: int, touched: Touched, examined: Examined, broken: Sequence[Broken]) -> Report:
    """Sum the planned rows up, and keep the sum with the plan."""
    with errors_as_ours():
        kinds = await session.fetchrow(SQL["kinds"], plan_id)
        report = Report(
            sources=[
                Source(one.digest, one.name, one.rows, len(one.difference.clauses), one.difference.everything) for one in touched.deciders
            ],
            examined=examined.rows,
            unreadable=examined.unreadable,
            category=kinds["category"],
            merchant=kinds["merchant"],
            other=kinds["other"],
            locked=await session.fetchval(SQL["locked"], plan_id),
            transitions=_transitions(await session.fetch(SQL["transitions"], plan_id)),
            levels=[(row["before"], row["after"], row["rows"]) for row in await session.fetch(SQL["levels"], plan_id)],
            rules=_rules(await session.fetch(SQL["rules"], plan_id), examined),
            names=[NameEffect(**dict(row)) for row in await session.fetch(SQL["names"], plan_id, MOST_NAMES)],
            samples=[Sample(**dict(row)) for row in await session.fetch(SQL["samples"], plan_id, SAMPLES, *DECIDED)],
            locked_samples=[Sample(**dict(row)) for row in await session.fetch(SQL["samples"], plan_id, SAMPLES, *LOCKED)],
            broken=list(broken),
        )
        await session.execute(SQL["finish"], plan_id, msgspec.json.encode(report).decode())
    return report


def _transitions(rows: Sequence[asyncpg.Record]) -> list[Transition]:
    """Join the currencies of each transition, the most rows first; rows that keep their category come last."""
    found: dict[tuple[str | None, str | None], tuple[int, dict[str, str]]] = {}
    for row in rows:
        count, amounts = found.get((row["before"], row["after"]), (0, {}))
        found[row["before"], row["after"]] = count + row["rows"], {**amounts, row["currency"]: row["amount"]}
    ordered = sorted(found.items(), key=lambda item: (item[0][0] == item[0][1], -item[1][0], str(item[0])))
    return [Transition(before, after, count, amounts) for (before, after), (count, amounts) in ordered]


def _rules(rows: Sequence[asyncpg.Record], examined: Examined) -> list[RuleEffect]:
    """Put what was counted over changed rows beside what changed rules fire on."""
    counted = {row["rule"]: (row["gained"], row["lost"]) for row in rows}
    effects = []
    for number, (rule, _) in examined.rules.items():
        gained, lost = counted.pop(rule, (0, 0))
        effects.append(RuleEffect(rule, gained, lost, examined.fires[number], examined.shadowed[number]))
    return effects + [RuleEffect(rule, gained, lost) for rule, (gained, lost) in counted.items()]
