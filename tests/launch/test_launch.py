"""Starting and stopping: the parts that need no cluster."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from rayapp.errors import InvalidSetup
from rayapp.launch.haproxy_guard import loopback_only
from rayapp.launch.launcher import check_port, reap
from rayapp.launch.ports import free_ports, holder, is_free
from rayapp.launch.processes import Process, end_all, process_of, started_with
from rayapp.launch.site import RUN_DIR_VARIABLE, Site, State
from rayapp.settings import Settings


def sleeper(**environment):
    """Start a process that does not end when asked."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **environment}, stdout=subprocess.PIPE)
    child.stdout.readline()
    child.stdout.close()
    return child


def test_a_process_is_known_by_its_start_and_not_by_its_number_alone():
    me = process_of(os.getpid())
    assert me.alive()
    assert not Process(me.pid, me.started + 1).alive()


def test_a_process_that_does_not_listen_is_ended_all_the_same_and_its_neighbour_is_not(tmp_path):
    site = Site(tmp_path)
    ours, other = sleeper(**{RUN_DIR_VARIABLE: str(site.run_dir)}), sleeper(**{RUN_DIR_VARIABLE: str(site.run_dir) + "x"})
    try:
        found = started_with(RUN_DIR_VARIABLE, str(site.run_dir))
        assert [process.pid for process in found] == [ours.pid]
        assert end_all(found, 0.1) == []
        assert ours.wait() == -signal.SIGKILL
        assert other.poll() is None
    finally:
        for child in (ours, other):
            child.kill()
            child.wait()


def test_what_a_killed_launcher_left_behind_is_ended_and_forgotten(tmp_path):
    site = Site(tmp_path)
    assert site.take()
    site.renew_run_dir()
    site.write(State(phase="up", launcher=Process(1, 1), run_dir=str(site.run_dir), url=""))
    left = sleeper(**{RUN_DIR_VARIABLE: str(site.run_dir)})
    said = []
    reap(site, said.append)
    assert left.wait() in {-signal.SIGKILL, -signal.SIGTERM}
    assert said == ["ending 1 processes that a former run left behind"]
    assert site.read() is None
    assert not site.run_dir.exists()
    site.leave()


def test_only_one_launcher_runs_an_installation(tmp_path):
    first, second = Site(tmp_path), Site(tmp_path)
    assert first.take()
    assert second.taken()
    assert not second.take()
    first.leave()
    assert not second.taken()


def test_the_token_is_for_this_user_alone(tmp_path):
    site = Site(tmp_path)
    site.renew_run_dir()
    assert site.token.stat().st_mode & 0o777 == 0o600
    assert site.run_dir.stat().st_mode & 0o777 == 0o700
    assert len(site.token.read_text()) == 64
    site.clear_run_dir()


def test_a_taken_port_is_an_error_that_names_who_has_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        assert str(os.getpid()) in holder(port)
        with pytest.raises(InvalidSetup, match=f"port {port} is taken by process {os.getpid()}"):
            check_port(Settings(data_dir=tmp_path, http_port=port))
    assert is_free("127.0.0.1", port)


def test_free_ports_differ():
    assert len(set(free_ports(5))) == 5


@pytest.mark.parametrize(
    ("line", "bound"),
    [
        ("    bind :9101", "    bind 127.0.0.1:9101"),
        ("  bind *:8404", "  bind 127.0.0.1:8404"),
        ("    bind 127.0.0.1:8000", "    bind 127.0.0.1:8000"),
        ("    bind *:9000 proto h2", "    bind *:9000 proto h2"),
    ],
)
def test_haproxy_listens_on_loopback_where_it_listened_everywhere(line, bound):
    assert loopback_only(f"frontend x\n{line}\n    mode http\n") == f"frontend x\n{bound}\n    mode http\n"


def test_a_pack_that_cannot_be_used_is_told_before_ray_is_started(open_dir):
    own = {"RAYAPP_DATA_DIR": str(open_dir / "data"), "RAYAPP_PACK": str(open_dir / "nothing"), "RAYAPP_HTTP_PORT": str(free_ports(1)[0])}
    command = [sys.executable, "-m", "rayapp.cli.main", "up"]
    done = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "there is no pack at" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_ray_job_is_given_the_address_of_its_own_cluster_where_several_run(tmp_path, monkeypatch):
    from ray._private import services

    from rayapp.launch.ray_parts import tell_jobs

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(services, "find_gcs_addresses", lambda: {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"})
    for address in ("127.0.0.1:2", "127.0.0.1:3"):
        tell_jobs(address, str(tmp_path))
        assert services.get_ray_address_from_environment("auto", str(tmp_path)) == address
