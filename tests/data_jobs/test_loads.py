"""Whole loads in this process, from a file to rows: what goes wrong is told, and what broke off goes on."""

import asyncio
import csv
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rayapp.data_jobs import local_load
from rayapp.data_jobs.bad_rows import Limit
from rayapp.data_jobs.ingest import Surroundings, Wanted, cancel_load, run_load
from rayapp.datasets import dataset
from rayapp.errors import InvalidInput, Unavailable
from rayapp.settings import Settings
from rayapp.sources.options import SourceOptions
from rayapp.sources.planning import plan_source
from rayapp.store.database import connection
from rayapp.store.ledger import Progress

UPLOAD = {"csv_upload_id": "u1"}


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """Settings by which 20 rows are huge, so that small files take every way of loading."""
    return Settings(database_url=database, data_dir=tmp_path, tier_small=5, tier_medium=10, tier_large=20)


def catalogue(path: Path, rows: int, bad: tuple[int, ...] = ()) -> Path:
    lines = [f"v{row},Cup {row},{'dear' if row in bad else f'{row}.50'}" for row in range(rows)]
    path.write_text("\n".join(["variant_id,title,price", *lines]) + "\n")
    return path


def load(settings: Settings, source: Path, wanted: Wanted | None = None, around: Surroundings | None = None) -> Progress:
    wanted = wanted or Wanted("catalog_snapshot")
    with plan_source(str(source), dataset(wanted.dataset), SourceOptions(constants=UPLOAD), settings) as planned:
        return run_load(settings, wanted, planned, around or Surroundings())


def ask(settings: Settings, question: str) -> list[Any]:
    async def answer() -> list[Any]:
        async with connection(str(settings.database_url)) as session:
            return [tuple(row) for row in await session.fetch(question)]

    return asyncio.run(answer())


def stored(settings: Settings) -> dict[str, str]:
    return dict(ask(settings, "SELECT variant_id, price::text FROM rayapp.catalog_snapshot WHERE csv_upload_id = 'u1'"))


@pytest.mark.parametrize(("rows", "tier"), [(3, "small"), (7, "medium"), (15, "large"), (60, "huge")])
def test_every_tier_loads_every_row(settings: Settings, tmp_path: Path, rows: int, tier: str) -> None:
    progress = load(settings, catalogue(tmp_path / "c.csv", rows))
    assert (progress.tier, progress.rows, progress.inserted, progress.source_rows) == (tier, rows, rows, rows)
    assert stored(settings) == {f"v{row}": f"{row}.50" for row in range(rows)}
    assert ask(settings, "SELECT count(*) FROM pg_indexes WHERE tablename = 'catalog_snapshot'") == [(1,)]


def test_processes_beside_the_first_load_each_piece_once(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_load, "CORES_A_PROCESS", 1)
    monkeypatch.setattr(local_load, "PIECES_A_PROCESS", 1)
    for number in range(3):
        catalogue(tmp_path / f"c{number}.csv", 60)
    progress = load(settings, tmp_path / "c*.csv")
    assert (progress.chunks, progress.rows, progress.finished_at is not None) == (3, 180, True)
    assert stored(settings) == {f"v{row}": f"{row}.50" for row in range(60)}


def test_a_file_that_was_loaded_is_known_whatever_the_thresholds_are_by_now(settings: Settings, tmp_path: Path) -> None:
    source = catalogue(tmp_path / "c.csv", 15)
    first = load(settings, source)
    again = load(msgspec.structs.replace(settings, tier_small=100, tier_medium=100, tier_large=100), source)
    assert (again.id, again.tier, again.rows) == (first.id, "large", 15)


def test_bad_rows_are_told_by_line_column_value_and_reason(settings: Settings, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    progress = load(settings, catalogue(tmp_path / "c.csv", 15, bad=(4, 11)), Wanted("catalog_snapshot", rejects=rejects))
    assert (progress.inserted, progress.quarantined) == (13, 2)
    with rejects.open() as file:
        told = [(row["line"], row["column"], row["value"]) for row in csv.DictReader(file)]
    assert told == [("6", "price", "dear"), ("13", "price", "dear")]


@pytest.mark.parametrize("rows", [4, 15, 60])
def test_too_many_bad_rows_stop_a_load_which_goes_on_when_more_may_be(settings: Settings, tmp_path: Path, rows: int) -> None:
    source = catalogue(tmp_path / "c.csv", rows, bad=(1, 2))
    rejects = tmp_path / "rejects.jsonl"
    with pytest.raises(InvalidInput, match=r"2 bad rows among .* no more than 1 may be"):
        load(settings, source, Wanted("catalog_snapshot", max_bad="1", rejects=rejects))
    assert len(rejects.read_text().splitlines()) == 2
    assert ask(settings, "SELECT stopped_why FROM rayapp.ingest_job") == [("too many bad rows",)]
    assert ask(settings, "SELECT count(*) FROM pg_indexes WHERE tablename = 'catalog_snapshot'") == [(1,)]
    progress = load(settings, source, Wanted("catalog_snapshot", max_bad="60%"))
    assert (progress.inserted, progress.quarantined, progress.stopped_why) == (rows - 2, 2, None)


def test_a_load_that_is_asked_to_stop_says_so_and_goes_on_when_run_again(settings: Settings, tmp_path: Path) -> None:
    source = catalogue(tmp_path / "c.csv", 60)
    stopped = load(settings, source, around=Surroundings(should_stop=lambda: True))
    assert (stopped.stopped_why, stopped.finished_at) == ("cancelled", None)
    assert load(settings, source).rows == 60


def test_a_first_load_that_broke_off_keeps_others_out_until_it_is_cancelled(settings: Settings, tmp_path: Path) -> None:
    source, other = catalogue(tmp_path / "c.csv", 60), catalogue(tmp_path / "d.csv", 3)

    def broken(_progress: object) -> None:
        raise OSError("the machine went away")

    jobs = []
    with pytest.raises(OSError, match="went away"):
        load(settings, source, around=Surroundings(begun=lambda job, progress: (jobs.append(job), broken(progress))[0]))
    with pytest.raises(Unavailable, match=f"a first load of catalog_snapshot runs .load {jobs[0].id}."):
        load(settings, other)
    assert asyncio.run(cancel_load(settings, jobs[0].id)).stopped_why == "cancelled"
    assert load(settings, other).inserted == 3
    assert load(settings, source).rows == 60


@pytest.mark.parametrize(
    ("text", "rows", "most"), [(None, 10, None), ("0", 10, 0), ("7", 10, 7), ("1%", 1000, 10), ("0.5%", 1000, 5), ("100%", 3, 3)]
)
def test_a_limit_is_a_number_of_rows_or_a_share_of_them(text: str | None, rows: int, most: int | None) -> None:
    assert Limit.read(text).most(rows) == most


@pytest.mark.parametrize("text", ["", "%", "-1", "1.5", "101%", "nan%", "many"])
def test_a_limit_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="--max-bad"):
        Limit.read(text)
