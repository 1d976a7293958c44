"""Jobs over HTTP: the real app on a real database, and a real worker in this process."""

import asyncio
import io
import json
import shutil
import time
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest

from rayapp.serve.app import build_app
from rayapp.serve.database import Database
from rayapp.serve.desk import Deciding, Desk
from rayapp.serve.job_desk import JobDesk
from rayapp.settings import Settings
from rayapp.store.database import connection
from rayapp.store.packs import activate_pack, save_pack
from rayapp.store.schedules import fire_due
from tests.running_worker import a_worker
from tests.serve.conftest import Client

PATIENCE_S = 60
ROW = {"id": "1", "descriptor": "SQ *BLUE BOTTLE 0123 OAKLAND CA", "amount": "4.50", "currency": "USD", "direction": "debit"}
INLINE = {"kind": "classify", "transactions": [ROW, {**ROW, "id": "2", "currency": "QQQ"}, {"id": "3", "descriptor": 5}]}


@pytest.fixture
def settings(database, tmp_path):
    return Settings(data_dir=tmp_path, database_url=database, job_lease_s=2, sources=(f"file://{tmp_path}/allowed",))


@pytest.fixture
def ask(settings, small_classifier):
    async def publish():
        async with connection(settings.database_url) as session:
            await save_pack(session, small_classifier.pack.digest, "small", small_classifier.pack.dump())
            await activate_pack(session, small_classifier.pack.digest, "for tests")

    asyncio.run(publish())
    with a_client(settings, small_classifier) as client:
        yield client


@contextmanager
def a_client(settings, classifier):
    base = Database(settings.database_url)
    desk = Desk(database=base)
    desk.use(Deciding(1, classifier))
    client = Client(build_app(desk, JobDesk(settings, base)))
    yield client
    client.runner.run(desk.close())
    client.runner.close()


def ended(ask, job):
    deadline = time.monotonic() + PATIENCE_S
    while (view := ask("GET", f"/status/{job}").json())["state"] in {"queued", "running"} and time.monotonic() < deadline:
        time.sleep(0.1)
    return view


def rows_of(ask, job):
    """All result rows, page by page."""
    found, target = [], f"/jobs/{job}/results?limit=2"
    while target:
        page = ask("GET", target)
        assert page.status_code == 200
        found += [json.loads(line) for line in page.text.splitlines()]
        target = page.links.get("next", {}).get("url")
    return found


def test_inline_rows_are_classified_and_bad_ones_told(ask, settings):
    made = ask("POST", "/jobs", json=INLINE)
    assert made.status_code == 202
    job = made.json()["id"]
    assert made.headers["location"] == f"/status/{job}"
    assert ask("GET", made.headers["location"]).json()["queue_position"] == 0
    with a_worker(settings):
        view = ended(ask, job)
    assert (view["state"], view["rows"]) == ("partially_failed", {"total": 3, "done": 3, "failed": 2})
    first, second, third = rows_of(ask, job)
    sync = ask("POST", "/classify", json=ROW).json()
    assert {name: first[name] for name in sync} == sync
    assert (second["row"], second["id"], second["status"], second["errors"][0]["pointer"]) == (2, "2", "rejected", "#/currency")
    assert (third["status"], third["errors"][0]["pointer"]) == ("rejected", "#/descriptor")
    table = pq.read_table(io.BytesIO(ask("GET", f"/jobs/{job}/results", headers={"accept": "application/vnd.apache.parquet"}).content))
    assert table["status"].to_pylist() == ["classified", "rejected", "rejected"]


def test_an_uploaded_file_is_classified_by_pieces(ask, settings):
    body = "id,descriptor,amount,currency\n" + "".join(f"{n},SQ *BLUE BOTTLE {n:04},-4.50,USD\n" for n in range(6_000))
    made = ask("POST", "/jobs?name=rows.csv", content=body.encode(), headers={"content-type": "text/csv"})
    assert made.status_code == 202
    job = made.json()["id"]
    assert ask("GET", f"/jobs/{job}/results?whole=true").status_code == 409
    with a_worker(settings):
        view = ended(ask, job)
    assert (view["state"], view["result"]["parts"]) == ("succeeded", 2)
    whole = ask("GET", f"/jobs/{job}/results?whole=true")
    assert [json.loads(line)["row"] for line in whole.text.splitlines()] == list(range(1, 6_001))
    assert whole.headers["content-disposition"] == f'attachment; filename="{job}.ndjson"'
    table = pq.read_table(io.BytesIO(ask("GET", f"/jobs/{job}/results?whole=true", headers={"accept": "application/vnd.apache.parquet"}).content))
    assert table["row"].to_pylist() == list(range(1, 6_001))
    page = ask("GET", f"/jobs/{job}/results?after=4990&limit=20")
    assert [line.split(b",")[0] for line in page.content.splitlines()] == [b'{"row":%d' % n for n in range(4991, 5011)]
    shutil.rmtree(settings.files_dir / "results")
    assert ask("GET", f"/jobs/{job}/results?whole=true").status_code == 404


def test_a_file_in_a_form_is_the_job_that_its_fields_say(ask, settings):
    rows = b"id,descriptor,amount,currency\n1,SQ *BLUE BOTTLE,-4.50,USD\n"
    sent = {"files": {"file": ("rows.csv", rows, "text/csv")}, "data": {"kind": "ingest", "max_bad": "5%"}}
    first, again = (ask("POST", "/jobs", **sent, headers={"idempotency-key": "f-1"}) for _ in range(2))
    assert (first.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    assert (first.json()["kind"], first.json()["request"]["max_bad"]) == ("ingest", "5%")
    other = ask("POST", "/jobs", **{**sent, "data": {"kind": "classify"}}, headers={"idempotency-key": "f-1"})
    assert other.json()["type"] == "urn:rayapp:problem:idempotency-key-reused"
    assert [path.read_bytes() for path in (settings.files_dir / "uploads").iterdir()] == [rows]
    wrong = ask("POST", "/jobs", files=sent["files"], data={"sort": "ingest"})
    assert (wrong.status_code, "sort" in wrong.json()["detail"]) == (422, True)


@pytest.mark.parametrize("kind", ["ingest", "classify"])
def test_a_uri_is_taken_where_the_operator_allows_it(ask, settings, tmp_path, kind):
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed" / "rows.csv").write_text("id,descriptor,amount,currency\n1,SQ *BLUE BOTTLE,-4.50,USD\n")
    (tmp_path / "allowed" / "out").symlink_to("/etc")
    for bad in ("file:///etc/passwd", f"file://{tmp_path}/allowed/../x", f"file://{tmp_path}/allowed/out/passwd", "s3://b/x", "http://h/x", "/etc/passwd"):
        refused = ask("POST", "/jobs", json={"kind": kind, "source": bad})
        assert (refused.status_code, "RAYAPP_SOURCES" in refused.json()["detail"]) == (422, True), bad
    job = ask("POST", "/jobs", json={"kind": kind, "source": f"file://{tmp_path}/allowed/rows.csv"}).json()["id"]
    with a_worker(settings):
        assert ended(ask, job)["state"] == "succeeded"


def test_a_key_gives_the_same_answer_and_no_second_job(ask, settings):
    key = {"idempotency-key": "k-1"}
    first, again = (ask("POST", "/jobs", json=INLINE, headers=key) for _ in range(2))
    assert (first.content, first.headers["location"]) == (again.content, again.headers["location"])
    assert again.headers["idempotency-replayed"] == "true"
    other = ask("POST", "/jobs", json={**INLINE, "transactions": [ROW]}, headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "urn:rayapp:problem:idempotency-key-reused")
    assert len(ask("GET", "/jobs").json()["jobs"]) == 1


def test_a_key_whose_request_is_being_answered_is_in_use(ask, settings):
    async def held():
        async with connection(settings.database_url) as session, session.transaction():
            await session.fetchval("SELECT pg_advisory_xact_lock(hashtextextended('rayapp.given_answer http k-2', 0))")
            return await asyncio.to_thread(ask, "POST", "/jobs", json=INLINE, headers={"idempotency-key": "k-2"})

    refused = asyncio.run(held())
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:rayapp:problem:idempotency-key-in-use")
    assert refused.headers["retry-after"] == "1"


def test_jobs_are_listed_by_pages_cancelled_and_tried_again(ask, settings):
    made = [ask("POST", "/jobs", json=INLINE).json()["id"] for _ in range(3)]
    page = ask("GET", "/jobs?limit=2&state=queued&kind=classify").json()
    assert [job["id"] for job in page["jobs"]] == made[:0:-1]
    assert [job["id"] for job in ask("GET", page["next"]).json()["jobs"]] == made[:1]
    assert ask("POST", f"/jobs/{made[0]}/retry").status_code == 409
    cancelled = ask("DELETE", f"/jobs/{made[0]}")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    again = ask("POST", f"/jobs/{made[0]}/retry")
    assert (again.status_code, again.json()["retry_of"]) == (202, made[0])
    with a_worker(settings):
        assert ended(ask, again.json()["id"])["state"] == "partially_failed"
        assert ended(ask, made[1])["state"] == "partially_failed"
    assert ask("DELETE", f"/jobs/{made[1]}").status_code == 409


def test_a_schedule_makes_such_jobs_at_its_times_and_none_now(ask, settings):
    when = {"name": "nightly", "cron": "0 3 * * *", "timezone": "Europe/Berlin"}
    made = ask("POST", "/jobs", json={"kind": "reclassify", "schedule": when})
    assert (made.status_code, {name: made.json()[name] for name in when}) == (201, when)
    assert ask("GET", "/jobs").json()["jobs"] == []
    assert ask("POST", "/jobs", json={"kind": "reclassify", "schedule": when}).json()["errors"][0]["pointer"] == "#/schedule"

    async def fired():
        async with connection(settings.database_url) as session:
            await session.execute("UPDATE rayapp.schedule SET next_at = now() - interval '1 minute'")
            return await fire_due(session)

    (job,) = asyncio.run(fired())
    assert [found["id"] for found in ask("GET", "/jobs?kind=reclassify").json()["jobs"]] == [str(job.id)]


REFUSED = [
    ({"kind": "reclassify", "schedule": {"name": "a", "cron": "often"}}, 422, "#/schedule"),
    ({**INLINE, "schedule": {"name": "a", "cron": "0 3 * * *"}}, 422, "#/schedule"),
    ({"kind": "classify"}, 422, "#/kind"),
    ({"kind": "none"}, 400, "#/kind"),
    ({"kind": "reclassify", "transactions": []}, 422, "#/kind"),
    ({"kind": "ingest", "transactions": [], "dataset": "nothing"}, 422, "#/dataset"),
    ({"kind": "reclassify", "reason": "\0"}, 422, "#/reason"),
    ({**INLINE, "pack": "x"}, 422, "#/pack"),
    ({**INLINE, "webhook": {"url": "http://example.com/"}}, 422, "#/webhook/url"),
    ({**INLINE, "webhook": {"url": "https://user:pw@example.com/"}}, 422, "#/webhook/url"),
    ({**INLINE, "webhook": {"url": "https://example.com/", "secrets": ["x"]}}, 422, "#/webhook/secrets"),
    ({**INLINE, "else": 1}, 422, "#/else"),
]


def test_what_cannot_be_a_job_is_refused_with_its_place(ask):
    for body, status, pointer in REFUSED:
        refused = ask("POST", "/jobs", json=body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (status, pointer), body


def test_without_a_database_jobs_are_unavailable(small_classifier, tmp_path):
    settings = Settings(data_dir=tmp_path, database_url=f"postgresql://nobody@localhost/none?host={tmp_path}")
    with a_client(settings, small_classifier) as ask:
        for method, path in [("POST", "/jobs"), ("GET", "/jobs"), ("GET", f"/status/{'0' * 32}"), ("DELETE", f"/jobs/{'0' * 32}")]:
            away = ask(method, path, **({"json": INLINE} if method == "POST" else {}))
            assert (away.status_code, int(away.headers["retry-after"]) >= 1) == (503, True)
