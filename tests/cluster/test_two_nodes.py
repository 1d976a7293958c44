"""A cluster of two nodes: pieces of an object are loaded on both, those of a file of one machine stay on it."""

import subprocess
import sys

import pytest

from rayapp.launch.environment import driver_environment
from rayapp.launch.site import Site
from tests.sources.conftest import object_store  # noqa: F401 - a fixture

pytestmark = pytest.mark.cluster

ROWS = 40_000
NOTE = b"what nobody reads and makes several pieces of it " * 8
CONTENT = b"id,descriptor,amount,currency,spare\n" + b"".join(b"node-%d,SQ *BLUE BOTTLE,-4.50,USD,%s\n" % (number, NOTE) for number in range(ROWS))
NODES = """from ray._private.state import actors
    own = ray.get_runtime_context().get_node_id()
    seen = [actor["Address"]["NodeID"] == own for actor in actors().values() if "PieceActor" in actor["ActorClassName"]]
    answer = {"nodes": sum(node["Alive"] for node in ray.nodes()), "here": seen.count(True), "there": seen.count(False)}
"""
"""How many nodes there are, and where actors have loaded pieces so far."""

NODE = """
import signal, sys
from ray._private.node import Node
from ray._private.parameter import RayParams
address, folder = sys.argv[1:]
params = RayParams(gcs_address=address, node_ip_address="127.0.0.1", num_cpus=2, object_store_memory=100_000_000, temp_dir=folder)
Node(params, head=False, shutdown_at_exit=True, spawn_reaper=True)
signal.pause()
"""
"""A second node, as ``ray start`` makes one; that command itself refuses to join what listens on loopback alone."""


@pytest.fixture(scope="module")
def second_node(cluster):
    site = Site(cluster.settings.data_dir)
    told = cluster.on_cluster("answer = ray.get_runtime_context().gcs_address")
    words = [sys.executable, "-c", NODE, told, str(site.run_dir / "ray")]
    running = subprocess.Popen(words, env={**cluster.environment, **driver_environment(site)})
    try:
        assert cluster.eventually(lambda: cluster.on_cluster(NODES)["nodes"] == 2)
        yield
    finally:
        running.terminate()
        running.wait(60)


def test_pieces_of_an_object_are_loaded_on_both_nodes_and_those_of_a_file_stay_here(cluster, second_node, object_store, tmp_path):  # noqa: F811
    (tmp_path / "a.csv").write_bytes(CONTENT)
    before = cluster.on_cluster(NODES)
    done = cluster.rayapp("ingest", str(tmp_path / "a.csv"))
    assert done.returncode == 0, done.stderr
    between = cluster.on_cluster(NODES)
    assert between["here"] > before["here"]
    assert between["there"] == before["there"]
    object_store.objects = {"bank/b.csv": CONTENT.replace(b"node-", b"object-")}
    done = cluster.rayapp("ingest", object_store.uri("bank/b.csv"))
    assert done.returncode == 0, done.stderr
    assert cluster.on_cluster(NODES)["there"] > between["there"]
    query = "SELECT split_part(id, '-', 1) AS kind, count(*) AS rows, count(DISTINCT merchant_name) AS names FROM rayapp.classified GROUP BY 1"
    found = {row["kind"]: (row["rows"], row["names"]) for row in cluster.rows(query)}
    assert (found["node"], found["object"]) == ((ROWS, 1), (ROWS, 1))
