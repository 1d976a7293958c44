"""Jobs as a client of the whole installation sees them: taken by a replica, done by the worker, given by a replica; and packs by HTTP."""

import json
import time
import zipfile
from io import BytesIO

import pytest

pytestmark = pytest.mark.cluster

ROWS = 6_000
SOON_S = 30


def ended(cluster, http, job):
    def look():
        view = http.get(f"/status/{job}").json()
        return view if view["state"] not in {"queued", "running"} else None

    return cluster.eventually(look)


def results_of(http, job):
    target = f"/jobs/{job}/results?limit=4000"
    while target:
        page = http.get(target)
        assert page.status_code == 200, page.text
        yield from map(json.loads, page.text.splitlines())
        target = page.links.get("next", {}).get("url")


def test_an_uploaded_file_is_decided_by_the_worker_and_its_results_are_given_page_by_page(cluster, http):
    lines = ["id,descriptor,amount,currency", *(f"u{number},SQ *BLUE BOTTLE {number:04} OAKLAND CA,-4.50,USD" for number in range(ROWS))]
    lines[101] = "u100,,-4.50,USD"
    made = http.post("/jobs", files={"file": ("day.csv", "\n".join(lines).encode(), "text/csv")}, headers={"idempotency-key": "day-1"})
    assert made.status_code == 202, made.text
    job = made.json()["id"]
    assert made.headers["location"] == f"/status/{job}"
    view = ended(cluster, http, job)
    assert (view["state"], view["rows"]) == ("partially_failed", {"total": ROWS, "done": ROWS, "failed": 1})
    rows = list(results_of(http, job))
    assert [row["row"] for row in rows] == list(range(1, ROWS + 1))
    assert [row["id"] for row in rows if row["status"] == "rejected"] == ["u100"]
    alone = http.post("/classify", json={"id": "u7", "descriptor": "SQ *BLUE BOTTLE 0007 OAKLAND CA", "amount": "-4.50", "currency": "USD"}).json()
    assert {name: rows[7][name] for name in alone} == alone
    assert cluster.rows("SELECT count(*) FROM rayapp.transaction WHERE id = 'u7'") == [{"count": 0}]


def test_a_bulk_request_is_answered_later_as_it_would_have_been_at_once(cluster, http):
    body = {"transactions": [{"id": str(number), "descriptor": f"BLUE BOTTLE COFFEE {number}"} for number in range(50)]}
    made = http.post("/classify/bulk", json=body, headers={"prefer": "respond-async"})
    assert (made.status_code, made.headers["preference-applied"]) == (202, "respond-async")
    assert ended(cluster, http, made.json()["id"])["state"] == "succeeded"
    later, now = list(results_of(http, made.json()["id"])), http.post("/classify/bulk", json=body).json()["results"]
    assert [(row["id"], row["category"], row["score"]) for row in later] == [(row["id"], row["category"], row["score"]) for row in now]


def test_an_activated_pack_is_live_within_seconds_and_the_metrics_say_how_many(cluster, http, own_dir):
    former = http.get("/readyz").json()["pack"]
    folder = cluster.pack(own_dir / "by-http", "by-http")
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    published = http.post("/packs", content=packed.getvalue(), headers={"content-type": "application/zip"})
    assert published.status_code == 201, published.text
    digest = published.json()["digest"]
    try:
        began = time.monotonic()
        assert http.post(f"/packs/{digest}/activate", json={"reason": "a test"}).status_code == 200
        assert cluster.eventually(lambda: http.get("/readyz").json()["pack"] == digest)
        waited = time.monotonic() - began
        (line,) = [line for line in http.get("/metrics").text.splitlines() if line.startswith("rayapp_pack_live_seconds{")]
        assert 0 < float(line.split()[1]) <= waited
    finally:
        http.post(f"/packs/{former}/activate", json={"reason": "back"})
        assert cluster.eventually(lambda: http.get("/readyz").json()["pack"] == former)
