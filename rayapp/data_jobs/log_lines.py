"""Lines of a log as a person reads them: when, who, what happened, and the facts that were given with it as ``name=value``."""

import logging
from typing import TextIO

PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; everything else was given as ``extra``."""


def log_to(stream: TextIO | None = None, level: int | str = logging.INFO) -> None:
    """Have this process log to a stream, standard error if not given."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Facts("%(asctime)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


class _Facts(logging.Formatter):
    """Lays the facts behind the event's name, in one line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        facts = (f"{name}={_value(value)}" for name, value in vars(record).items() if name not in PLAIN and not name.startswith("_"))
        return " ".join((super().formatMessage(record), *facts))


def _value(value: object) -> str:
    """Write a value, in quotes where it has blanks or line ends."""
    words = str(value)
    return words if words and words.isprintable() and " " not in words else repr(words)
