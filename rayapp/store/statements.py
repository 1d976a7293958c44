"""SQL stays SQL: statements live in ``sql/*.sql``, each under a line ``-- name: ...``, and are read once."""

import re
from functools import cache
from importlib.resources import files

NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def statements(topic: str) -> dict[str, str]:
    """Give the statements of ``sql/<topic>.sql`` by name."""
    _, *parts = NAME.split(files("rayapp.store").joinpath("sql", f"{topic}.sql").read_text("utf-8"))
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}
