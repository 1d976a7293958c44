"""``POST /classify/stream``: lines of JSON in, lines of JSON out, for as long as the client likes and in the same memory.

The reader takes the body only as fast as there is room for its lines, so that a slow engine or a client that reads slowly slows the sender
down (see ``edge``). Whatever lines there are when their turn comes are decided together: the first result leaves while the body still
arrives. The response never looks at ``receive``, as Starlette's own would: it would take pieces of the body for itself. A client that goes
ends everything.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
from starlette.types import Message, Receive, Send

from rayapp.errors import RayappError
from rayapp.scoring.classifier import Classifier
from rayapp.serve.answers import Answer, Outcome, Summary, summary_of
from rayapp.serve.encodings import Packed, Plain
from rayapp.serve.engine import Lines
from rayapp.serve.inbox import Inbox
from rayapp.serve.lines import Cut, LineCutter
from rayapp.serve.overload import QueueFull
from rayapp.serve.problems import Report, SlowBody, report_of
from rayapp.serve.queueing import Bounds
from rayapp.serve.wishes import PLAIN, Wishes

MAX_LINE_BYTES = 100_000
GROUP_LINES = 2_000
"""Lines that are decided together at most: a group costs half a millisecond however many it has."""

AHEAD = 3
"""Groups of one stream that are with the engine or waiting for it, so that it finds the next one while the loop writes the last."""

ROOM = Bounds(rows=2 * GROUP_LINES, bytes=4_000_000)
"""Lines of one stream that are kept while they wait for their turn."""

SILENCE_S = 300.0
"""How long a stream may bring nothing while it is waited for; a source of its own may be quiet for a while."""

FULL_PAUSE_S = 0.1
"""How long a stream waits before it asks a full queue again: it can wait."""

NDJSON = [(b"content-type", b"application/x-ndjson"), (b"cache-control", b"no-store")]

Submit = Callable[[Lines, Bounds], Awaitable[Answer]]


class ClientGone(Exception):
    """The client has closed the connection; nobody reads an answer."""


class Finished(msgspec.Struct, frozen=True):
    """The last line of a stream that came to its end: what became of the rows, and the number of the last line."""

    summary: Summary
    lines: int
    pack: str


class Broken(msgspec.Struct, frozen=True):
    """The last line of a stream that had to end before: why, and the first line without an answer, to begin again from."""

    error: Report
    from_line: int


class Request(NamedTuple):
    """A request as the server gives it, with what unpacks its body and its id."""

    receive: Receive
    send: Send
    unpacker: Plain | Packed
    id: str


class Begun(NamedTuple):
    """Lines that are being decided, up to the line ``last``."""

    answer: asyncio.Task[Answer]
    last: int


class Stream:
    """One stream from its first line to its last."""

    def __init__(self, classifier: Classifier, submit: Submit, wishes: Wishes = PLAIN) -> None:
        """Take who decides all of its lines, how to have lines decided, and what the client wants."""
        self.outcomes: Counter[Outcome] = Counter()
        self._classifier = classifier
        self._submit = submit
        self._inbox = Inbox(ROOM)
        self._cutter = LineCutter(MAX_LINE_BYTES)
        self._from_line = self._next = wishes.from_line
        self._reading = wishes.reading
        self._headed = False

    async def run(self, request: Request) -> None:
        """Answer a body line by line. Returns when the answer is written or the client has gone; raises what comes before any answer."""
        reading = asyncio.create_task(self._read(request.receive, request.unpacker))
        answering = asyncio.create_task(self._answer(request))
        try:
            await asyncio.wait({reading, answering}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                await answering
        finally:
            reading.cancel()
            answering.cancel()
            await asyncio.gather(reading, answering, return_exceptions=True)

    async def _read(self, receive: Receive, unpacker: Plain | Packed) -> None:
        """Read the body as fast as there is room; then wait for the client to go, which ends this by ``ClientGone``."""
        try:
            more = True
            while more:
                message = await _soon(receive)
                if message["type"] == "http.disconnect":
                    raise ClientGone
                for plain in unpacker.feed(message.get("body", b"")):
                    await self._keep(self._cutter.feed(plain))
                more = message.get("more_body", False)
            unpacker.end()
            await self._keep(self._cutter.end())
        except TimeoutError:
            self._inbox.end(SlowBody(f"no line came for {SILENCE_S:.0f} s"))
        except RayappError as error:
            self._inbox.end(error)
        else:
            self._inbox.end()
        while (await receive())["type"] != "http.disconnect":
            pass
        raise ClientGone

    async def _keep(self, cut: Cut) -> None:
        kept = cut.since(self._from_line)
        if kept.lines:
            await self._inbox.put(kept)

    async def _answer(self, request: Request) -> None:
        """Write the whole answer; what breaks the stream before its first result is raised, and answered as for any request."""
        try:
            await self._answer_lines(request.send)
        except RayappError as error:
            if not self._headed:
                raise
            last: Finished | Broken = Broken(report_of(error, request.id), self._next)
        else:
            last = Finished(summary_of([self.outcomes]), self._cutter.number, self._classifier.pack.digest)
        await self._send(msgspec.json.encode(last) + b"\n", request.send, more=False)

    async def _answer_lines(self, send: Send) -> None:
        """Have lines decided and write the answers; what has come meanwhile is decided while the answer before is written."""
        begun: deque[Begun] = deque()
        try:
            while begun or await self._begin(begun):
                while len(self._inbox) and len(begun) < AHEAD:
                    await self._begin(begun)
                await self._write(begun[0], send)
                begun.popleft()
        finally:
            for chunk in begun:
                chunk.answer.cancel()

    async def _begin(self, begun: deque[Begun]) -> bool:
        """Have the lines that wait decided; says whether there are any, or ever will be."""
        (numbers, texts), size = await self._inbox.take(GROUP_LINES)
        if texts:
            answer = asyncio.create_task(self._patiently(Lines(texts, numbers, self._classifier, self._reading), Bounds(len(texts), size)))
            begun.append(Begun(answer, numbers[-1]))
        return bool(texts)

    async def _patiently(self, lines: Lines, size: Bounds) -> Answer:
        """Have lines decided; where the queue is full, ask again until there is room."""
        while True:
            try:
                return await self._submit(lines, size)
            except QueueFull:
                await asyncio.sleep(FULL_PAUSE_S)

    async def _write(self, begun: Begun, send: Send) -> None:
        answer = await begun.answer
        await self._send(b"\n".join(answer.rows) + b"\n", send, more=True)
        self.outcomes.update(answer.outcomes)
        self._next = begun.last + 1

    async def _send(self, body: bytes, send: Send, *, more: bool) -> None:
        """Send a piece of the answer, after its head. curl sends no body when the head comes along with ``100 Continue``."""
        if not self._headed:
            self._headed = True
            await send({"type": "http.response.start", "status": 200, "headers": NDJSON})
        await send({"type": "http.response.body", "body": body, "more_body": more})


async def _soon(receive: Receive) -> Message:
    async with asyncio.timeout(SILENCE_S):
        return await receive()
