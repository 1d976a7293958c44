"""The service behind Ray Serve's own proxy, which an operator can choose: the same answers, the same errors, streams, and loopback only."""

import httpx
import msgspec
import psutil
import pytest

from rayapp import Transaction
from rayapp.launch.processes import started_with
from rayapp.launch.site import RUN_DIR_VARIABLE, Site

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

ROWS = [{"id": str(number), "descriptor": f"SQ *BLUE BOTTLE {number:04} OAKLAND CA", "amount": "4.50"} for number in range(200)]
LOOPBACK = {"127.0.0.1", "::1"}


@pytest.fixture(scope="module")
def plain(own_dir, cluster):
    with cluster.beside(own_dir / "plain", RAYAPP_INGRESS="default") as plain:
        yield plain


@pytest.fixture(scope="module")
def client(plain):
    with httpx.Client(base_url=plain.settings.http_url, timeout=60) as client:
        yield client


def test_every_door_gives_the_librarys_bytes(client, library):
    expected = [msgspec.json.encode(library.classify_one(Transaction(**row))) for row in ROWS]
    assert [client.post("/classify", json=row).content for row in ROWS[:20]] == expected[:20]
    assert client.post("/classify/bulk", json={"transactions": ROWS}).content.startswith(b'{"results":[' + b",".join(expected))
    lines = [msgspec.json.encode(row) + b"\n" for row in ROWS] * 20
    streamed = client.post("/classify/stream", content=iter(lines), headers={"content-type": "application/x-ndjson"}).content.splitlines()
    assert streamed[:-1] == expected * 20
    assert msgspec.json.decode(streamed[-1])["summary"]["rows"] == len(lines)


def test_errors_are_problems_that_carry_the_requests_id(client):
    answer = client.post("/classify", content=b"{", headers={"x-request-id": "abc-1"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert (answer.headers.get_list("x-request-id"), answer.json()["request_id"]) == (["abc-1"], "abc-1")
    assert client.get("/nowhere").headers["content-type"] == "application/problem+json"


def test_haproxy_does_not_run_and_nothing_listens_beyond_this_machine(plain):
    site = Site(plain.settings.data_dir)
    processes = [psutil.Process(process.pid) for process in started_with(RUN_DIR_VARIABLE, str(site.run_dir))]
    assert not site.read().haproxy
    assert "haproxy" not in {process.name() for process in processes}
    listens = [found.laddr for process in processes for found in process.net_connections("inet") if found.status == psutil.CONN_LISTEN]
    assert [where for where in listens if where.ip.removeprefix("::ffff:") not in LOOPBACK] == []
