"""A POST to an address that a client chose, which must not become a way into this network.

The name is resolved once, every address that it has must be a public one, and the connection goes to the address that was looked at.
https alone, no redirects, no proxy, a time for all of it. Hosts that the operator names may be private and plain.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from rayapp.errors import InvalidInput, Unavailable

WITHIN_S = 15.0
NAT64 = ipaddress.ip_network("64:ff9b::/96")
PORTS = {"http": 80, "https": 443}

Resolve = Callable[[str, int], Collection[str]]


class Letter(msgspec.Struct, frozen=True):
    """What is sent where."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def post(letter: Letter, allowed: Collection[str], within_s: float = WITHIN_S) -> int:
    """Send a letter; gives the status of the answer, of which nothing else is read.

    Raises ``InvalidInput`` for an address that nothing is sent to, ``Unavailable`` when nobody answers in time.
    """
    parts = urlsplit(letter.url)
    address = safe_address(parts, allowed)
    connection = _Pinned(parts, address, within_s)
    timer = threading.Timer(within_s, connection.cut)
    timer.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, letter.body, {"Content-Type": "application/json", "User-Agent": "rayapp", **letter.headers})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(f"the receiver cannot be reached: {type(error).__name__}") from error
    finally:
        timer.cancel()
        connection.close()


def safe_address(parts: SplitResult, allowed: Collection[str], resolve: Resolve | None = None) -> str:
    """Resolve a host and give the address to connect to; raises ``InvalidInput`` unless all that it has may be sent to."""
    host = parts.hostname or ""
    known = host in allowed
    if parts.scheme != "https" and not (known and parts.scheme == "http"):
        raise InvalidInput("webhooks go to https alone")
    found = sorted((resolve or resolved)(host, parts.port or PORTS[parts.scheme]))
    if not found:
        raise Unavailable(f"{host} has no address")
    if not known and any(not is_public(address) for address in found):
        raise InvalidInput(f"{host} is no public host: the operator can allow it (RAYAPP_WEBHOOK_HOSTS)")
    return found[0]


def is_public(address: str) -> bool:
    """Say whether an address is one of the public internet, also where an IPv4 address is wrapped in it."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped or found.sixtofour or found.teredo or found in NAT64:
            return False
        return found.is_global and not found.is_multicast and not found.is_site_local
    return found.is_global and not found.is_multicast and not found.is_reserved


def resolved(host: str, port: int) -> Collection[str]:
    """Give the addresses of a host; raises ``Unavailable`` when it has none at the moment."""
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{host} has no address") from error


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, whatever the name resolves to by now."""

    def __init__(self, parts: SplitResult, address: str, within_s: float) -> None:
        super().__init__(parts.hostname or "", parts.port or PORTS[parts.scheme], timeout=within_s)
        self._address = address
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock: Any = self._tls.wrap_socket(plain, server_hostname=self.host) if self._tls else plain

    def cut(self) -> None:
        """End it, wherever it is."""
        with suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)
