"""What surrounds every request: its id, its metrics, and a problem where something went wrong. Pure ASGI, so that streams stay streams.

Ray Serve gives each request without ``x-request-id`` one, and puts it into the head of the answer; here it is read, and not written again.
"""

import logging
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rayapp.errors import RayappError
from rayapp.serve.admission import Client, Gate
from rayapp.serve.metrics import Metrics
from rayapp.serve.problems import report_of, response_of

REQUEST_ID = b"x-request-id"
UNKNOWN_ROUTE = "unknown"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_ID = re.compile(rb"[\w.:+/=-]{1,128}")
_TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")

SLOW_S = 1.0
"""Requests that take longer are logged."""

log = logging.getLogger(__name__)


class Envelope:
    """Wraps the app."""

    def __init__(self, app: ASGIApp, metrics: Metrics, gate: Gate) -> None:
        """Take the app, where to count, and who lets in."""
        self._app = app
        self._metrics = metrics
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        reply = _Reply(send)
        try:
            client = self._gate.enter(scope["path"], headers, scope["method"])
            await self._gate.admit(client)
            scope["state"]["client"] = reply.client = client
            await self._app(scope, receive, reply)
        except RayappError as error:
            await response_of(report_of(error, request_id))(scope, receive, reply)
        except Exception:
            log.exception("http.failed", extra={"request_id": request_id, "trace_id": _trace_id(headers)})
            if reply.status:
                raise
            await response_of(report_of(RayappError("failed"), request_id))(scope, receive, reply)
        finally:
            seconds = time.perf_counter() - started
            if reply.client is not None:
                self._gate.leave(reply.client, seconds)
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._metrics.request(method, _route(scope), reply.status, seconds)
            if seconds > SLOW_S:
                told = {"request_id": request_id, "trace_id": _trace_id(headers), "route": _route(scope), "status": reply.status}
                who = reply.client.name if reply.client is not None else ""
                log.info("http.slow", extra={**told, "latency_ms": round(seconds * 1000), "client": who})


class _Reply:
    """Passes a response on and notes its status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.client: Client | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.client is not None and self.client.bucket is not None:
                message["headers"] = [*message.get("headers", ()), *self.client.headers()]
        await self._send(message)


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    """Take the client's id if it is a plain one, else make one."""
    given = headers.get(REQUEST_ID, b"")
    return given.decode() if _ID.fullmatch(given) else uuid.uuid4().hex


def _trace_id(headers: Mapping[bytes, bytes]) -> str:
    """Give the trace that a request belongs to, if it says so as W3C Trace Context does."""
    found = _TRACE.fullmatch(headers.get(b"traceparent", b""))
    return found[1].decode() if found else ""


def _route(scope: Scope) -> str:
    """Give the template of the route that answered."""
    if "rayapp.route" in scope:
        return str(scope["rayapp.route"])
    route: Any = scope.get("route")
    return getattr(route, "path", UNKNOWN_ROUTE)
