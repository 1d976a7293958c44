"""Kills under load: a replica, the rule actor and PostgreSQL, while clients ask; every request is accounted for, and all is well again."""

import random
import signal
import time

import msgspec
import pytest

from benchmarks._own_service import processes_of
from benchmarks._senders import Request, Senders
from rayapp import Transaction
from rayapp.launch.processes import process_of
from rayapp.store.embedded import EmbeddedPostgres

pytestmark = pytest.mark.cluster

SENDERS = 8
MOST_CUT = 2 * SENDERS
"""Each sender has one request in work; its next may meet another connection to the dead replica, before HAProxy has seen its end."""

SETTLED_S = 3.0
"""How long the load goes on before a kill, and after all is well again."""

AGAIN = {429, 503, 504}
"""What tells a client to come again."""

WORDS = ("SQ *BLUE BOTTLE {} OAKLAND CA", "BLUE BOTTLE COFFEE {}", "SOMETHING ELSE {}", "PAYROLL {} ACME")
ROWS = [{"id": str(number), "descriptor": WORDS[number % len(WORDS)].format(number)} for number in range(64)]

CUT_OFF = {502, "RemoteProtocolError", "ReadError"}
"""What a client sees whose request was in work: HAProxy cannot know whether it was done, and does not send it twice."""


def requests(seed):
    """Ask for rows in an order of their own."""
    order = random.Random(seed)
    while True:
        yield Request("/classify", order.choice(ROWS))


def check(told, wanted):
    """Hold every answer against what it has to be; gives those that were cut off."""
    cut = []
    for one in told:
        if one.status == 200:
            assert one.answer.content == wanted[one.asked.content["id"]]
            continue
        if one.status in AGAIN:
            assert int(one.answer.headers["retry-after"]) >= 1, one.answer.text
        if one.answer is not None:
            assert one.answer.headers["content-type"] == "application/problem+json", one.answer.text
            assert one.answer.json()["status"] == one.status
            assert one.answer.json()["request_id"] == one.answer.headers["x-request-id"]
        if one.status not in AGAIN:
            cut.append(one)
    return cut


@pytest.fixture
def wanted(library):
    return {row["id"]: msgspec.json.encode(library.classify_one(Transaction(**row))) for row in ROWS}


def a_replica(cluster):
    """Give the process of a replica of this cluster."""
    return processes_of(cluster.settings)[0]


def disturbed(cluster, disturb):
    """Load the service, disturb it, and wait until it serves again; gives what was told, and when it was disturbed."""
    with Senders(cluster.settings.http_url, [requests(4 + number) for number in range(SENDERS)]) as load:
        assert cluster.eventually(lambda: len(load.told) > 100)
        moment = disturb()
        assert cluster.eventually(lambda: len(load.good_since(moment + 1)) > 100)
        time.sleep(SETTLED_S)
    print(load.statuses())
    return load.told, moment


def test_a_killed_replica_costs_only_what_it_had_in_work(cluster, wanted):
    replica = a_replica(cluster)

    def kill():
        replica.kill()
        return time.time()

    told, moment = disturbed(cluster, kill)
    cut = check(told, wanted)
    assert len(cut) <= MOST_CUT
    assert {one.status for one in cut} <= CUT_OFF
    assert all(one.sent <= moment + 1 for one in cut)
    assert a_replica(cluster).pid != replica.pid
    assert told[-1].status == 200


def test_a_killed_rule_actor_costs_nothing(cluster, wanted):
    code = "import time; ray.kill(actor, no_restart=False); answer = time.time()"
    told, _ = disturbed(cluster, lambda: cluster.on_cluster(code))
    assert check(told, wanted) == []
    assert {one.status for one in told} == {200}
    assert cluster.eventually(lambda: cluster.on_cluster("answer = ray.get(actor.acknowledgements.remote())"))


def test_a_killed_database_costs_no_classification_and_comes_back(cluster, wanted, http):
    def kill():
        postmaster = EmbeddedPostgres(cluster.settings.data_dir).process()
        process_of(postmaster).end(signal.SIGKILL)
        return time.time()

    told, _ = disturbed(cluster, kill)
    assert check(told, wanted) == []
    assert {one.status for one in told} == {200}
    asked = {"transaction_ids": ["there is none"]}
    assert cluster.eventually(lambda: http.post("/classify/bulk", json=asked).status_code == 200)
