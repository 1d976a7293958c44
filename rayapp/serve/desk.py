"""The desk of one replica: the classifier that decides now, the batcher that it runs behind, and the swap to another pack."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import pyarrow as pa

from rayapp.errors import Unavailable
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.transaction import Transaction
from rayapp.serve.admission import Client, Gate
from rayapp.serve.answers import UNAVAILABLE, Answer, bulk_body
from rayapp.serve.batching import Batcher
from rayapp.serve.bodies import LENIENT, BadRow, BulkRows, Row, read_bulk
from rayapp.serve.caches import whole
from rayapp.serve.database import Database
from rayapp.serve.engine import Chunk, Lines, Single, Work, is_light, run_batch
from rayapp.serve.metrics import Metrics
from rayapp.serve.problems import Place
from rayapp.serve.queueing import Bounds, Tier
from rayapp.serve.recall import Caching, Recall
from rayapp.serve.scaling import CPU, QUEUED_AGE, QUEUED_WORK
from rayapp.serve.streaming import Stream
from rayapp.serve.wishes import PLAIN, Wishes
from rayapp.store.stored_transactions import fetch_transactions

READERS = 1
"""Threads that read and write the JSON of large bodies; the engine frees the interpreter's lock in its kernels meanwhile."""

CHUNK_ROWS = 1_000
"""Rows of one bulk request that are decided together; others have their turns between."""

MANY: dict[Tier, Tier] = {"priority": "standard", "standard": "bulk", "bulk": "bulk"}
"""Whose turn chunks of many rows are: they come after the single requests of their client's tier."""

FETCH_WITHIN_S = 10.0
WITHIN_S = 30.0
"""How long a bulk call may take from when its body is there."""

Value = TypeVar("Value")


class Deciding(NamedTuple):
    """A classifier and the version under which its pack is active."""

    version: int
    classifier: Classifier


class Desk:
    """Classifies off the event loop. A request uses one classifier from beginning to end, whatever is swapped meanwhile."""

    def __init__(self, gate: Gate | None = None, database: Database | None = None, caching: Caching | None = None) -> None:
        """Open the desk behind a gate, or to everybody; it answers after the first ``swap``."""
        self._database = database
        self.gate = gate or Gate()
        self.metrics = Metrics()
        self._recall = Recall(self.metrics, caching or Caching())
        self.batcher: Batcher[Work, Answer] = Batcher(self._run, self.metrics, light=is_light)
        self._readers = ThreadPoolExecutor(READERS, "rayapp-json")
        self._deciding: Deciding | None = None
        self._ahead = 0
        self._looked = time.process_time(), time.monotonic()
        self.told: Callable[[], Awaitable[bytes]] = self._alone
        """Gives what Prometheus is told: this desk's numbers, where there are others theirs as well."""

    @property
    def deciding(self) -> Deciding:
        """Give what decides now; raises ``Unavailable`` before there is a pack."""
        if self._deciding is None:
            raise Unavailable("no rule pack is loaded yet")
        return self._deciding

    async def swap(self, version: int, pack: CompiledPack) -> None:
        """Decide by another pack from the next batch on, as soon as it is ready."""
        self.use(Deciding(version, await asyncio.to_thread(_ready, pack)))

    def use(self, deciding: Deciding) -> None:
        """Decide by a classifier that is ready."""
        self._deciding = deciding
        self.metrics.pack(deciding.version, deciding.classifier.pack.digest)

    async def classify_one(self, body: bytes, client: Client, wishes: Wishes = PLAIN) -> bytes:
        """Answer the body of ``POST /classify``, together with whoever asks at the same time."""
        await self.gate.charge(client, 1)
        asked = None
        if not wishes.fresh and wishes.reading is LENIENT:
            asked = self._recall.question(body, self.deciding.classifier, explained=wishes.explained)
        kept = await self._recall.find(asked.question) if asked else None
        if asked and kept:
            answer = whole(kept, asked.id)
        else:
            single = Single(body, wishes.explained, asked, wishes.reading)
            answer = await self.batcher.submit(single, Bounds(1, len(body)), client.tier)
            if asked:
                self._recall.share(asked.question)
        self.metrics.rows(answer.outcomes)
        return answer.rows[0]

    async def classify_bulk(self, body: bytes, client: Client, wishes: Wishes = PLAIN) -> bytes:
        """Answer the body of ``POST /classify/bulk``, chunk by chunk, so that others have their turns in between."""
        until, classifier = time.monotonic() + WITHIN_S, self.deciding.classifier
        read = await self.aside(lambda: read_bulk(body, wishes.reading))
        await self.gate.charge(client, len(read.rows) + len(read.ids))
        parts = [Chunk(read.rows, 0, classifier)]
        if read.ids:
            parts.append(Chunk(await self._looked_up(read, client), 0, classifier, "transaction_ids"))
        answers = [answer for part in parts async for answer in self._decided(part, len(body), client, until)]
        for answer in answers:
            self.metrics.rows(answer.outcomes)
        return bulk_body(answers, classifier.pack.digest)

    async def _decided(self, whole: Chunk, size: int, client: Client, until: float) -> AsyncIterator[Answer]:
        """Have rows of one request decided, a chunk after the other; all that are left of them count as waiting."""
        left = len(whole.rows)
        self._ahead += left
        try:
            for first in range(0, len(whole.rows), CHUNK_ROWS):
                chunk = whole._replace(rows=whole.rows[first : first + CHUNK_ROWS], first=first)
                part = Bounds(len(chunk.rows), size * len(chunk.rows) // len(whole.rows))
                self._ahead, left = self._ahead - len(chunk.rows), left - len(chunk.rows)
                yield await self.batcher.submit(chunk, part, MANY[client.tier], until - time.monotonic())
        finally:
            self._ahead -= left

    async def _looked_up(self, read: BulkRows, client: Client) -> Sequence[Row]:
        """Read stored transactions; where they cannot be, and there are others to answer, each is told so and costs nothing."""
        try:
            return await self.stored(read.ids)
        except Unavailable as error:
            self.gate.refund(client, len(read.ids))
            if not read.rows:
                raise
            said = error.message
        return [BadRow(name, (Place(f"#/transaction_ids/{place}", said),), UNAVAILABLE) for place, name in enumerate(read.ids)]

    def numbers(self) -> bytes:
        """Give what this desk counts, in Prometheus's text format."""
        self.metrics.queued_rows.set(self.batcher.rows)
        self.metrics.queued_seconds.set(self.batcher.oldest())
        return self.metrics.text()

    async def _alone(self) -> bytes:
        return self.numbers()

    def load(self) -> dict[str, float]:
        """Tell how much waits and how busy this process was since it was last asked, in the words of ``scaling``."""
        cpu, now = time.process_time(), time.monotonic()
        share = (cpu - self._looked[0]) / max(now - self._looked[1], 1e-3)
        self._looked = cpu, now
        work = self.batcher.cost.row_s * (self.batcher.rows + self._ahead)
        return {QUEUED_AGE: self.batcher.oldest(), QUEUED_WORK: work, CPU: share}

    async def close(self) -> None:
        """Finish what waits, take nothing more, and let go of the database."""
        await self.batcher.stop()
        self._readers.shutdown(wait=False)
        await self._recall.close()
        if self._database is not None:
            await self._database.close()

    async def stored(self, ids: Sequence[str]) -> Sequence[Row]:
        """Read stored transactions in one query; an id that nothing is stored under is a bad row."""
        if self._database is None:
            raise Unavailable("this service has no database to read transactions from")
        found = await self._database.ask(lambda session: fetch_transactions(session, ids), FETCH_WITHIN_S)
        missing = "no transaction with this id is stored"
        return [found.get(name) or BadRow(name, (Place(f"#/transaction_ids/{place}", missing),)) for place, name in enumerate(ids)]

    def stream(self, wishes: Wishes, client: Client) -> Stream:
        """Begin to answer the body of a ``POST /classify/stream`` with the classifier of this moment."""

        async def submit(lines: Lines, size: Bounds) -> Answer:
            await self.gate.charge_patiently(client, len(lines.lines))
            answer = await self.batcher.submit(lines, size, MANY[client.tier])
            self.metrics.rows(answer.outcomes)
            return answer

        return Stream(self.deciding.classifier, submit, wishes)

    async def aside(self, work: Callable[[], Value]) -> Value:
        """Do work that is none of the engine's in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    def _run(self, works: Sequence[Work]) -> Sequence[Answer | Exception]:
        """Answer a batch by the classifier of this moment; called in the engine's thread."""
        classifier = self.deciding.classifier
        answers = run_batch(works, classifier)
        self._recall.learn(works, answers, classifier)
        return answers


def _ready(pack: CompiledPack) -> Classifier:
    """Make a classifier that has run each of its kernels once."""
    classifier = Classifier(pack)
    classifier.classify_one(Transaction(id="A", descriptor="A"))
    classifier.classify(pa.table({"id": ["A"], "descriptor": ["A"]}))
    return classifier
