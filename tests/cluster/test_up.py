"""``rayapp up`` leaves nothing behind, however it ends, and starts again after anything."""

import json
import os
import signal
import subprocess
import sys

import httpx
import psutil
import pytest

from rayapp.launch.ports import is_free
from rayapp.launch.processes import process_of, started_with, wait_until_gone
from rayapp.launch.site import RUN_DIR_VARIABLE, Site

pytestmark = pytest.mark.cluster

JOB_ROWS = 150_000


def start(installation):
    command = [sys.executable, "-m", "rayapp.cli.main", "up"]
    return subprocess.Popen(command, env=installation.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def wait_for_welcome(launcher):
    for line in launcher.stdout:
        if "Ctrl-C stops everything" in line:
            return
    pytest.fail("it did not come up")


def nothing_is_left(site, port):
    return not started_with(RUN_DIR_VARIABLE, str(site.run_dir)) and is_free("127.0.0.1", port) and not site.taken()


def a_job_at_work(installation):
    """Have a file classified; gives the job when some of its rows are done."""
    file = "id,descriptor\n" + "".join(f"r{number},SQ *BLUE BOTTLE {number:06}\n" for number in range(JOB_ROWS))
    job = httpx.post(installation.settings.http_url + "/jobs", files={"file": ("rows.csv", file, "text/csv")}).json()["id"]
    assert installation.eventually(lambda: httpx.get(f"{installation.settings.http_url}/status/{job}").json()["rows"]["done"])
    return job


def rows_once_ended(installation, job):
    url = installation.settings.http_url
    assert installation.eventually(lambda: httpx.get(f"{url}/status/{job}").json()["state"] == "succeeded")
    whole = httpx.get(f"{url}/jobs/{job}/results?whole=true", timeout=60)
    return [json.loads(line)["row"] for line in whole.text.splitlines()]


def test_kill_nine_takes_everything_down_no_job_is_lost_and_ctrl_c_stops_the_next_run(own_dir, cluster):
    installation = cluster.another(own_dir / "other")
    installation.environment["RAYAPP_JOB_LEASE_S"] = "3"
    (own_dir / "other").chmod(0o755)
    site, port = Site(installation.settings.data_dir), installation.settings.http_port
    launcher = start(installation)
    wait_for_welcome(launcher)
    state = site.read()
    assert httpx.get(installation.settings.http_url + "/readyz").status_code == 200
    job = a_job_at_work(installation)
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    launcher.stdout.close()
    assert cluster.eventually(lambda: nothing_is_left(site, port))
    again = start(installation)
    wait_for_welcome(again)
    assert httpx.get(installation.settings.http_url + "/readyz").status_code == 200
    assert rows_once_ended(installation, job) == list(range(1, JOB_ROWS + 1))
    second = installation.rayapp("up")
    assert second.returncode == 1
    assert "runs already" in second.stderr
    haproxies = [process for process in started_with(RUN_DIR_VARIABLE, str(site.run_dir)) if b"haproxy" in cmdline(process.pid)]
    assert haproxies
    again.send_signal(signal.SIGINT)
    assert again.wait(120) == 0
    again.stdout.close()
    assert nothing_is_left(site, port)
    assert not wait_until_gone(haproxies, 0)
    assert all(is_free("127.0.0.1", taken) for taken in state.ports)
    assert not site.run_dir.exists()
    installation.rayapp("down")


def test_a_taken_port_is_named_before_anything_starts(own_dir, cluster):
    installation = cluster.another(own_dir / "third")
    environment = {**installation.environment, "RAYAPP_HTTP_PORT": cluster.environment["RAYAPP_HTTP_PORT"]}
    refused = installation._replace(environment=environment).rayapp("up")
    assert refused.returncode == 1
    assert f"port {cluster.settings.http_port} is taken by process" in refused.stderr
    assert "RAYAPP_HTTP_PORT" in refused.stderr


def test_nothing_listens_beyond_loopback(cluster):
    site = Site(cluster.settings.data_dir)
    heard = [
        (psutil.Process(process.pid).name(), connection.laddr)
        for process in started_with(RUN_DIR_VARIABLE, str(site.run_dir))
        for connection in psutil.Process(process.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert heard
    assert [where for where in heard if where[1].ip.removeprefix("::ffff:") not in {"127.0.0.1", "::1"}] == []


def test_status_says_what_runs(cluster):
    told = cluster.rayapp("status", "--json")
    assert told.returncode == 0
    assert '"service":"up"' in told.stdout
    assert process_of(os.getpid())


def cmdline(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
        return file.read()
