"""``gs://``, against an emulator of Google's store of objects on loopback."""

import subprocess
import sys
import time

import pytest
from pyarrow import fs

from rayapp.errors import InvalidInput, Unavailable
from rayapp.launch.ports import free_ports
from tests.listening import answers
from tests.sources.test_locations import ids_in, planned

PATIENCE_S = 30
CSV = b"id,descriptor\n" + b"".join(b"%d,SHOP %d\n" % (number, number) for number in range(15_000))


@pytest.fixture(scope="module")
def bank():
    """Gives the address of what lies under a path in the bucket ``bank``, and writes there.

    The emulator has a process of its own: Arrow holds the interpreter's lock while it waits for some of its answers.
    """
    (port,) = free_ports(1)
    query = f"endpoint_override=127.0.0.1:{port}&scheme=http&retry_limit_seconds=10"
    store, _ = fs.FileSystem.from_uri(f"gs://anonymous@bank?{query}")

    def at(path, content=None):
        if content is not None:
            with store.open_output_stream(f"bank/{path}") as out:
                out.write(content)
        return f"gs://anonymous@bank/{path}?{query}"

    words = ["--host=127.0.0.1", f"--port={port}", "--in-memory", "--default-bucket=bank"]
    running = subprocess.Popen([sys.executable, "-m", "gcp_storage_emulator", "start", *words], stderr=subprocess.DEVNULL)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and not answers(port):
        time.sleep(0.05)
    yield at
    running.terminate()
    running.wait()


def test_objects_and_folders_are_read_like_files(bank, tmp_path):
    (tmp_path / "a.csv").write_bytes(CSV)
    here = ids_in(tmp_path / "a.csv", tmp_path, "large")
    bank("2026/b.csv", b"id,descriptor\nlast,SHOP\n")
    assert ids_in(bank("2026/a.csv", CSV), tmp_path, "large") == here
    assert len(ids_in(bank("2026"), tmp_path)[0]) == 15_001
    assert ids_in(bank("2026/b*.csv"), tmp_path)[0] == ["last"]


def test_an_object_that_changes_is_not_read_and_what_is_not_there_is_named(bank, tmp_path):
    with planned(bank("c.csv", CSV), tmp_path) as (plan, reader):
        assert plan.source == "gs://bank/c.csv"
        bank("c.csv", CSV.replace(b"SHOP", b"SHIP"))
        with pytest.raises(InvalidInput, match="has changed"):
            list(reader(plan.pieces[0]))
    with pytest.raises((InvalidInput, Unavailable), match=r"cannot read gs://bank/nothing.csv"), planned(bank("nothing.csv"), tmp_path):
        pass
