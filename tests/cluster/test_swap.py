"""Several replicas: packs are swapped under load, no request fails, none is decided by two; and a key's limits hold over all of them."""

import http.client
import socket
import time
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks._swapping import live_everywhere, mixed, swapping
from rayapp import load_pack
from rayapp.serve.board import TELL_S
from rayapp.store.api_keys import mark_of

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

REPLICAS = 2
SINGLES, BULKS = 1, 2
SWAPS = 2
ONE = {"id": "1", "descriptor": "BLUE BOTTLE"}
LINE = b'{"id":"1","descriptor":"BLUE BOTTLE"}\n'
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


@contextmanager
def a_key(installation, at_once):
    """Give a key that may have so many requests at a time, known to all replicas."""
    key = installation.rayapp("keys", "add", "test", "--at-once", str(at_once)).stdout.strip()
    url = installation.settings.http_url
    try:
        assert installation.eventually(lambda: {httpx.post(f"{url}/classify", json=ONE).status_code for _ in range(8)} == {401})
        yield key
    finally:
        installation.rayapp("keys", "revoke", mark_of(key, "standard"))
        assert installation.eventually(lambda: {httpx.post(f"{url}/classify", json=ONE).status_code for _ in range(8)} == {200})


def begun(installation, key, until):
    """Begin a stream that goes on until a stack is left, or it is closed; gives its answer."""
    call = http.client.HTTPConnection(urlsplit(installation.settings.http_url).netloc, timeout=60)
    until.callback(call.close)
    call.putrequest("POST", "/classify/stream")
    for name, value in {"content-type": "application/x-ndjson", "transfer-encoding": "chunked", "x-api-key": key}.items():
        call.putheader(name, value)
    call.endheaders()
    call.send(b"%x\r\n%b\r\n" % (len(LINE), LINE))
    answer = until.enter_context(closing(call.getresponse()))
    return answer.status, call


def test_a_key_has_no_more_requests_in_work_than_it_may_over_all_replicas(several):
    with a_key(several, 3) as key, ExitStack() as until:
        streams = [begun(several, key, until) for _ in range(6)]
        assert [status for status, _ in streams] == [200] * 3 + [429] * 3
        streams[0][1].sock.shutdown(socket.SHUT_RDWR)
        assert several.eventually(lambda: begun(several, key, until)[0] == 200)
        assert begun(several, key, until)[0] == 429


def test_a_key_that_may_have_one_request_at_a_time_is_answered_wherever_it_comes(several):
    with a_key(several, 1) as key:
        answers = [httpx.post(f"{several.settings.http_url}/classify", json=ONE, headers={"x-api-key": key}) for _ in range(40)]
        assert [answer.status_code for answer in answers] == [200] * 40
