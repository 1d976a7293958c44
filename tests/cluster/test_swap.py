"""Packs swapped under load, with several replicas: no request fails, and none is decided by two packs."""

import threading
import time

import httpx
import msgspec
import pytest

from rayapp import load_pack

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

REPLICAS = 2
SENDERS = 3
SWAPS = 2
BULK = {"transactions": [{"id": str(number), "descriptor": f"SQ *BLUE BOTTLE {number:04} OAKLAND CA"} for number in range(3_000)]}
BROKEN = {
    "taxonomy.csv": "primary,detailed,direction,merchant,description\nFOOD,FOOD_COFFEE,sideways,yes,\n",
    "mcc.csv": "first,last,detailed,weight,description\n5814,5814,FOOD_TEA,0.8,\n",
}


class Row(msgspec.Struct):
    pack: str


class Bulk(msgspec.Struct):
    results: list[Row]
    pack: str


class Load:
    """Senders that ask without a pause, and what they were told: status, and the digests of one answer, in order."""

    def __init__(self, url):
        self.stop = threading.Event()
        self.told = []
        self.threads = [threading.Thread(target=self.send, args=(url, number)) for number in range(SENDERS)]

    def send(self, url, number):
        with httpx.Client(base_url=url, timeout=60) as client:
            while not self.stop.is_set():
                path, body = ("/classify/bulk", BULK) if number else ("/classify", BULK["transactions"][0])
                try:
                    answer = client.post(path, json=body)
                    packs = digests(answer.content, path)
                    self.told.append((answer.status_code, packs, time.monotonic()))
                except (httpx.HTTPError, msgspec.DecodeError) as error:
                    self.told.append((repr(error), set(), time.monotonic()))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def digests(content, path):
    if path == "/classify":
        return {msgspec.json.decode(content, type=Row).pack}
    answer = msgspec.json.decode(content, type=Bulk)
    assert len(answer.results) == len(BULK["transactions"])
    return {row.pack for row in answer.results} | {answer.pack}


@pytest.fixture(scope="module")
def several(own_dir, cluster):
    (own_dir / "several").mkdir(mode=0o755)
    one = cluster.another(own_dir / "several")
    several = one._replace(environment={**one.environment, "RAYAPP_REPLICAS": str(REPLICAS)})
    up = several.rayapp("up", "--detach")
    assert up.returncode == 0, up.stderr
    yield several
    several.rayapp("down")


def acknowledged(installation, version):
    code = "answer = ray.get(actor.acknowledgements.remote())"
    return installation.eventually(lambda: list((found := installation.on_cluster(code)).values()) == [version] * REPLICAS and found)


def test_packs_are_swapped_and_the_rule_actor_killed_under_load(several, own_dir):
    names = [own_dir / "several" / "pack", *(several.pack(own_dir / "several" / f"pack{number}", f"pack{number}") for number in range(SWAPS))]
    packs = [load_pack(name).digest for name in names]
    with Load(several.settings.http_url) as load:
        for folder in names[1:]:
            published = several.rayapp("packs", "publish", str(folder), "--activate", "--reason", "under load")
            assert published.returncode == 0, published.stderr
        code = "before = ray.get(actor.wait.remote(-1, 60.0)); ray.kill(actor, no_restart=False); after = ray.get(actor.wait.remote(-1, 60.0)); "
        before, after, digest = several.on_cluster(code + "answer = [before.version, after.version, after.digest]")
        assert (after, digest) == (before, packs[-1])
        assert acknowledged(several, after)
        back = several.on_cluster(f"answer = ray.get(actor.activate.remote({packs[0]!r}, 'back'))")
        assert acknowledged(several, back)
        settled = time.monotonic()
        assert several.eventually(lambda: sum(when > settled for _, _, when in load.told) > 3 * SENDERS)
    assert {status for status, _, _ in load.told} == {200}
    assert all(len(found) == 1 for _, found, _ in load.told), "an answer was decided by a mix of packs"
    seen = set().union(*(found for _, found, _ in load.told))
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
