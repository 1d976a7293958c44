"""The embedded server's life, with real kills."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rayapp.errors import InvalidSetup
from rayapp.store.database import connection
from rayapp.store.embedded import EmbeddedPostgres
from rayapp.store.postgres_binaries import Account, find_binaries, reachable_binaries
from rayapp.store.probe import probe

HOLD_LEASE = """
import sys, time
from pathlib import Path
from rayapp.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1])).start()
print("holding", flush=True)
time.sleep(600)
"""


@pytest.fixture
def server(open_dir: Path):
    server = EmbeddedPostgres(open_dir / "data")
    yield server
    server.stop()


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.cluster / "postmaster.pid").read_text().splitlines()[0])


def wait_until_gone(process: int) -> None:
    for _ in range(200):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"process {process} still runs")


def hold_lease_in_a_child(data_dir: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, "-c", HOLD_LEASE, str(data_dir)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "holding\n"
    return child


async def remembered(server: EmbeddedPostgres) -> list[int]:
    async with connection(server.url()) as session:
        await session.execute("CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept SELECT count(*) FROM kept")
        return [row["n"] for row in await session.fetch("SELECT n FROM kept ORDER BY n")]


def test_a_server_starts_answers_and_stops_with_its_last_lease(server: EmbeddedPostgres) -> None:
    import asyncio

    with server:
        assert asyncio.run(remembered(server)) == [0]
        second = EmbeddedPostgres(server.data_dir).start()
        process = postmaster(server)
        assert second.release() is False
        assert server.answers()
    assert probe(server.socket_dir) == "down"
    wait_until_gone(process)
    with server:
        assert asyncio.run(remembered(server)) == [0, 1]


def test_a_killed_server_is_started_again_at_once_and_keeps_what_was_committed(server: EmbeddedPostgres) -> None:
    import asyncio

    with server:
        assert asyncio.run(remembered(server)) == [0]
        os.kill(postmaster(server), signal.SIGKILL)
        with EmbeddedPostgres(server.data_dir) as second:
            assert asyncio.run(remembered(second)) == [0, 1]
        assert server.answers()


def test_the_server_outlives_a_killed_holder_and_stops_with_the_next_last_lease(server: EmbeddedPostgres) -> None:
    child = hold_lease_in_a_child(server.data_dir)
    process = postmaster(server)
    child.kill()
    child.wait()
    child.stdout.close()
    assert server.answers()
    with server:
        assert postmaster(server) == process
    assert not server.answers()


def test_the_server_stays_while_another_process_has_a_lease(server: EmbeddedPostgres) -> None:
    child = hold_lease_in_a_child(server.data_dir)
    with server:
        pass
    assert server.answers()
    child.kill()
    child.wait()
    child.stdout.close()


@pytest.mark.parametrize("owner", ["another program", "a dead process", "nobody, the file is empty"])
def test_a_stale_lock_file_does_not_keep_the_server_from_starting(server: EmbeddedPostgres, owner: str) -> None:
    with server:
        os.kill(postmaster(server), signal.SIGKILL)
        wait_until_gone(postmaster(server))
        lock = server.cluster / "postmaster.pid"
        number = {"another program": str(os.getpid()), "a dead process": "4194303"}.get(owner, "")
        lock.write_text("\n".join([number, *lock.read_text().splitlines()[1:]]) if number else "")
        with EmbeddedPostgres(server.data_dir) as again:
            assert again.answers()


def test_many_processes_that_start_it_at_once_share_one_server(server: EmbeddedPostgres) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", HOLD_LEASE, str(server.data_dir)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for child in children:
        assert child.stdout.readline() == "holding\n"
    for child in children:
        child.kill()
        child.wait()
        child.stdout.close()
    with server:
        assert server.answers()
    assert server.log.read_text(errors="replace").count("ready to accept connections") == 1


def test_a_kill_while_the_cluster_is_made_leaves_nothing_half_made(server: EmbeddedPostgres) -> None:
    (server.data_dir / "postgresql.new").mkdir(parents=True)
    (server.data_dir / "postgresql.new" / "PG_VERSION").write_text("18\n")
    with server:
        assert server.answers()


def test_a_long_path_gets_a_short_socket_directory_that_is_the_same_for_every_process(open_dir: Path) -> None:
    server = EmbeddedPostgres(open_dir / ("long" * 30))
    assert server.socket_dir == EmbeddedPostgres(server.data_dir).socket_dir
    assert len(os.fsencode(server.socket_dir)) < 80
    try:
        with server:
            assert server.answers()
            assert server.socket_dir.stat().st_mode & 0o077 == 0
    finally:
        server.socket_dir.rmdir()


def test_a_cluster_of_another_major_version_is_refused_with_both_versions_named(server: EmbeddedPostgres) -> None:
    with server:
        pass
    (server.cluster / "PG_VERSION").write_text("12\n")
    with pytest.raises(InvalidSetup, match=r"was made by PostgreSQL 12 and .* is PostgreSQL"):
        server.start()


def test_a_server_that_cannot_start_says_why(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayapp.store.embedded.REFUSED_STARTS", 1)
    with server:
        pass
    (server.cluster / "global" / "pg_control").rename(server.cluster / "global" / "gone")
    with pytest.raises(InvalidSetup, match=r"PostgreSQL keeps stopping: .*pg_control"):
        server.start()


def test_a_data_directory_that_cannot_be_made_names_the_setting(open_dir: Path) -> None:
    (open_dir / "file").touch()
    with pytest.raises(InvalidSetup, match="RAYAPP_DATA_DIR"):
        EmbeddedPostgres(open_dir / "file" / "data").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL under another account")
def test_as_root_a_directory_closed_to_other_accounts_is_refused_and_not_opened(open_dir: Path) -> None:
    (open_dir / "closed").mkdir(mode=0o700)
    with pytest.raises(InvalidSetup, match="cannot enter"):
        EmbeddedPostgres(open_dir / "closed" / "data").start()
    assert (open_dir / "closed").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL under another account")
def test_as_root_programs_in_a_private_home_are_copied_to_where_they_can_be_run(open_dir: Path) -> None:
    import shutil

    shutil.copytree(find_binaries().parent, open_dir / "home" / "pginstall", symlinks=True)
    (open_dir / "home").chmod(0o700)
    nobody = Account(65534, 65534)
    copied = reachable_binaries(open_dir / "home" / "pginstall" / "bin", nobody, open_dir)
    assert copied.is_relative_to(open_dir / "postgresql-18-programs")
    assert nobody.reaches(copied / "initdb")
    assert (open_dir / "home").stat().st_mode & 0o777 == 0o700


def test_a_server_whose_session_is_busy_with_a_long_statement_is_started_again_at_once(server: EmbeddedPostgres) -> None:
    busy = """
import asyncio, sys, asyncpg
async def go():
    session = await asyncpg.connect(sys.argv[1])
    print("connected", flush=True)
    await session.execute("SELECT count(*) FROM generate_series(1, 1000000000)")
asyncio.run(go())
"""
    with server:
        child = subprocess.Popen([sys.executable, "-c", busy, server.url()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert child.stdout.readline() == "connected\n"
        time.sleep(0.3)
        os.kill(postmaster(server), signal.SIGKILL)
        with EmbeddedPostgres(server.data_dir) as again:
            assert again.answers()
        assert child.wait(20) != 0
        child.stdout.close()


def test_a_server_that_is_needed_is_started_again_by_itself_when_it_is_killed(open_dir: Path) -> None:
    import asyncio

    from rayapp.settings import Settings
    from rayapp.store.database import running_database

    server = EmbeddedPostgres(open_dir / "data")
    with running_database(Settings(data_dir=server.data_dir)):
        for count in range(3):
            killed = postmaster(server)
            os.kill(killed, signal.SIGKILL)
            for _ in range(400):
                if server.process() not in {None, killed} and server.answers():
                    break
                time.sleep(0.05)
            assert asyncio.run(remembered(server)) == list(range(count + 1))
    assert not server.answers()


def test_a_server_that_was_stopped_in_order_is_not_started_again(open_dir: Path) -> None:
    from rayapp.settings import Settings
    from rayapp.store.database import running_database

    server = EmbeddedPostgres(open_dir / "data")
    with running_database(Settings(data_dir=server.data_dir)):
        assert server.stop()
        time.sleep(1.5)
        assert not server.answers()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL under another account")
def test_as_root_no_account_is_added_and_the_server_runs_under_one_that_exists(server: EmbeddedPostgres) -> None:
    before = Path("/etc/passwd").read_bytes()
    with server:
        assert Path(f"/proc/{postmaster(server)}").stat().st_uid != 0
    assert Path("/etc/passwd").read_bytes() == before


def test_the_server_is_nobodys_child_so_that_it_does_not_end_with_who_started_it(server: EmbeddedPostgres) -> None:
    child = hold_lease_in_a_child(server.data_dir)
    ancestors, process = set(), postmaster(server)
    while process > 1:
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        ancestors.add(process)
    assert child.pid not in ancestors
    assert os.getpid() not in ancestors
    child.kill()
    child.wait()
    child.stdout.close()
