"""Where sources lie: files, folders, patterns and stores; each is read in pieces, wherever a piece is read."""

import gzip
import io
import pickle
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rayapp.datasets import dataset
from rayapp.errors import InvalidInput, Unavailable
from rayapp.settings import Settings
from rayapp.sources.locations import located, shown
from rayapp.sources.options import SourceOptions
from rayapp.sources.planning import plan_source
from rayapp.sources.streaming import open_source

TRANSACTIONS = dataset("transactions")
CSV = b"id,descriptor\n" + b"".join(b'%d,"SHOP\n%d"\n' % (number, number) for number in range(1200))
TIERS = {"large": (1, 1, 50_000), "huge": (1, 1, 1)}


def planned(uri, tmp_path, tier="huge", **said):
    small, medium, large = TIERS[tier]
    chosen = Settings(data_dir=tmp_path / "data", tier_small=small, tier_medium=medium, tier_large=large)
    return plan_source(str(uri), TRANSACTIONS, SourceOptions(**said), chosen)


def ids_in(uri, tmp_path, tier="huge"):
    with planned(uri, tmp_path, tier) as (plan, reader):
        found = [rows for piece in plan.pieces for rows in pickle.loads(pickle.dumps(reader))(piece)]  # noqa: S301 - as Ray sends it
    return [row["id"] for rows in found for row in rows.table.to_pylist()], [place for rows in found for place in rows.places]


def a_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    (folder / "2026").mkdir(parents=True)
    (folder / "b.csv").write_bytes(b"id,descriptor\nb1,A\nb2,B\n")
    (folder / "a.csv.gz").write_bytes(gzip.compress(b"descriptor;id\nA;a1\n"))
    (folder / "2026" / "c.jsonl").write_bytes(b'{"id":"c1","descriptor":"A"}\n')
    pq.write_table(pa.table({"ID": ["d1"], "Descriptor": ["A"], "other": [1]}), folder / "d.parquet")
    (folder / ".hidden").write_bytes(b"\0")
    (folder / "_SUCCESS").write_bytes(b"")
    return folder


@pytest.mark.parametrize("tier", TIERS)
def test_a_folder_is_one_source_of_files_of_any_format(tmp_path, tier):
    ids, places = ids_in(a_folder(tmp_path), tmp_path, tier)
    assert ids == ["c1", "a1", "b1", "b2", "d1"]
    assert places == [0, 1, 2, 3, 4]


def test_a_pattern_names_files_and_a_stream_numbers_them_through(tmp_path):
    folder = a_folder(tmp_path)
    assert ids_in(folder / "*.csv*", tmp_path)[0] == ["a1", "b1", "b2"]
    assert ids_in(f"file://{folder}/b.csv", tmp_path)[0] == ["b1", "b2"]
    with open_source(str(folder), TRANSACTIONS, SourceOptions()) as blocks:
        assert [place for block in blocks for place in block.places] == [0, 1, 2, 3, 4]


def test_a_file_that_is_not_like_the_others_is_named(tmp_path):
    folder = a_folder(tmp_path)
    (folder / "z.csv").write_bytes(b"date,amount\n2026-01-01,2\n")
    with pytest.raises(InvalidInput, match=r"z.csv has not the field 'id'"), planned(folder, tmp_path):
        pass


def test_a_file_that_changes_after_it_was_planned_is_not_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    with planned(path, tmp_path) as (plan, reader):
        path.write_bytes(CSV + b"x,Y\n")
        with pytest.raises(InvalidInput, match="has changed since it was planned"):
            list(reader(plan.pieces[0]))


def test_a_piece_is_read_from_another_folder(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_bytes(CSV)
    monkeypatch.chdir(tmp_path)
    with planned("a.csv", tmp_path) as (plan, reader):
        monkeypatch.chdir("/")
        assert next(reader(plan.pieces[0])).table.num_rows == 1200


def parquet_of(ids: list[str], group: int) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": ids, "descriptor": pa.array(["SHOP"] * len(ids)).dictionary_encode()}), file, row_group_size=group)
    return file.getvalue()


@pytest.mark.parametrize("group", [7, 300, 5000])
@pytest.mark.parametrize("tier", TIERS)
def test_row_groups_are_joined_and_sliced_and_every_row_is_read_once(tmp_path, group, tier):
    ids = [str(number) for number in range(2000)]
    (tmp_path / "a.parquet").write_bytes(parquet_of(ids, group))
    assert ids_in(tmp_path / "a.parquet", tmp_path, tier) == (ids, list(range(2000)))


@pytest.mark.parametrize(("name", "content"), [("a.csv", CSV), ("a.csv.gz", gzip.compress(CSV)), ("a.parquet", parquet_of([str(n) for n in range(1200)], 100))])
@pytest.mark.parametrize("tier", TIERS)
def test_an_object_of_a_store_is_read_like_a_file(tmp_path, object_store, name, content, tier):
    object_store.objects = {f"bank/2026/{name}": content}
    (tmp_path / name).write_bytes(content)
    here = ids_in(tmp_path / name, tmp_path, tier)
    assert ids_in(object_store.uri(f"bank/2026/{name}"), tmp_path, tier) == here
    assert here[1] == list(range(1200))


def test_a_piece_of_an_object_is_all_that_is_fetched(tmp_path, object_store):
    content = b"id,descriptor\n" + b"".join(b"%d,SHOP %d\n" % (number, number) for number in range(15_000))
    object_store.objects = {"bank/a.csv": content}
    with planned(object_store.uri("bank/a.csv"), tmp_path, "large") as (plan, reader):
        object_store.served = 0
        rows = next(reader(plan.pieces[1]))
    assert rows.places[0] == 5000
    assert object_store.served < len(content) / 2


def test_folders_and_patterns_of_a_store_are_listed_and_no_password_is_shown(object_store, tmp_path):
    object_store.objects = {f"bank/2026/{name}.csv": b"id,descriptor\n%s,A\n" % name.encode() for name in ("b", "a", "_c")}
    assert ids_in(object_store.uri("bank/2026"), tmp_path)[0] == ["a", "b"]
    assert ids_in(object_store.uri("bank/*/b*.csv"), tmp_path)[0] == ["b"]
    with planned(object_store.uri("bank/2026"), tmp_path) as (plan, _):
        assert plan.source == "s3://bank/2026"
        assert [file.name for file in plan.files] == ["s3://bank/2026/a.csv", "s3://bank/2026/b.csv"]
    assert shown("s3://key:secret@bank/a?region=x") == "s3://bank/a"


def test_an_object_that_changes_is_not_read_and_one_that_is_not_there_is_named(object_store, tmp_path):
    object_store.objects = {"bank/a.csv": CSV}
    with planned(object_store.uri("bank/a.csv"), tmp_path) as (plan, reader):
        object_store.objects["bank/a.csv"] = CSV.replace(b"SHOP", b"SHIP")
        with pytest.raises(InvalidInput, match="has changed"):
            list(reader(plan.pieces[0]))
    with pytest.raises((InvalidInput, Unavailable), match=r"cannot read s3://bank/nothing.csv"), planned(object_store.uri("bank/nothing.csv"), tmp_path):
        pass


def test_other_stores_are_reached_through_fsspec(tmp_path):
    import fsspec

    with fsspec.filesystem("memory").open("/bank/a.csv", "wb") as file:
        file.write(CSV)
    assert len(ids_in("memory://bank/a.csv", tmp_path)[0]) == 1200
    with pytest.raises(InvalidInput, match="cannot read nosuch://bank"):
        located("nosuch://bank/a.csv")


@pytest.mark.parametrize("name", ["nothing.csv", "empty", "*.none"])
def test_a_place_without_files_is_named(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="cannot read"):
        located(str(tmp_path / name))


def test_a_file_closed_to_us_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    path.chmod(0)
    code = f"from rayapp.sources.locations import located; import os, glob; os.geteuid() or os.setuid(65534); located({str(path)!r})"
    # Root may read anything: the check runs as somebody else where we are root.
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "closed to us" in found.stderr or "Permission denied" in found.stderr
