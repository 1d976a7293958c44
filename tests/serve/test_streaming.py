"""Streams: results while the body arrives, back pressure both ways, bad lines in place, clients that go, and beginning again."""

import asyncio
import gzip
import json
import zlib

import pytest

from rayapp import Transaction
from rayapp.serve import streaming
from rayapp.serve.app import build_app
from rayapp.serve.encodings import Plain
from rayapp.serve.engine import answer_many
from rayapp.serve.streaming import AHEAD, GROUP_LINES, MAX_LINE_BYTES, ROOM, Request, Stream

ONE = {"id": "1", "descriptor": "SQ *BLUE BOTTLE 0123 OAKLAND CA", "amount": "4.50", "currency": "USD", "direction": "debit"}


def line(**more):
    return json.dumps({**ONE, **more}).encode() + b"\n"


class Connection:
    """A client of one stream as the server sees it: pieces that it sends, and a reader that can be slow."""

    def __init__(self, app, query="", headers=()):
        self.pieces = asyncio.Queue()
        self.got = asyncio.Queue()
        self.asked = 0
        self.reads = asyncio.Event()
        self.reads.set()
        self.rest = b""
        scope = {"type": "http", "method": "POST", "path": "/classify/stream", "query_string": query.encode(), "headers": list(headers)}
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    def send(self, body, *, more=True):
        self.pieces.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def go(self):
        self.pieces.put_nowait({"type": "http.disconnect"})

    async def _receive(self):
        self.asked += 1
        return await self.pieces.get()

    async def _send(self, message):
        await self.reads.wait()
        self.got.put_nowait(message)

    async def line(self):
        """Give the next line of the answer, decoded."""
        while b"\n" not in self.rest:
            message = await self.got.get()
            if message["type"] == "http.response.start":
                self.status = message["status"]
            self.rest += message.get("body", b"")
        first, _, self.rest = self.rest.partition(b"\n")
        return json.loads(first)

    async def all(self):
        """Give every line of the answer, when it has ended."""
        await self.task
        while not self.got.empty():
            self.rest += self.got.get_nowait().get("body", b"")
        return [json.loads(text) for text in self.rest.splitlines()]


@pytest.fixture
def stream(desk):
    """Run a coroutine with a maker of connections to the app."""

    def run(test):
        async def in_loop():
            app = build_app(desk)
            try:
                return await test(lambda query="", headers=(): Connection(app, query, headers))
            finally:
                await desk.batcher.stop()

        return asyncio.run(in_loop())

    return run


def whole(stream, body, query="", headers=()):
    """Send a body at once and give the lines of the answer."""

    async def test(connect):
        connection = connect(query, headers)
        connection.send(body, more=False)
        return await connection.all()

    return stream(test)


def test_the_first_result_comes_while_the_body_still_arrives(stream):
    async def test(connect):
        connection = connect()
        for number in range(5):
            connection.send(line(id=str(number)))
            assert (await connection.line())["id"] == str(number)
        connection.send(b"", more=False)
        assert (await connection.line())["summary"] == {"rows": 5, "classified": 5, "unclassified": 0, "rejected": 0}
        await connection.task

    stream(test)


def test_lines_keep_their_order_and_are_what_the_library_says(stream, small_classifier):
    rows = [{**ONE, "id": str(number)} for number in range(2_500)]
    found = whole(stream, b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    assert [answer["id"] for answer in found[:-1]] == [row["id"] for row in rows]
    assert found[0]["score"] == small_classifier.classify_one(Transaction(**rows[0])).score
    assert found[-1] == {
        "summary": {"rows": 2_500, "classified": 2_500, "unclassified": 0, "rejected": 0},
        "lines": 2_500,
        "pack": small_classifier.pack.digest,
    }


def test_pieces_may_break_anywhere_and_the_last_line_needs_no_end(stream):
    body = b"\xef\xbb\xbf" + line(id="1") + b"\r\n" + line(id="2").replace(b"\n", b"\r\n") + line(id="3").rstrip()

    async def test(connect):
        connection = connect()
        for place in range(0, len(body), 7):
            connection.send(body[place : place + 7])
        connection.send(b"", more=False)
        return await connection.all()

    found = stream(test)
    assert [answer.get("id") for answer in found] == ["1", "2", "3", None]
    assert found[-1]["lines"] == 4


def test_a_bad_line_is_answered_in_its_place_with_its_number(stream):
    body = line(id="1") + b'{"id": "2"\n' + line(id="3", currency="QQQ") + b'"' + b"x" * MAX_LINE_BYTES + b'"\n' + b"\xff\n" + line(id="6")
    found = whole(stream, body)
    assert [(answer.get("id"), answer.get("status"), answer.get("line")) for answer in found[:-1]] == [
        ("1", "classified", None),
        (None, "rejected", 2),
        ("3", "rejected", 3),
        (None, "rejected", 4),
        (None, "rejected", 5),
        ("6", "classified", None),
    ]
    assert found[2]["errors"][0]["pointer"] == "#/currency"
    assert found[3]["errors"][0]["detail"] == "the line is too long"
    assert found[-1]["summary"] == {"rows": 6, "classified": 2, "unclassified": 0, "rejected": 4}


def test_a_line_without_end_takes_no_memory(stream):
    async def test(connect):
        connection = connect()
        for _ in range(400):
            connection.send(b"x" * 65_536)
        connection.send(b"\n" + line(id="2"), more=False)
        return await connection.all()

    assert [answer.get("id") for answer in stream(test)] == [None, "2", None]


def test_a_client_that_reads_slowly_is_not_read_from_without_end(stream):
    async def test(connect):
        connection = connect()
        connection.reads.clear()
        piece = line() * 500
        for _ in range(200):
            connection.send(piece)
        connection.send(b"", more=False)
        for _ in range(200):
            await asyncio.sleep(0.005)
        assert connection.asked * 500 <= 2 * ROOM.rows + 4_000
        connection.reads.set()
        found = await connection.all()
        assert found[-1]["summary"]["rows"] == 100_000

    stream(test)


@pytest.mark.parametrize("reading", [True, False], ids=["in the middle of its body", "after its body"])
def test_a_client_that_goes_away_frees_everything(stream, desk, reading):
    async def test(connect):
        connection = connect()
        connection.send(line() * 3_000, more=True)
        await connection.line()
        if not reading:
            connection.reads.clear()
            connection.send(line() * 5_000, more=False)
        connection.go()
        await connection.task
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert others == set()

    stream(test)
    assert (desk.batcher.rows, desk.batcher.bytes) == (0, 0)


def test_a_stream_begins_again_where_it_is_told(stream):
    body = b"".join(line(id=str(number)) for number in range(1, 11))
    found = whole(stream, body, "from_line=8")
    assert [answer.get("id") for answer in found] == ["8", "9", "10", None]
    assert (found[-1]["summary"]["rows"], found[-1]["lines"]) == (3, 10)


@pytest.mark.parametrize("query", ["from_line=0", "from_line=x", "from_line=", "from_line=-1", "from_line=1e3"])
def test_what_is_no_number_of_a_line_is_refused(ask, query):
    refused = ask("POST", f"/classify/stream?{query}", content=line())
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "?from_line")


PACKED = pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("gzip", lambda body: gzip.compress(body[:50]) + gzip.compress(body[50:]))],
    ids=["gzip", "deflate", "gzip of two members"],
)


@PACKED
def test_a_packed_stream_is_unpacked(stream, encoding, pack):
    found = whole(stream, pack(line() * 1_000), headers=[(b"content-encoding", encoding.encode())])
    assert found[-1]["summary"]["rows"] == 1_000


@PACKED
@pytest.mark.parametrize(("path", "body"), [("/classify", line()), ("/classify/bulk", b'{"transactions": [' + line() + b"]}")])
def test_a_packed_body_is_unpacked(ask, encoding, pack, path, body):
    answer = ask("POST", path, content=pack(body), headers={"content-encoding": encoding, "content-type": "application/json"})
    assert answer.status_code == 200


def test_a_body_that_breaks_off_ends_the_stream_with_the_line_to_begin_again_from(stream):
    packed = gzip.compress(b"".join(line(id=str(number)) for number in range(5_000)))
    found = whole(stream, packed[:-200], headers=[(b"content-encoding", b"gzip")])
    assert found[-1]["error"]["type"] == "urn:rayapp:problem:malformed-body"
    assert found[-1]["from_line"] == len(found)


def test_a_body_that_cannot_be_unpacked_at_all_is_a_bad_request(ask):
    refused = ask("POST", "/classify/stream", content=b"no gzip", headers={"content-encoding": "gzip"})
    assert (refused.status_code, refused.json()["type"]) == (400, "urn:rayapp:problem:malformed-body")


def test_a_small_body_that_unpacks_to_a_large_one_is_refused(ask):
    bomb = zlib.compress(b" " * 50_000_000)
    refused = ask("POST", "/classify/bulk", content=bomb, headers={"content-encoding": "deflate", "content-type": "application/json"})
    assert refused.status_code == 413


def test_an_empty_stream_has_a_summary(stream):
    assert whole(stream, b"")[0]["summary"]["rows"] == 0


def test_without_a_pack_a_stream_is_refused_before_it_begins(ask_unready):
    assert ask_unready("POST", "/classify/stream", content=line()).status_code == 503


def test_a_stream_that_brings_nothing_is_ended_and_says_where_to_go_on(ask, monkeypatch):
    async def stuck():
        yield b'{"id": "1", "descriptor": "X"}\n{"id": "2", "descr'
        await ask.runner.get_loop().create_future()

    monkeypatch.setattr(streaming, "SILENCE_S", 0.05)
    first, last = ask("POST", "/classify/stream", content=stuck(), headers={"content-type": "application/x-ndjson"}).content.splitlines()
    assert json.loads(first)["id"] == "1"
    told = json.loads(last)
    assert (told["error"]["type"], told["error"]["status"], told["from_line"]) == ("urn:rayapp:problem:slow-body", 408, 2)


def test_the_next_groups_are_with_the_engine_while_one_is_answered(small_classifier):
    async def test():
        waiting, all_there = [], asyncio.Event()

        async def submit(lines, _size):
            waiting.append(lines)
            if len(waiting) == AHEAD:
                all_there.set()
            await asyncio.wait_for(all_there.wait(), 10)
            return answer_many(lines)

        pieces = iter([(line() * GROUP_LINES, True), (line() * (2 * GROUP_LINES), False)])
        written = []

        async def receive():
            body, more = next(pieces, (None, False))
            return {"type": "http.request", "body": body, "more_body": more} if body else await asyncio.Future()

        async def send(message):
            written.append(message.get("body", b""))

        await Stream(small_classifier, submit).run(Request(receive, send, Plain(), "an id"))
        return [len(lines.lines) for lines in waiting], b"".join(written).count(b"\n")

    groups, lines = asyncio.run(test())
    assert groups[:AHEAD] == [GROUP_LINES] * AHEAD
    assert lines == 3 * GROUP_LINES + 1
