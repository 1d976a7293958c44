"""The service as a client meets it: through HAProxy, in a replica, with the pack that the rule actor says."""

import msgspec
import pyarrow.csv
import pytest

from rayapp import Transaction
from rayapp.scoring.columns import FIELDS
from rayapp.serve.decisions import decisions_of
from rayapp.store.api_keys import mark_of

pytestmark = pytest.mark.cluster

SAMPLE = "rayapp/samples/transactions.csv"
TEXT = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(FIELDS, pyarrow.string()), strings_can_be_null=True)
ONE = {"id": "1", "descriptor": "SQ *BLUE BOTTLE 0123 OAKLAND CA", "amount": "4.50", "currency": "USD", "direction": "debit"}


def sample_rows():
    rows = pyarrow.csv.read_csv(SAMPLE, convert_options=TEXT).to_pylist()
    return [{name: value for name, value in row.items() if value} for row in rows]


def test_one_transaction_is_answered_through_haproxy(cluster, http):
    answer = http.post("/classify", json=ONE)
    assert answer.status_code == 200
    assert answer.json()["merchant"] == {"name": "Blue Bottle", "id": "blue", "website": "bluebottle.example", "processor": "Square"}
    assert http.get("/-/healthz").status_code == 200
    assert "HAProxy does not run" not in (cluster.settings.data_dir / "launcher.log").read_text()


def test_an_answer_carries_its_request_id_once(http):
    answer = http.post("/classify", content=b"{", headers={"x-request-id": "abc-1"})
    assert answer.headers.get_list("x-request-id") == ["abc-1"]
    assert answer.json()["request_id"] == "abc-1"


def test_library_single_and_bulk_give_the_same_bytes(http, library):
    rows = sample_rows()
    by_library = [msgspec.json.encode(library.classify_one(Transaction(**row))) for row in rows]
    by_single = [http.post("/classify", json=row).content for row in rows[:60]]
    bulk = http.post("/classify/bulk", json={"transactions": rows})
    assert results_of(bulk.content) == by_library
    assert by_single == by_library[:60]


def results_of(body):
    class Body(msgspec.Struct):
        results: list[msgspec.Raw]

    return [bytes(raw) for raw in msgspec.json.decode(body, type=Body).results]


def test_what_ray_data_stored_is_what_the_library_says(cluster, library, tmp_path):
    rows = sample_rows()
    path = tmp_path / "many.csv"
    lines = [",".join(FIELDS)]
    lines += [",".join(f'"{row.get(name, "")}"' for name in FIELDS) for copy in range(11) for row in ({**row, "id": f"{copy}/{row['id']}"} for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    first = cluster.rayapp("ingest", str(path))
    assert first.returncode == 0, first.stderr
    assert "on Ray Data" in first.stderr
    stored = {row["id"]: row for row in cluster.rows("SELECT * FROM rayapp.classified WHERE id LIKE '%/%'")}
    assert len(stored) == 11 * len(rows)
    table = library.classify(pyarrow.csv.read_csv(path, convert_options=TEXT))
    for row in table.to_pylist():
        assert {name: stored[row["id"]][name] for name in row} == row
    again = cluster.rayapp("ingest", str(path))
    assert again.returncode == 0
    assert "nothing to do" in again.stderr
    assert decisions_of(table, library.pack)[0].pack == stored["0/" + rows[0]["id"]]["pack"]


def test_from_the_first_key_on_a_key_is_needed_and_without_keys_none_is(cluster, http):
    added = cluster.rayapp("keys", "add", "test", "--tier", "priority", "--rows-per-second", "100", "--burst", "1000")
    assert added.returncode == 0, added.stderr
    key = added.stdout.strip()
    try:
        assert cluster.eventually(lambda: http.post("/classify", json=ONE).status_code == 401)
        answer = http.post("/classify", json=ONE, headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"rows";q=1000;w=10'
        assert http.get("/readyz").status_code == 200
        assert key not in cluster.rayapp("keys", "list", "--json").stdout
    finally:
        cluster.rayapp("keys", "revoke", mark_of(key, "priority"))
    assert cluster.eventually(lambda: http.post("/classify", json=ONE).status_code == 200)


def test_a_stream_flows_through_the_whole_way(http, library):
    rows = sample_rows()
    lines = [msgspec.json.encode(row) + b"\n" for row in rows] * 50
    found = http.post("/classify/stream", content=iter(lines), headers={"content-type": "application/x-ndjson"}).content.splitlines()
    assert found[: len(rows)] == [msgspec.json.encode(library.classify_one(Transaction(**row))) for row in rows]
    assert msgspec.json.decode(found[-1])["summary"]["rows"] == len(lines)


def test_stored_transactions_are_decided_by_their_ids(cluster, http):
    ids = [row["id"] for row in cluster.rows("SELECT id FROM rayapp.transaction LIMIT 5")]
    told = http.post("/classify/bulk", json={"transaction_ids": [*ids, "there is none"]}).json()
    assert [result["id"] for result in told["results"]] == [*ids, "there is none"]
    assert told["summary"]["rejected"] == 1
