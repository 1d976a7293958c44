"""Starts HAProxy for Ray Serve such that it ends with the process that started it, and listens on loopback only where that is wanted.

Serve leaves HAProxy behind when it is itself killed, and its ports with it; and Serve's template binds HAProxy's statistics and metrics
to every interface. Run as ``python -I haproxy_guard.py HAPROXY -db -f CONFIG ...`` in HAProxy's place; it becomes HAProxy. Imports nothing
but the standard library, since it stands in the way of every reload.
"""

import ctypes
import os
import re
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
_EVERYWHERE = re.compile(r"^(\s*bind\s+)(?:\*|):(\d+)\s*$", re.MULTILINE)


def loopback_only(config: str) -> str:
    """Bind to loopback what is bound to every interface."""
    return _EVERYWHERE.sub(r"\g<1>127.0.0.1:\2", config)


def end_with_parent() -> None:
    """Have the kernel end this process when its parent does."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def main(words: list[str]) -> None:
    """Become HAProxy."""
    if os.environ.get("_RAYAPP_LOOPBACK") == "1" and "-f" in words:
        path = Path(words[words.index("-f") + 1])
        path.write_text(loopback_only(path.read_text()))
    end_with_parent()
    os.execv(words[0], words)  # noqa: S606 - the program that Serve would have started itself


if __name__ == "__main__":
    main(sys.argv[1:])
