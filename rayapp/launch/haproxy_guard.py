"""Starts HAProxy for Ray Serve with what Serve's template lacks: an end, limits, and errors that clients can read.

Serve leaves HAProxy behind when it is itself killed, and its ports with it; Serve's template binds HAProxy's statistics and metrics to
every interface, lets any number of requests into a replica, and answers for one that cannot take them with a bare 500. Here each replica
gets as many requests at once as it can work on; others wait in HAProxy, where waiting costs next to nothing, and are sent away when they
have waited for too long. So what a replica gets done stays the same however many ask.

Run as ``python -I haproxy_guard.py HAPROXY -db -f CONFIG ...`` in HAProxy's place; it becomes HAProxy. Imports nothing but the standard
library, since it stands in the way of every reload.
"""

import ctypes
import math
import os
import re
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
AT_ONCE = 256
"""Requests in one replica at a time, streams among them."""

QUEUE_MS = 500
"""How long a request waits for its replica."""

RETRY_AFTER_S = math.ceil(QUEUE_MS / 1_000)
"""When another try can help who was sent away: by then all that waited before it has been answered, or sent away as well."""

HEAD = "10s"

KEPT = """    tune.pool-low-fd-ratio 95
    tune.pool-high-fd-ratio 99
"""
"""HAProxy keeps no connection to a replica for the next request once clients hold a fifth of all the connections that it can have, unless
it is told to; a replica would then spend more on new connections than on requests, just when there are most of them."""

ERRORS = {
    "502": ("bad-gateway", "The service failed to answer"),
    "503": ("full", "The service has more to do than it can"),
    "504": ("gateway-timeout", "The service did not answer in time"),
}
"""By status: the problem's type and title. Another try can help with each of them."""

REFUSALS = {"400": ("bad-request", "This is no HTTP request"), "408": ("slow-head", "The head of the request did not arrive in time")}
"""What HAProxy refuses before it has read a request's head, so that there is no id yet."""

REQUEST_ID = r"""    http-request set-var(txn.rayapp_id) req.hdr(x-request-id) if { req.hdr(x-request-id) -m reg ^[\w.:+/=-]{1,128}$ }
    http-request set-var(txn.rayapp_id) uuid() if !{ var(txn.rayapp_id) -m found }
    http-request set-header x-request-id %[var(txn.rayapp_id)]
"""
"""A client's own id if it is a plain one, else a new one; in front of everything, so that HAProxy's own errors carry it too."""

TURNS = """    http-request set-var(txn.rayapp_key) req.hdr(x-api-key)
    http-request set-var(txn.rayapp_key) req.hdr(authorization),word(2,' ') if !{ var(txn.rayapp_key) -m found }
    acl rayapp_priority var(txn.rayapp_key) -m beg rayapp_priority_
    acl rayapp_bulk var(txn.rayapp_key) -m beg rayapp_bulk_
    acl rayapp_key var(txn.rayapp_key) -m beg rayapp_
    http-request set-priority-class int(-1) if rayapp_priority
    http-request set-priority-class int(-1) if rayapp_key !rayapp_priority !rayapp_bulk { rand(4) eq 0 }
    http-request set-priority-class int(-1) if rayapp_bulk { rand(16) eq 0 }
"""
"""Who waits in front: each request of the tier priority, each fourth of standard and each sixteenth of bulk, by lot, so that while all
three have more than is done they share as in a replica's queue (16 : 4 : 1) and nobody starves (lottery scheduling: Waldspurger and Weihl,
1994). A key says its tier; one that lies is refused by the replica all the same."""

_ERROR_FILE = re.compile(r"^(\s*)errorfile (\d+) .*$", re.MULTILINE)
_FRONTEND = re.compile(r"^(frontend http_frontend\n\s*bind .*\n)", re.MULTILINE)
_BACKEND = re.compile(r"^(backend .*\n\s*log global\n)", re.MULTILINE)
_SERVER = re.compile(r"^(\s*server \S+ \S+:\d+ check\b.*)$", re.MULTILINE)
_GLOBAL = re.compile(r"^(global\n)", re.MULTILINE)
_LOG = re.compile(r"^\s*log 127\.0\.0\.1:514 .*\n", re.MULTILINE)
_DEFAULTS = re.compile(r"^(defaults\n)", re.MULTILINE)
_EVERYWHERE = re.compile(r"^(\s*bind\s+)(?:\*|):(\d+)\s*$", re.MULTILINE)


def loopback_only(config: str) -> str:
    """Bind to loopback what is bound to every interface."""
    return _EVERYWHERE.sub(r"\g<1>127.0.0.1:\2", config)


def limited(config: str) -> str:
    """Bound what a replica gets at once, how long anything waits, and how long a client may take for its head."""
    config = _DEFAULTS.sub(rf"\1    timeout http-request {HEAD}\n", config)
    config = _BACKEND.sub(rf"\1    timeout queue {QUEUE_MS}ms\n", config)
    return _SERVER.sub(rf"\1 maxconn {AT_ONCE}", config)


def in_turns(config: str) -> str:
    """Have requests wait by the tier of their client's key."""
    return _FRONTEND.sub(lambda found: found[1] + TURNS, config)


def lasting(config: str) -> str:
    """Have connections to replicas kept however many clients there are, and no line for each request sent to a log that nobody keeps."""
    return _GLOBAL.sub(lambda found: found[1] + KEPT, _LOG.sub("", config))


def with_problems(config: str) -> str:
    """Have HAProxy's own errors be problem documents (RFC 9457), with the request's id, which every request gets, where there is one."""
    refusals = "".join(f"    {_said(status, _document(status, *problem))}\n" for status, problem in REFUSALS.items())
    config = _DEFAULTS.sub(lambda found: found[1] + refusals, config)
    return _ERROR_FILE.sub(lambda found: found[1] + _error(found[2]), _FRONTEND.sub(lambda found: found[1] + REQUEST_ID, config))


def _error(status: str) -> str:
    told = _document(status, *ERRORS[status], f',"request_id":"%[var(txn.rayapp_id)]","retry_after":{RETRY_AFTER_S}')
    return f"{_said(status, told)} hdr Retry-After {RETRY_AFTER_S} hdr x-request-id %[var(txn.rayapp_id)]"


def _said(status: str, document: str) -> str:
    return f"http-error status {status} content-type application/problem+json lf-string '{document}'"


def _document(status: str, name: str, title: str, more: str = "") -> str:
    return f'{{"type":"urn:rayapp:problem:{name}","title":"{title}","status":{status}{more}}}'


def end_with_parent() -> None:
    """Have the kernel end this process when its parent does."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def main(words: list[str]) -> None:
    """Become HAProxy."""
    if "-f" in words:
        path = Path(words[words.index("-f") + 1])
        config = with_problems(in_turns(limited(lasting(path.read_text()))))
        path.write_text(loopback_only(config) if os.environ.get("_RAYAPP_LOOPBACK") == "1" else config)
    end_with_parent()
    os.execv(words[0], words)  # noqa: S606 - the program that Serve would have started itself


if __name__ == "__main__":
    main(sys.argv[1:])
