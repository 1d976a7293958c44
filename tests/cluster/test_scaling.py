"""Autoscaling on a real cluster: a burst brings replicas, and no request fails while they come or go."""

import threading

import httpx
import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

ROWS = {"transactions": [{"id": str(number), "descriptor": f"SQ *BLUE BOTTLE {number:05} OAKLAND CA"} for number in range(20_000)]}
SENDERS = 4


def replicas(installation):
    code = "from ray import serve; found = serve.status().applications['rayapp'].deployments['ingress'].replica_states; answer = found.get('RUNNING', 0)"
    return installation.on_cluster(code)


def test_a_burst_brings_replicas_and_loses_nothing(own_dir, cluster):
    (own_dir / "scaled").mkdir(mode=0o755)
    installation = cluster.another(own_dir / "scaled")
    installation = installation._replace(environment={**installation.environment, "RAYAPP_MAX_REPLICAS": "3"})
    up = installation.rayapp("up", "--detach")
    assert up.returncode == 0, up.stderr
    stop, statuses = threading.Event(), []

    def send():
        with httpx.Client(base_url=installation.settings.http_url, timeout=120) as client:
            while not stop.is_set():
                statuses.append(client.post("/classify/bulk", json=ROWS).status_code)

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    try:
        assert replicas(installation) == 1
        for sender in senders:
            sender.start()
        assert cluster.eventually(lambda: replicas(installation) >= 2, patience_s=120)
    finally:
        stop.set()
        for sender in senders:
            sender.join()
        installation.rayapp("down")
    assert set(statuses) == {200}
