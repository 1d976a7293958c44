"""Whether a PostgreSQL server answers on a socket, asked in its own protocol."""

import socket
import struct
from pathlib import Path
from typing import Literal

PORT = 5432
PROTOCOL_3_0 = 196_608
WAIT_S = 5.0
STARTING_UP = b"C57P03\0"  # cannot_connect_now, in the field that carries the SQLSTATE

State = Literal["ready", "busy", "down"]


def socket_path(directory: Path) -> Path:
    """Give the path of the server's socket inside ``directory``."""
    return directory / f".s.PGSQL.{PORT}"


def probe(directory: Path) -> State:
    """Ask the server that listens in ``directory`` for a connection and hang up.

    ``ready``: it takes connections. ``busy``: someone listens who does not take any yet, or does not answer within ``WAIT_S``.
    ``down``: nobody listens.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(WAIT_S)
        try:
            client.connect(str(socket_path(directory)))
        except TimeoutError:
            return "busy"
        except OSError:
            return "down"
        try:
            client.sendall(_startup_message())
            answer = client.recv(1024)
        except OSError:
            return "busy"
    return "busy" if not answer or STARTING_UP in answer else "ready"


def _startup_message() -> bytes:
    body = struct.pack("!i", PROTOCOL_3_0) + b"user\0postgres\0database\0postgres\0application_name\0rayapp probe\0\0"
    return struct.pack("!i", len(body) + 4) + body
