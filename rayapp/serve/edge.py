"""What a request meets first, before Ray Serve itself: headers of Serve's own that no client may set, and flow control for streams.

Serve puts these middlewares around its proxy and its replicas (``RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH``). With
``x-request-disconnect-disabled`` Serve hands us the server's own ``receive``: a body is then read from the socket only as fast as we ask
for it, and a short request costs two tasks less. To watch for a client that has gone is then ours (see ``streaming``).
"""

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

SERVES_OWN = {b"x-request-disconnect-disabled", b"x-request-timeout-seconds"}
"""Switches of Serve that clients could reach: the second would end a request with an answer that is no problem document."""

WATCHED_BY_US = {"/classify", "/classify/stream", "/jobs", "/packs"}
BULK = "/classify/bulk"
"""Watched by us where it is to become a job: its body may be large."""

UNWATCHED = (b"x-request-disconnect-disabled", b"?1")


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


def middlewares() -> list[Middleware]:
    """Give what Serve is to wrap itself in."""
    return [Middleware(Edge)]
