"""The command line as its users meet it: what comes out where, and with which exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rayapp import load_classifier
from rayapp.cli.main import main

SAMPLE = Path(__file__).parent.parent.parent / "rayapp" / "samples" / "transactions.csv"
ROWS = len(SAMPLE.read_text().splitlines()) - 1
COFFEE = "SQ *BLUE BOTTLE 0123 OAKLAND CA"
RAYAPP = [sys.executable, "-m", "rayapp.cli.main"]


def outcome(words: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(words)
    captured = capfd.readouterr()
    return code, captured.out, captured.err


def test_a_file_becomes_one_decision_a_row_in_its_order(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(["classify", str(SAMPLE), "--format", "jsonl"], capfd)
    decisions = [json.loads(line) for line in out.splitlines()]
    assert (code, len(decisions)) == (0, ROWS)
    assert [decision["id"] for decision in decisions] == [line.split(",")[0] for line in SAMPLE.read_text().splitlines()[1:]]
    assert f"{ROWS} rows" in err
    assert "0 rejected" in err


def test_every_way_in_and_out_gives_the_same_decisions(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import pyarrow.csv

    transactions = pyarrow.csv.read_csv(SAMPLE)
    pq.write_table(transactions, tmp_path / "in.parquet")
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row, default=str) + "\n" for row in transactions.to_pylist()))
    expected = load_classifier().classify(transactions).to_pylist()
    for source in (SAMPLE, tmp_path / "in.parquet", tmp_path / "in.jsonl"):
        code, _, _ = outcome(["classify", str(source), "--out", str(tmp_path / "out.parquet"), "--quiet"], capfd)
        assert code == 0
        assert pq.read_table(tmp_path / "out.parquet").to_pylist() == expected


BAD_ROWS = b"""id,descriptor,amount,currency,mcc
1,SHELL OIL 57444,abc,USD,
2,,3,USD,
3,SHELL OIL 57444,4,USD,5541
4,SHELL OIL,1,USD,5541,extra
,SHELL OIL,3,USD,
6,M\xfcLLER,1,EUR,
7,SHELL,1,XXQ,
8,SH\xc3\x89LL,1,USD,54111
9,SHELL,NaN,USD,

"""


def test_bad_rows_are_named_and_kept_and_the_good_ones_are_classified(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.csv").write_bytes(BAD_ROWS)
    words = ["classify", str(tmp_path / "in.csv"), "--rejects", str(tmp_path / "rejects.jsonl"), "--format", "jsonl"]
    code, out, err = outcome(words, capfd)
    assert code == 3
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["3"]
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert [(reject["row"], reject["field"]) for reject in rejects] == [
        (1, "amount"),
        (2, "descriptor"),
        (4, None),
        (5, "id"),
        (6, "descriptor"),
        (7, "currency"),
        (8, "mcc"),
        (9, "amount"),
    ]
    assert "row 1, amount: 'abc' is not a decimal number" in err
    assert "9 rows" in err
    assert "8 rejected" in err


def test_text_of_another_encoding_is_read_when_it_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.csv").write_bytes(b"id,descriptor\n1,DM DROGERIEMARKT M\xfcNCHEN\n")
    code, out, _ = outcome(["classify", str(tmp_path / "in.csv"), "--encoding", "latin-1", "--format", "jsonl"], capfd)
    assert (code, json.loads(out)["status"]) == (0, "classified")


def test_the_summary_is_json_when_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    _, _, err = outcome(["classify", str(SAMPLE), "--json", "--out", os.devnull], capfd)
    summary = json.loads(err)
    assert summary["rows"] == ROWS == summary["classified"] + summary["unclassified"] + summary["rejected"]
    assert sum(summary["levels"].values()) == ROWS


def test_an_explanation_names_merchant_category_and_reasons(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(["explain", COFFEE, "--mcc", "5814", "--amount", "4.50", "--currency", "USD", "--direction", "debit"], capfd)
    assert (code, err) == (0, "")
    for words in (COFFEE, "Blue Bottle", "Square", "FOOD_AND_DRINK > FOOD_AND_DRINK_COFFEE", '"BLUE BOTTLE"', "5814", "Oakland", "0123"):
        assert words in out


def test_an_explanation_as_json_is_one_object_a_descriptor(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = outcome(["explain", COFFEE, "PAYROLL ACME INC", "--json"], capfd)
    found = [json.loads(line) for line in out.splitlines()]
    assert (code, [entry["id"] for entry in found]) == (0, ["1", "2"])
    counted = [item for item in found[0]["evidence"] if item.get("counted", True) and item["category"] == found[0]["category"]["detailed"]]
    assert sum(item["contribution"] for item in counted) == pytest.approx(found[0]["score"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["explain", COFFEE, "--amount", "much"], "amount"),
        (["explain", COFFEE, "--currency", "dollars"], "currency"),
        (["explain", ""], "descriptor"),
        (["classify", "/nowhere/at/all.csv"], "cannot read /nowhere/at/all.csv"),
        (["classify", str(SAMPLE), "--pack", "/nowhere"], "no pack at /nowhere"),
        (["packs", "lint", "/nowhere"], "no directory of pack sources"),
        (["bench", "nothing"], "no benchmark is called 'nothing'"),
    ],
)
def test_our_errors_are_one_line_and_exit_code_1(words: list[str], said: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(words, capfd)
    assert (code, out) == (1, "")
    assert err.startswith("rayapp: ")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [[], ["clasify"], ["classify"], ["explain", COFFEE, "--direction", "up"], ["packs"]])
def test_wrong_use_is_exit_code_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


@pytest.mark.parametrize("words", [["--max-bad", "5x"], ["--dataset", "sales"], ["--set", "csv_upload_id"]])
def test_a_value_that_an_option_of_a_load_cannot_have_is_exit_code_2(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(["ingest", "bank.csv", *words], capfd)
    assert (code, out) == (2, "")
    assert err.startswith("rayapp: ")
    assert words[1] in err


def test_a_misspelt_setting_stops_every_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("RAYAPP_HTTP_PROT", "80")
    code, _, err = outcome(["explain", COFFEE], capfd)
    assert code == 1
    assert "did you mean RAYAPP_HTTP_PORT?" in err


def test_a_built_pack_decides_like_its_sources(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert outcome(["packs", "build", "--out", str(tmp_path / "default.pack")], capfd)[0] == 0
    from_sources = outcome(["explain", COFFEE, "--json"], capfd)
    assert outcome(["explain", COFFEE, "--json", "--pack", str(tmp_path / "default.pack")], capfd) == from_sources


def test_packs_are_published_listed_activated_and_rolled_back(
    database: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAYAPP_DATABASE_URL", database)
    code, digest, _ = outcome(["packs", "publish", "--activate", "--reason", "first"], capfd)
    assert (code, digest.strip()) == (0, load_classifier().pack.digest)
    listed = json.loads(outcome(["packs", "list", "--json"], capfd)[1])
    assert (listed["digest"], listed["active"]) == (digest.strip(), True)
    assert outcome(["packs", "activate", digest[:12]], capfd)[:2] == (0, digest)
    assert outcome(["packs", "activate", "0000"], capfd)[0] == 1
    assert outcome(["migrate"], capfd)[2] == "rayapp: the schema is up to date\n"


def test_rows_flow_while_the_source_is_still_open() -> None:
    child = subprocess.Popen([*RAYAPP, "classify", "-", "--quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(b"id,descriptor\n1,SHELL OIL 57444\n")
    child.stdin.flush()
    assert child.stdout.readline().startswith(b"id,status,")
    assert child.stdout.readline().startswith(b"1,classified,Shell,")
    child.stdin.write(b"2,SHELL OIL 57444\n")
    child.stdin.flush()
    assert child.stdout.readline().startswith(b"2,classified,Shell,")
    child.communicate()
    assert child.returncode == 0


@pytest.mark.parametrize(("reader", "code", "said"), [("head -n 1", 141, ""), ("cat > /dev/full", 1, "No space left on device")])
def test_a_reader_that_stops_or_a_full_disk_gives_no_traceback(reader: str, code: int, said: str) -> None:
    # The output is far larger than a pipe holds.
    loop = f"(cat {SAMPLE}; for i in $(seq 40); do tail -n +2 {SAMPLE}; done)"
    command = f"{loop} | {' '.join(RAYAPP)} classify - --quiet --format jsonl"
    command += " > /dev/full" if "full" in reader else f" | {reader}"
    done = subprocess.run(["/bin/bash", "-c", f"{command}; exit ${{PIPESTATUS[1]}}"], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert said in done.stderr


def test_the_light_commands_import_nothing_of_the_cluster() -> None:
    program = "import sys; from rayapp.cli.main import main; main(['explain', 'SHELL OIL']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"ray", "fastapi", "asyncpg", "sklearn", "rich"} & set(done.stderr.split())
