"""What a request meets first, before Ray Serve itself: headers of Serve's own that no client may set, and flow control for streams.

Serve puts these middlewares around its proxy and its replicas (``RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH``). With
``x-request-disconnect-disabled`` Serve hands us the server's own ``receive``: a body is then read from the socket only as fast as we ask
for it, and a short request costs two tasks less. To watch for a client that has gone is then ours (see ``streaming``).

Behind Serve's own proxy a replica fetches each body with two calls back to the proxy, which take longer than to decide a row. There the
proxy reads a short body before it asks a replica, and hands it over with the request's head.
"""

import asyncio
import os
from collections.abc import Mapping

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SERVES_OWN = {b"x-request-disconnect-disabled", b"x-request-timeout-seconds"}
"""Switches of Serve that clients could reach: the second would end a request with an answer that is no problem document."""

STREAM = "/classify/stream"
WATCHED_BY_US = {"/classify", STREAM, "/jobs", "/packs"}
BULK = "/classify/bulk"
"""Watched by us where it is to become a job: its body may be large."""

UNWATCHED = (b"x-request-disconnect-disabled", b"?1")


CARRYING = "_RAYAPP_CARRY_BODIES"
"""Set to 1 in the environment of a cluster whose proxy is Serve's own."""

BODY = "rayapp.body"
MOST_CARRIED_BYTES = 65_536
CARRIED_WITHIN_S = 1.0
"""A body that takes longer to arrive goes the usual way."""


class Carry:
    """Reads short bodies in the proxy, so that replicas need not fetch them."""

    def __init__(self, app: ASGIApp) -> None:
        """Take what comes after."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its body if that is short and there."""
        if scope["type"] == "http" and scope["path"] != STREAM and is_short(dict(scope["headers"])):
            first = await in_time(receive)
            if first is not None and first["type"] == "http.request" and not first.get("more_body", False):
                scope[BODY] = first.get("body", b"")
            elif first is not None:
                receive = beginning_with(first, receive)
        await self._app(scope, receive, send)


class Carried:
    """Gives the app in a replica a body that came with the request's head as if it had just arrived."""

    def __init__(self, app: ASGIApp) -> None:
        """Take the app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if BODY in scope:
            receive = beginning_with({"type": "http.request", "body": scope.pop(BODY), "more_body": False}, receive)
        await self._app(scope, receive, send)


def is_short(headers: Mapping[bytes, bytes]) -> bool:
    """Say whether a head announces a body that is short enough to be carried."""
    length = headers.get(b"content-length", b"")
    return length.isdigit() and 0 < int(length[:9]) <= MOST_CARRIED_BYTES


async def in_time(receive: Receive) -> Message | None:
    """Receive a message, or nothing if none comes soon."""
    try:
        async with asyncio.timeout(CARRIED_WITHIN_S):
            return await receive()
    except TimeoutError:
        return None


def beginning_with(first: Message, receive: Receive) -> Receive:
    """Give what receives one message before all others."""
    waiting = [first]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


class Edge:
    """Takes Serve's switches out of the client's hands."""

    def __init__(self, app: ASGIApp) -> None:
        """Take what comes after."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            headers = [header for header in scope["headers"] if header[0] not in SERVES_OWN]
            if scope["path"] in WATCHED_BY_US or (scope["path"] == BULK and any(name == b"prefer" for name, _ in headers)):
                headers.append(UNWATCHED)
            scope["headers"] = headers
        await self._app(scope, receive, send)


def carries() -> bool:
    """Say whether this cluster's proxy is Serve's own.

    Serve asks its proxy for the rest of a request, at the price of a millisecond, as soon as the app lets the loop turn.
    """
    return os.environ.get(CARRYING) == "1"


def middlewares() -> list[Middleware]:
    """Give what Serve is to wrap itself in."""
    return [Middleware(Edge), Middleware(Carry)] if carries() else [Middleware(Edge)]
