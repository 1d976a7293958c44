"""Packs swapped under load, with several replicas: no request fails, and none is decided by two packs."""

import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks._swapping import live_everywhere, mixed, swapping
from rayapp import load_pack
from rayapp.serve.board import TELL_S

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

REPLICAS = 2
SINGLES, BULKS = 1, 2
SWAPS = 2
BROKEN = {
    "taxonomy.csv": "primary,detailed,direction,merchant,description\nFOOD,FOOD_COFFEE,sideways,yes,\n",
    "mcc.csv": "first,last,detailed,weight,description\n5814,5814,FOOD_TEA,0.8,\n",
}


@pytest.fixture(scope="module")
def several(own_dir, cluster):
    with cluster.beside(own_dir / "several", RAYAPP_REPLICAS=str(REPLICAS)) as several:
        yield several


def live(installation, version):
    return live_everywhere(lambda: installation.on_cluster("answer = ray.get(actor.acknowledgements.remote())"), version, REPLICAS)


def test_packs_are_swapped_and_the_rule_actor_killed_under_load(several, own_dir):
    names = [own_dir / "several" / "pack", *(several.pack(own_dir / "several" / f"pack{number}", f"pack{number}") for number in range(SWAPS))]
    packs = [load_pack(name).digest for name in names]
    with swapping(several.settings.http_url, SINGLES, BULKS) as load:
        for folder in names[1:]:
            published = several.rayapp("packs", "publish", str(folder), "--activate", "--reason", "under load")
            assert published.returncode == 0, published.stderr
        code = "before = ray.get(actor.wait.remote(-1, 60.0)); ray.kill(actor, no_restart=False); after = ray.get(actor.wait.remote(-1, 60.0)); "
        before, after, digest = several.on_cluster(code + "answer = [before.version, after.version, after.digest]")
        assert (after, digest) == (before, packs[-1])
        live(several, after)
        back = several.on_cluster(f"answer = ray.get(actor.activate.remote({packs[0]!r}, 'back'))")
        settled = live(several, back)
        assert several.eventually(lambda: len(load.good_since(settled)) > 3 * (SINGLES + BULKS))
    assert set(load.statuses()) == {200}
    assert mixed(load.told) == []
    assert {digest for told in load.good_since(settled) for digest in told.answer} == {packs[0]}
    seen = set().union(*(told.answer for told in load.told))
    assert {packs[0], packs[-1]} <= seen <= set(packs)


def test_a_broken_pack_is_refused_with_all_its_faults_and_changes_nothing(several, own_dir):
    before = several.rows("SELECT count(*) FROM rayapp.pack_activation")
    broken = several.pack(own_dir / "several" / "broken", "broken")
    for name, content in BROKEN.items():
        (broken / name).write_text(content)
    refused = several.rayapp("packs", "publish", str(broken), "--activate", "--reason", "a test")
    assert refused.returncode != 0
    for fault in ("sideways", "FOOD_TEA", "mcc.csv:2", "taxonomy.csv:2"):
        assert fault in refused.stderr
    assert several.rows("SELECT count(*) FROM rayapp.pack_activation") == before


def counted(http):
    """Give the rows that each replica says it has answered."""
    families = text_string_to_metric_families(http.get("/metrics").text)
    samples = [sample for family in families if family.name == "rayapp_rows" for sample in family.samples if sample.name == "rayapp_rows_total"]
    return {replica: sum(s.value for s in samples if s.labels["replica"] == replica) for replica in {s.labels["replica"] for s in samples}}


def settled(http):
    """Give the rows that all have answered, when all have told of what was before; ``None`` while they count on."""
    before = counted(http)
    time.sleep(TELL_S + 1)
    return sum(before.values()) if len(before) == REPLICAS and counted(http) == before else None


def test_whichever_replica_prometheus_meets_tells_what_all_of_them_count(several):
    with httpx.Client(base_url=several.settings.http_url) as http:
        before = several.eventually(lambda: settled(http))
        assert before
        rows = [{"id": str(number), "descriptor": "BLUE BOTTLE"} for number in range(10)]
        for _ in range(5):
            assert http.post("/classify/bulk", json={"transactions": rows}).status_code == 200
        assert several.eventually(lambda: sum(counted(http).values()) == before + 50)
        assert {sum(counted(http).values()) for _ in range(10)} == {before + 50}
