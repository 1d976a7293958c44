"""``POST /classify`` without a framework around it: of the time that a request takes in a replica, the framework's would be a third.

Everything else goes to the app. The route is described in the OpenAPI document like the others, see ``openapi``.
"""

from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from rayapp.errors import InvalidInput, RayappError
from rayapp.serve.bodies import MAX_ONE_BYTES, check_length, check_media_type, too_large
from rayapp.serve.desk import Desk
from rayapp.serve.problems import Place, report_of, response_of

PATH = "/classify"
YES, NO = {"true", "1", "on", "yes", "t", "y"}, {"false", "0", "off", "no", "f", "n"}
JSON_HEAD = (b"content-type", b"application/json")


class HotPath:
    """Answers ``POST /classify`` and passes everything else on."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        """Take the app and the desk."""
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["rayapp.route"] = PATH
        try:
            explained = asks_for_reasons(scope["query_string"])
            answer = await self._desk.classify_one(await _body(scope, receive), explained=explained)
        except RayappError as error:
            await response_of(report_of(error, scope["state"]["request_id"]))(scope, receive, send)
            return
        head = [JSON_HEAD, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": answer})


async def _body(scope: Scope, receive: Receive) -> bytes:
    """Read a body, and no byte more than needed to refuse it. One whose client has gone is what has come of it."""
    headers = dict(scope["headers"])
    check_media_type(headers)
    check_length(headers, MAX_ONE_BYTES)
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False) and len(body) <= MAX_ONE_BYTES:
        message = await receive()
        body += message.get("body", b"")
    if len(body) > MAX_ONE_BYTES:
        raise too_large(MAX_ONE_BYTES)
    return body


def asks_for_reasons(query: bytes) -> bool:
    """Read ``explain`` from a query string; raises ``InvalidInput`` where it is no yes and no no."""
    if not query:
        return False
    said = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)).get("explain", "false").lower()
    if said not in YES | NO:
        raise InvalidInput("?explain: is not true or false", [Place("?explain", "is not true or false")])
    return said in YES
