"""A retry of a load tries the rows again that were refused, as the rows that they were, and no others."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from rayapp.data_jobs.load_job import run_ingest
from rayapp.settings import Settings
from rayapp.store.database import connection, migrated

VISITS = """
name = "visits"
table = "crm.visits"
key = ["visit_id"]

[[column]]
name = "visit_id"
type = "text"
needed = true

[[column]]
name = "guest"
type = "text"
needed = {needed}
"""
BAD = {2, 7, 25}
LOADED = "SELECT visit_id, guest FROM crm.visits ORDER BY visit_id"
COUNTS = "SELECT sum(rows), sum(inserted), sum(updated), sum(superseded), sum(repeated), sum(quarantined) FROM rayapp.ingest_chunk"


class Visits:
    """A dataset whose declaration is changed between two loads."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(database_url=url, data_dir=folder, datasets=folder / "datasets", tier_small=2, tier_medium=4)
        (folder / "datasets").mkdir()

    def declare(self, *, needed: bool) -> None:
        (self.folder / "datasets" / "visits.toml").write_text(VISITS.format(needed=str(needed).lower()))
        asyncio.run(migrated(self.settings.database_url or "", self.settings.datasets))

    def write(self, name: str, rows: list[tuple[int, str]]) -> str:
        path = self.folder / name
        path.write_text("visit_id,guest\n" + "".join(f"v{number:02},{guest}\n" for number, guest in rows))
        return str(path)

    def load(self, source: str, retry_of: str | None = None) -> dict[str, Any]:
        request = {"source": source, "dataset": "visits", "job": "x", "pack": None, "retry_of": retry_of}
        return run_ingest(self.settings, request, lambda _: None, lambda: False)

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        async def answer() -> list[tuple[Any, ...]]:
            async with connection(self.settings.database_url or "") as session:
                return [tuple(row) for row in await session.fetch(question)]

        return asyncio.run(answer())


@pytest.fixture
def visits(database: str, tmp_path: Path) -> Visits:
    made = Visits(database, tmp_path)
    made.declare(needed=True)
    return made


def test_rows_that_are_good_now_are_loaded_and_the_others_stay_as_they_are(visits: Visits) -> None:
    source = visits.write("one.csv", [(number, "" if number in BAD else f"g{number}") for number in range(30)])
    assert visits.load(source)["quarantined"] == 3
    assert visits.load(source, "job")["quarantined"] == 3, "nothing has changed"
    state = visits.ask("SELECT rayapp.data_state()")
    visits.declare(needed=False)
    assert visits.load(source)["quarantined"] == 3, "a load that is run again is no retry"
    again = visits.load(source, "job")
    assert (again["rows"], again["inserted"], again["quarantined"]) == (30, 30, 0)
    assert visits.ask(LOADED) == [(f"v{number:02}", None if number in BAD else f"g{number}") for number in range(30)]
    assert visits.ask("SELECT count(*) FROM rayapp.quarantine") == [(0,)]
    assert visits.ask("SELECT rayapp.data_state()") != state, "plans that were made before are made again"
    before = visits.ask("SELECT *, xmin::text FROM crm.visits ORDER BY 1"), visits.ask(COUNTS)
    visits.load(source, "job")
    assert (visits.ask("SELECT *, xmin::text FROM crm.visits ORDER BY 1"), visits.ask(COUNTS)) == before, "a second retry does nothing"


def test_a_row_that_comes_late_does_not_replace_what_is_newer(visits: Visits) -> None:
    first = visits.write("first.csv", [(1, ""), (2, ""), (3, ""), (4, "four"), (3, "three")])
    visits.load(visits.write("before.csv", [(1, "old")]))
    visits.load(first)
    visits.load(visits.write("newer.csv", [(2, "new")]))
    visits.declare(needed=False)
    done = visits.load(first, "job")
    assert visits.ask(LOADED) == [("v01", None), ("v02", "new"), ("v03", "three"), ("v04", "four")]
    assert (done["inserted"], done["updated"], done["superseded"] + done["repeated"], done["quarantined"]) == (2, 1, 2, 0)


def test_a_mended_source_is_another_load(visits: Visits) -> None:
    source = visits.write("one.csv", [(1, ""), (2, "two")])
    visits.load(source)
    visits.write("one.csv", [(1, "one"), (2, "two")])
    assert visits.load(source, "job")["quarantined"] == 0
    assert visits.ask(LOADED) == [("v01", "one"), ("v02", "two")]
