"""Short bodies that Serve's own proxy hands over with the head: an app gets the same messages, whatever way a body took."""

import asyncio

import pytest

from rayapp.serve import edge
from rayapp.serve.edge import BODY, CARRYING, MOST_CARRIED_BYTES, Carried, Carry, middlewares

END = {"type": "http.disconnect"}


def piece(body, *, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def through(messages, path="/classify", length=b"5"):
    """Send messages through proxy and replica; gives those that the app got, and what the head carried between the two."""
    between, got = [], []

    async def app(_scope, receive, _send):
        got.extend([await receive() for _ in messages])

    async def replica(scope, receive, send):
        between.append(scope.get(BODY))
        await Carried(app)(scope, receive, send)

    async def run():
        waiting = list(messages)

        async def receive():
            await asyncio.sleep(0)
            return waiting.pop(0)

        headers = [(b"content-length", length)] if length else []
        await Carry(replica)({"type": "http", "path": path, "headers": headers}, receive, None)

    asyncio.run(run())
    return got, between[0]


@pytest.mark.parametrize(
    ("messages", "more", "carried"),
    [
        ([piece(b"hello"), END], {}, b"hello"),
        ([piece(b"he", more=True), piece(b"llo"), END], {}, None),
        ([piece(b"hello"), END], {"path": "/classify/stream"}, None),
        ([piece(b"hello"), END], {"length": b""}, None),
        ([piece(b"hello"), END], {"length": b"many"}, None),
        ([piece(b"hello"), END], {"length": b"%d" % (MOST_CARRIED_BYTES + 1)}, None),
        ([piece(b""), END], {"length": b"0"}, None),
        ([END], {}, None),
    ],
    ids=["short", "in pieces", "a stream", "of no known length", "of no length at all", "long", "empty", "gone"],
)
def test_an_app_gets_what_was_sent_and_only_short_whole_bodies_are_carried(messages, more, carried):
    assert through(messages, **more) == (messages, carried)


def test_a_body_that_is_slow_goes_the_usual_way(monkeypatch):
    monkeypatch.setattr(edge, "CARRIED_WITHIN_S", 0.0)
    assert through([piece(b"hello"), END]) == ([piece(b"hello"), END], None)


def test_bodies_are_carried_only_behind_serves_own_proxy(monkeypatch):
    monkeypatch.delenv(CARRYING, raising=False)
    assert [each.cls for each in middlewares()] == [edge.Edge]
    monkeypatch.setenv(CARRYING, "1")
    assert [each.cls for each in middlewares()] == [edge.Edge, Carry]
