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
    with cluster.beside(own_dir / "scaled", RAYAPP_MAX_REPLICAS="3") as installation:
        senders = Senders(installation.settings.http_url, [itertools.repeat(BULK) for _ in range(SENDERS)], lambda *_: None)
        assert replicas(installation) == 1
        with senders:
            assert cluster.eventually(lambda: replicas(installation) >= 2, patience_s=120)
    assert set(senders.statuses()) == {200}
