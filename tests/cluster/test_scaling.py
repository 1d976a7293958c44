"""Autoscaling on a real cluster: a burst brings replicas, and no request fails while they come or go."""

import itertools

import pytest

from benchmarks._senders import Request, Senders

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

ROWS = [{"id": str(number), "descriptor": f"SQ *BLUE BOTTLE {number:05} OAKLAND CA"} for number in range(20_000)]
BULK = Request("/classify/bulk", {"transactions": ROWS})
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
    senders = Senders(installation.settings.http_url, [itertools.repeat(BULK) for _ in range(SENDERS)], lambda *_: None)
    try:
        assert replicas(installation) == 1
        with senders:
            assert cluster.eventually(lambda: replicas(installation) >= 2, patience_s=120)
    finally:
        installation.rayapp("down")
    assert set(senders.statuses()) == {200}
