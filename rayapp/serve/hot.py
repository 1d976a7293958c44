"""``POST /classify`` and ``/classify/stream`` without a framework around them.

Of the time that a single request takes in a replica the framework's would be a third; and a stream needs the server's own ``receive``.
Everything else goes to the app. Both routes are described in the OpenAPI document like the others, see ``openapi``.
"""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from rayapp.errors import RayappError
from rayapp.serve.bodies import LINE_TYPES, MAX_ONE_BYTES, check_media_type
from rayapp.serve.desk import Desk
from rayapp.serve.encodings import Collected, in_time, unpacker
from rayapp.serve.problems import report_of, response_of
from rayapp.serve.streaming import Request
from rayapp.serve.wishes import wishes_of

ONE, STREAM = "/classify", "/classify/stream"
ROUTES = {ONE, STREAM}
JSON_HEAD = (b"content-type", b"application/json")
READ_WITHIN_S = 30.0
"""How long a body of one transaction may take to arrive."""


class HotPath:
    """Answers its two routes and passes everything else on."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        """Take the app and the desk."""
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] not in ROUTES or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["rayapp.route"] = scope["path"]
        try:
            await (self._one if scope["path"] == ONE else self._stream)(scope, receive, send)
        except RayappError as error:
            await response_of(report_of(error, scope["state"]["request_id"]))(scope, receive, send)

    async def _one(self, scope: Scope, receive: Receive, send: Send) -> None:
        wishes = wishes_of(scope["query_string"])
        if any(name == b"cache-control" and b"no-store" in value.lower() for name, value in scope["headers"]):
            wishes = wishes._replace(fresh=True)
        answer = await self._desk.classify_one(await _body(scope, receive), scope["state"]["client"], wishes)
        head = [JSON_HEAD, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": answer})

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        check_media_type(headers, LINE_TYPES)
        stream = self._desk.stream(wishes_of(scope["query_string"]), scope["state"]["client"])
        unpacked = unpacker(headers.get(b"content-encoding", b""))
        await stream.run(Request(receive, send, unpacked, scope["state"]["request_id"]))


async def _body(scope: Scope, receive: Receive) -> bytes:
    """Read a body of at most ``MAX_ONE_BYTES``. One whose client has gone is what has come of it."""
    headers = dict(scope["headers"])
    check_media_type(headers)
    collected = Collected(headers, MAX_ONE_BYTES)
    message = await receive()
    collected.add(message.get("body", b""))
    if message.get("more_body", False):
        with in_time():
            async with asyncio.timeout(READ_WITHIN_S):
                await _rest(collected, receive)
    return collected.body()


async def _rest(collected: Collected, receive: Receive) -> None:
    more = True
    while more:
        message = await receive()
        collected.add(message.get("body", b""))
        more = message.get("more_body", False)
