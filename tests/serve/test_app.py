"""The routes: good requests, bad ones as a table, limits, and what operators look at."""

import json
import tomllib
from pathlib import Path

import pytest

from rayapp.serve.bodies import MAX_BYTES, MAX_ONE_BYTES, MAX_ROWS, pointer_of

CASES = tomllib.loads((Path(__file__).parent.parent / "cases" / "bad_requests.toml").read_text())["case"]
ONE = {"id": "1", "descriptor": "SQ *BLUE BOTTLE 0123 OAKLAND CA", "amount": "4.50", "currency": "USD", "direction": "debit"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_bad_request_is_told_what_is_wrong_and_where(ask, case):
    body = bytes.fromhex(case["body_hex"]) if "body_hex" in case else case["body"].encode()
    headers = {"content-type": case.get("media_type", "application/json"), "x-request-id": "r-1"}
    if "encoding" in case:
        headers["content-encoding"] = case["encoding"]
    answer = ask("POST", case["path"], content=body, headers=headers)
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (case["status"], "application/problem+json")
    assert (told["status"], told["type"]) == (case["status"], "urn:rayapp:problem:" + case["type"])
    assert told["request_id"] == "r-1"
    assert told["title"]
    if "pointer" in case:
        assert told["errors"][0]["pointer"] == case["pointer"]


NESTED = ("[" * 40_000 + "]" * 40_000, '{"a":' * 10_000 + "1" + "}" * 10_000, "[" * 90_000)


@pytest.mark.parametrize("nested", NESTED, ids=["arrays", "objects", "without an end"])
@pytest.mark.parametrize("around", ['{{"id": "1", "descriptor": {}}}', '{{"id": "1", "descriptor": "A", "more": {}}}'])
def test_json_that_is_nested_too_deeply_is_the_callers_fault_on_every_route(ask, nested, around):
    row = around.format(nested)
    assert ask("POST", "/classify", content=row).status_code == 400
    assert ask("POST", "/classify/bulk", content=f'{{"transactions": [{row}]}}').status_code == 400
    good = json.dumps(ONE)
    first, second, _ = ask(
        "POST", "/classify/stream", content=f"{row}\n{good}\n", headers={"content-type": "application/x-ndjson"}
    ).content.splitlines()
    assert json.loads(first)["status"] == "rejected"
    assert json.loads(second)["id"] == "1"


def test_what_nobody_foresaw_is_a_problem_document_without_a_word_of_the_error(desk, ask, monkeypatch):
    async def break_down(*_):
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(desk, "classify_bulk", break_down)
    answer = ask("POST", "/classify/bulk", json={"transactions": []}, headers={"x-request-id": "r-1"})
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json() == {"type": "urn:rayapp:problem:internal-error", "title": "The service failed", "status": 500, "request_id": "r-1"}


def test_one_transaction_gets_one_classification(ask, small_classifier):
    answer = ask("POST", "/classify", json=ONE)
    assert answer.status_code == 200
    told = answer.json()
    assert told["merchant"] == {"name": "Blue Bottle", "id": "blue", "website": "bluebottle.example", "processor": "Square"}
    assert told["category"] == {"primary": "FOOD", "detailed": "FOOD_COFFEE"}
    assert told["pack"] == small_classifier.pack.digest
    assert "evidence" not in told


def test_an_explanation_adds_up_to_the_score(ask):
    told = ask("POST", "/classify?explain=true", json=ONE).json()
    counted = [item["contribution"] for item in told["evidence"] if item.get("counted", True)]
    assert round(sum(counted), 6) == told["score"]
    assert told["facts"]["store_number"] == "0123"


def test_a_bad_row_of_many_gets_its_own_answer_and_its_neighbours_theirs(ask):
    rows = [ONE, {**ONE, "id": "2", "currency": "QQQ"}, {"id": "3", "descriptor": 5}, {**ONE, "id": "4"}, 17]
    answer = ask("POST", "/classify/bulk", json={"transactions": rows})
    told = answer.json()
    assert answer.status_code == 200
    assert [(result["id"], result["status"]) for result in told["results"]] == [
        ("1", "classified"),
        ("2", "rejected"),
        ("3", "rejected"),
        ("4", "classified"),
        (None, "rejected"),
    ]
    assert [result["errors"][0]["pointer"] for result in told["results"] if result["status"] == "rejected"] == [
        "#/transactions/1/currency",
        "#/transactions/2/descriptor",
        "#/transactions/4",
    ]
    assert told["results"][1]["errors"][0]["detail"].startswith("$.transactions[1].currency: ")
    assert told["summary"] == {"rows": 5, "classified": 2, "unclassified": 0, "rejected": 3}


def test_strictly_a_row_with_a_field_that_is_none_is_refused_and_else_it_is_passed_over(ask):
    rows = [ONE, {**ONE, "id": "2", "curency": "USD"}]
    lenient = ask("POST", "/classify/bulk", json={"transactions": rows}).json()
    strict = ask("POST", "/classify/bulk?strict=true", json={"transactions": rows}).json()
    lines = ask("POST", "/classify/stream?strict=true", content="\n".join(map(json.dumps, rows)), headers={"content-type": "application/x-ndjson"})
    assert [row["status"] for row in lenient["results"]] == ["classified", "classified"]
    assert [row["status"] for row in strict["results"]] == ["classified", "rejected"]
    assert strict["results"][1]["id"] == "2"
    assert strict["results"][1]["errors"] == [
        {"pointer": "#/transactions/1/curency", "detail": "$.transactions[1]: 'curency' is not a field"}
    ]
    assert json.loads(lines.content.splitlines()[1])["errors"] == [{"pointer": "#/curency", "detail": "$: 'curency' is not a field"}]
    for explain in ("", "&explain=true"):
        assert ask("POST", f"/classify?strict=true{explain}", json=rows[0]).json()["category"] == lenient["results"][0]["category"]
        assert ask("POST", f"/classify?strict=true{explain}", json=rows[1]).status_code == 422
        assert ask("POST", f"/classify?strict=false{explain}", json=rows[1]).status_code == 200


def test_no_rows_are_no_error(ask):
    assert ask("POST", "/classify/bulk", json={"transactions": []}).json()["results"] == []


def test_more_rows_than_a_chunk_keep_their_order(ask):
    rows = [{"id": str(number), "descriptor": "BLUE BOTTLE" if number % 3 else " "} for number in range(2500)]
    told = ask("POST", "/classify/bulk", json={"transactions": rows}).json()
    assert [result["id"] for result in told["results"]] == [row["id"] for row in rows]
    assert told["summary"] == {"rows": 2500, "classified": 1666, "unclassified": 0, "rejected": 834}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/classify", json.dumps({**ONE, "user_id": "x" * MAX_ONE_BYTES})),
        ("/classify/bulk", '{"transactions": [' + " " * MAX_BYTES + "]}"),
        ("/classify/bulk", json.dumps({"transactions": [{"id": "1", "descriptor": "X"}] * (MAX_ROWS + 1)})),
    ],
    ids=["one too large", "bulk too large", "bulk of too many rows"],
)
def test_too_much_is_refused_with_a_better_way(ask, path, body):
    answer = ask("POST", path, content=body)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:rayapp:problem:body-too-large"
    assert "rayapp ingest" in answer.json()["detail"]


def test_a_body_without_a_length_is_counted_as_it_comes(ask):
    async def endless():
        while True:
            yield b" " * 65_536

    assert ask("POST", "/classify", content=endless()).status_code == 413


def test_a_service_without_a_pack_lives_but_is_not_ready(ask_unready):
    assert ask_unready("GET", "/healthz").status_code == 200
    for method, path in (("GET", "/readyz"), ("POST", "/classify")):
        refused = ask_unready(method, path, json=ONE)
        assert refused.status_code == 503
        assert refused.json()["type"] == "urn:rayapp:problem:unavailable"
        assert int(refused.headers["retry-after"]) > 0


def test_readyz_names_the_pack_and_its_version(ask, small_classifier):
    assert ask("GET", "/readyz").json() == {"status": "ready", "version": 7, "pack": small_classifier.pack.digest}


def test_metrics_count_requests_by_route_and_rows_by_level(ask, small_classifier):
    ask("POST", "/classify", json=ONE)
    ask("POST", "/classify/bulk", json={"transactions": [ONE, {**ONE, "mcc": "x"}]})
    ask("GET", "/nothing")
    text = ask("GET", "/metrics").text
    assert 'rayapp_http_requests_total{method="POST",route="/classify",status="200"} 1.0' in text
    assert 'rayapp_http_requests_total{method="GET",route="unknown",status="404"} 1.0' in text
    assert 'rayapp_rows_total{level="",status="rejected"} 1.0' in text
    assert f'rayapp_pack_version{{pack="{small_classifier.pack.digest}"}} 7.0' in text


def test_every_schema_that_the_documentation_names_is_there(ask):
    described = ask("GET", "/openapi.json").json()
    names = set(described["components"]["schemas"])
    text = json.dumps(described)
    assert {"Transaction", "Classification", "BulkAnswer", "RejectedRow", "Report"} <= names
    assert all(f'"#/components/schemas/{name}"' not in text or name in names for name in names)
    assert "/classify/bulk" in described["paths"]
    assert {path for path, told in described["paths"].items() if any("security" not in operation for operation in told.values())} == {
        "/healthz",
        "/readyz",
    }
    assert "Retry-After" in described["paths"]["/classify"]["post"]["responses"]["429"]["headers"]
    assert ask("GET", "/docs").status_code == 200


def test_limits_are_those_that_are_kept(ask):
    told = ask("GET", "/limits").json()
    assert (told["bulk"]["max_rows"], told["bulk"]["max_bytes"], told["classify"]["max_bytes"]) == (MAX_ROWS, MAX_BYTES, MAX_ONE_BYTES)
    assert told["client"] is None


@pytest.mark.parametrize(
    ("path", "pointer"),
    [("$", "#"), ("$.id", "#/id"), ("$.transactions[3].currency", "#/transactions/3/currency"), ("$.a/b", "#/a~1b")],
)
def test_paths_become_pointers(path, pointer):
    assert pointer_of(path) == pointer
