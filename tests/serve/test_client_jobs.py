"""Jobs of several clients: nobody sees another's, operators see all, and each pays with its own rows."""

import asyncio
from contextlib import contextmanager

import pytest

from rayapp.serve import job_toll
from rayapp.serve.admission import Gate
from rayapp.serve.app import build_app
from rayapp.serve.database import Database
from rayapp.serve.desk import Deciding, Desk
from rayapp.serve.job_desk import JobDesk
from rayapp.serve.key_book import KeyBook
from rayapp.serve.uploads import Store, rows_in
from rayapp.store.api_keys import Allowance, add_key, valid_keys
from rayapp.store.database import connection
from tests.serve import test_jobs
from tests.serve.conftest import Client
from tests.serve.test_jobs import ROW

settings = test_jobs.settings
SLOW = Allowance(0.001, 10, 64)


@contextmanager
def served(settings, classifier, allowance):
    """An app, and a way to ask it with a key of one's own: ann, bob, or the operator."""

    async def keys():
        async with connection(settings.database_url) as session:
            made = {
                name: await add_key(session, name, "standard", allowance, operator=name == "operator")
                for name in ("ann", "bob", "operator")
            }
            return made, await valid_keys(session)

    made, known = asyncio.run(keys())
    base = Database(settings.database_url)
    gate = Gate(KeyBook(base), exposed=True)
    gate.use(known)
    desk = Desk(gate, base)
    desk.use(Deciding(1, classifier))
    client = Client(build_app(desk, JobDesk(settings, base)))

    def ask(who, method, path, **more):
        return client(method, path, **{**more, "headers": {**more.get("headers", {}), "authorization": f"Bearer {made[who]}"}})

    yield ask
    client.runner.run(desk.close())
    client.runner.close()


def job_of(rows):
    return {"kind": "classify", "transactions": [{**ROW, "id": str(number)} for number in range(rows)]}


def test_a_client_sees_its_own_jobs_alone_and_an_operator_all(settings, small_classifier):
    with served(settings, small_classifier, Allowance(100, 1_000, 64)) as ask:
        job = ask("ann", "POST", "/jobs", json=job_of(1)).json()["id"]
        other = ask("bob", "POST", "/jobs", json=job_of(1), headers={"idempotency-key": "k"}).json()["id"]
        same_key = ask("ann", "POST", "/jobs", json=job_of(1), headers={"idempotency-key": "k"}).json()["id"]
        ways = [
            ("GET", f"/status/{job}"),
            ("GET", f"/jobs/{job}"),
            ("GET", f"/jobs/{job}/results"),
            ("POST", f"/jobs/{job}/retry"),
            ("DELETE", f"/jobs/{job}"),
        ]
        for method, path in ways:
            refused = ask("bob", method, path)
            assert (refused.status_code, refused.json()["type"]) == (404, "urn:rayapp:problem:not-found"), path
        assert [found["id"] for found in ask("ann", "GET", "/jobs").json()["jobs"]] == [same_key, job]
        assert [found["id"] for found in ask("bob", "GET", "/jobs").json()["jobs"]] == [other]
        assert [found["id"] for found in ask("operator", "GET", "/jobs").json()["jobs"]] == [same_key, other, job]
        assert [ask("operator", *way).status_code for way in ways] == [200, 200, 200, 409, 200]
        assert ask("ann", "GET", f"/status/{job}").json()["state"] == "cancelled"
        again = ask("operator", "POST", f"/jobs/{job}/retry").json()["id"]
        assert ask("ann", "GET", f"/status/{again}").json()["retry_of"] == job
        made_by = [found["created_by"] for found in ask("operator", "GET", "/jobs").json()["jobs"]]
        assert made_by[0] == made_by[1] == made_by[3] != made_by[2]


def test_what_touches_everybodys_rows_needs_an_operators_key(settings, small_classifier):
    with served(settings, small_classifier, Allowance(100, 1_000, 64)) as ask:
        assert ask("ann", "POST", "/jobs", json={"kind": "reclassify"}).status_code == 403
        assert ask("operator", "POST", "/jobs", json={"kind": "reclassify"}).status_code == 202


def test_jobs_are_paid_with_rows_once_and_refused_while_there_is_a_debt(settings, small_classifier):
    async def never():
        raise AssertionError("the body was read")
        yield b""

    with served(settings, small_classifier, SLOW) as ask:
        csv = {"content": b"id,descriptor\n" + b"1,X\n" * 6, "headers": {"content-type": "text/csv", "idempotency-key": "k"}}
        taken = ask("ann", "POST", "/jobs", **csv)
        assert (taken.status_code, taken.headers["ratelimit"].split(";")[1]) == (202, "r=3")
        assert ask("ann", "POST", "/jobs", **csv).headers["idempotency-replayed"] == "true"
        assert ask("ann", "POST", "/jobs", json=job_of(9)).status_code == 202
        refused = ask("ann", "POST", "/jobs", json=job_of(1))
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:rayapp:problem:quota-exceeded")
        assert 5_900 < int(refused.headers["retry-after"]) <= 6_000
        unread = [("/jobs", "text/csv"), ("/jobs", "multipart/form-data; boundary=x"), ("/classify/bulk", "application/json")]
        for path, media_type in unread:
            early = ask("ann", "POST", path, content=never(), headers={"content-type": media_type, "prefer": "respond-async"})
            assert early.status_code == 429, path
        assert ask("ann", "POST", "/classify", json=ROW).status_code == 429
        assert ask("bob", "POST", "/jobs", json=job_of(1)).status_code == 202
        own = {"tier": "standard", "rows_per_s": 0.001, "burst_rows": 10, "rows_left": 9, "at_once": 64, "live_jobs": 100}
        assert ask("bob", "GET", "/limits").json()["client"] == own


def test_as_many_jobs_wait_as_a_key_may_have(settings, small_classifier, monkeypatch):
    monkeypatch.setitem(job_toll.MOST_LIVE, "standard", 2)
    with served(settings, small_classifier, Allowance(100, 1_000, 64)) as ask:
        jobs = [ask("ann", "POST", "/jobs", json=job_of(1)).json()["id"] for _ in range(2)]
        refused = ask("ann", "POST", "/jobs", json=job_of(1))
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:rayapp:problem:too-many-at-once")
        assert int(refused.headers["retry-after"]) == 60
        ask("ann", "DELETE", f"/jobs/{jobs[0]}")
        assert ask("ann", "POST", "/jobs", json=job_of(1)).status_code == 202


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [("a.csv", b"id\n1\n2\n", 3), ("a.gz", b"\x1f\x8b1\n2\n", None), ("a.parquet", b"PAR1 and no more", None), ("a", b"", 0)],
)
def test_rows_of_an_upload_are_counted_where_they_can_be(tmp_path, name, content, rows):
    async def pieces():
        yield content

    assert rows_in(asyncio.run(Store(tmp_path, 1_000).keep(pieces(), name))) == rows
