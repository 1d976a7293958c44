"""Replicas are replaced, added and taken away under load: every request is answered, and answered right."""

import itertools

import msgspec
import pytest

from benchmarks._own_service import processes_of
from benchmarks._senders import Request, Senders
from rayapp import Transaction

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

SENDERS = 4
ROWS = [{"id": str(number), "descriptor": f"SQ *BLUE BOTTLE {number:04} OAKLAND CA"} for number in range(2_000)]
SINGLES = [Request("/classify", row) for row in ROWS[:50]]
BULK = Request("/classify/bulk", {"transactions": ROWS})
DEPLOY = """
    import msgspec
    from rayapp.serve.deployment import run_application
    run_application(msgspec.structs.replace(settings, replicas={replicas}))
    answer = True
"""


@pytest.mark.timeout(900)
def test_a_new_deployment_and_a_smaller_one_lose_no_request(cluster, library):
    by_id = {row["id"]: msgspec.json.encode(library.classify_one(Transaction(**row))) for row in ROWS}
    requests = [*(itertools.cycle(SINGLES) for _ in range(SENDERS)), itertools.repeat(BULK)]

    def right(asked, answer):
        if asked is BULK:
            return answer.content.startswith(b'{"results":[' + b",".join(by_id.values()))
        return answer.content == by_id[asked.content["id"]]

    with Senders(cluster.settings.http_url, requests, right) as senders:
        deploy(cluster, senders, replicas=2)
        deploy(cluster, senders, replicas=1)
    print(senders.statuses())
    assert set(senders.statuses()) == {200}
    assert all(told.answer for told in senders.told)


def deploy(cluster, senders, replicas):
    """Have every replica replaced, so many being there afterwards, and go on for a while."""
    before = pids(cluster)
    assert cluster.on_cluster(DEPLOY.format(replicas=replicas).strip())
    assert cluster.eventually(lambda: len(pids(cluster)) == replicas and not pids(cluster) & before, patience_s=180)
    settled = senders.told[-1].over
    assert cluster.eventually(lambda: len(senders.good_since(settled)) > 100)


def pids(cluster):
    return {process.pid for process in processes_of(cluster.settings)}
