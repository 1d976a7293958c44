"""The rule actor: packs reach the replicas, and a killed actor comes back with the active one."""

import pytest

from rayapp import load_pack

pytestmark = pytest.mark.cluster


def deciding(http):
    answer = http.get("/readyz").json()
    return answer["version"], answer["pack"]


def acknowledged(cluster):
    return cluster.on_cluster("answer = ray.get(actor.acknowledgements.remote())")


def test_an_activated_pack_reaches_the_replicas_and_is_acknowledged(cluster, http, own_dir):
    before, _ = deciding(http)
    second = load_pack(cluster.pack(own_dir / "second", "second")).digest
    published = cluster.rayapp("packs", "publish", str(own_dir / "second"), "--activate", "--reason", "a test")
    assert published.stdout.strip() == second
    assert cluster.eventually(lambda: deciding(http)[1] == second)
    version, _ = deciding(http)
    assert version > before
    assert cluster.eventually(lambda: set(acknowledged(cluster).values()) == {version})
    assert http.post("/classify", json={"id": "1", "descriptor": "BLUE BOTTLE"}).json()["pack"] == second


def test_a_rollback_is_the_activation_of_the_former_digest(cluster, http, own_dir):
    first = load_pack(own_dir / "pack").digest
    version = cluster.on_cluster(f"answer = ray.get(actor.activate.remote({first!r}, 'back'))")
    assert cluster.eventually(lambda: deciding(http) == (version, first))


def test_a_killed_rule_actor_comes_back_with_the_active_version(cluster, http):
    version, digest = deciding(http)
    code = "ray.kill(actor, no_restart=False); active = ray.get(actor.wait.remote(-1, 60.0)); answer = [active.version, active.digest]"
    assert cluster.on_cluster(code) == [version, digest]
    assert http.post("/classify", json={"id": "1", "descriptor": "BLUE BOTTLE"}).status_code == 200
    assert cluster.eventually(lambda: acknowledged(cluster))
