"""The life of a pack change at the command line: planned, carried out, corrected, explained and taken back."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from rayapp.cli.main import main
from rayapp.packs import load_pack
from rayapp.packs.lint import lint_pack
from rayapp.packs.proposal import propose
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.transaction import Transaction
from rayapp.store.database import connection

from ..store.redeciding import store_rows  # noqa: TID252 - importlib mode knows no other way to a neighbour's module

TAXONOMY = (
    "primary,detailed,direction,merchant,description\nFOOD,FOOD_COFFEE,debit,yes,\nFOOD,FOOD_BAKERY,debit,yes,\nPAY,PAY_SALARY,credit,no,\n"
)
RULE = '[[rule]]\nid = "{}"\ncategory = "{}"\npatterns = [\'\\b{}\\b\']\n'
MERCHANTS = "id,name,category,aliases,countries,website,match,weight\nblue,Blue Bottle,FOOD_COFFEE,,,,,0.95\n"
ROWS = [("1", "BLUE COFFEE", 4.5), ("2", "OLD BAKERY", 10), ("3", "SQ *BLUE BOTTLE 0123", 3), ("4", "ACME PAYROLL", 2000)]


def write(folder: Path, *rules: str) -> Path:
    files = {
        "pack.toml": 'name = "small"\nversion = "1"\n',
        "taxonomy.csv": TAXONOMY,
        "merchants/all.csv": MERCHANTS,
        "rules/all.toml": "".join(rules),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


COFFEE, BAKERY = RULE.format("coffee", "FOOD_COFFEE", "COFFEE"), RULE.format("bakery", "FOOD_BAKERY", "BAKERY")


@pytest.fixture
def packs(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> dict[str, str]:
    """A database with a few rows decided by the active pack, and a second pack's directory."""
    monkeypatch.setenv("RAYAPP_DATABASE_URL", database)
    old, new = write(tmp_path / "old", COFFEE), write(tmp_path / "new", COFFEE, BAKERY)

    async def fill() -> None:
        async with connection(database) as session:
            given = [Transaction(key, descriptor, str(amount), "EUR") for key, descriptor, amount in ROWS]
            await store_rows(session, Classifier(load_pack(old)), given)

    asyncio.run(fill())
    assert main(["packs", "activate", load_pack(old).digest, "--reason", "first"]) == 0
    capfd.readouterr()
    return {"old": str(old), "new": str(new), "digest": load_pack(new).digest}


def told(words: list[str], capfd: pytest.CaptureFixture[str], code: int = 0) -> Any:
    assert main([*words, "--json"]) == code
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def said(words: list[str], capfd: pytest.CaptureFixture[str], code: int = 0) -> str:
    assert main(words) == code
    captured = capfd.readouterr()
    return captured.out + captured.err


def test_a_change_is_planned_carried_out_and_taken_back(packs: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    (plan,) = told(["packs", "plan", packs["new"], "--by", "ann", "--reason", "bakeries"], capfd)
    assert (plan["pack"], plan["report"]["category"], plan["made_by"]) == (packs["digest"], 1, "ann")
    shown = said(["packs", "show-plan", str(plan["id"])], capfd)
    for words in ("FOOD_BAKERY", "10.00 EUR", "bakery", "OLD BAKERY", f"rayapp packs apply {plan['id']} does exactly this"):
        assert words in shown
    (done,) = told(["packs", "apply", str(plan["id"])], capfd)
    assert (done["changed"], done["former_pack"]) == (1, load_pack(packs["old"]).digest)
    assert "carried out before" in said(["packs", "apply", str(plan["id"])], capfd, 1)
    assert "1 decisions put back, pack" in said(["packs", "revert", str(done["id"])], capfd)
    assert [one["kind"] for one in told(["packs", "changes"], capfd)] == ["revert", "apply"]
    assert "no such" not in said(["packs", "changes"], capfd)


def test_reclassify_tells_first_then_decides_anew(packs: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["packs", "publish", packs["new"], "--activate"]) == 0
    capfd.readouterr()
    assert "rule bakery" in said(["reclassify", "--dry-run"], capfd)
    (done,) = told(["reclassify"], capfd)
    assert (done["decided"], done["changed"], done["because"]) == (1, 1, "")
    assert "1 rows decided again" not in said(["reclassify", "--full"], capfd)
    assert "reclassify (changeset" in said(["history", "2"], capfd)


def test_a_correction_locks_proposes_and_is_kept_by_later_packs(packs: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert "is as it was loaded" in said(["history", "2"], capfd)
    (done,) = told(["correct", "2", "--category", "FOOD_COFFEE", "--by", "ann", "--reason", "they roast"], capfd)
    assert (done["after"], done["proposal"]["kind"]) == ("FOOD_COFFEE", "merchant")
    assert "ann · they roast" in said(["history", "2"], capfd)
    blocked = said(["packs", "plan", packs["new"]], capfd, 1)
    assert "1 corrections are broken" in blocked
    assert "breaks 1 corrections" in said(["packs", "publish", packs["new"], "--activate"], capfd, 1)
    assert main(["packs", "publish", packs["new"], "--activate", "--override", "known"]) == 0
    assert "there is no transaction '9'" in said(["history", "9"], capfd, 1)
    assert "there is no category" in said(["correct", "1", "--category", "X", "--by", "ann"], capfd, 1)


@pytest.mark.parametrize(
    ("descriptor", "category", "merchant", "kind"),
    [
        ("OLD BAKERY 0123 LEEDS", "FOOD_BAKERY", None, "merchant"),
        ("SQ *BLUE BOTTLE 0123", "FOOD_BAKERY", None, "rule"),
        ("SQ *BLUE BOTTLE 0123", "FOOD_BAKERY", "Blue Bottle Bakery", "merchant"),
        ('O\'NEIL & SONS "CAFE"', "FOOD_BAKERY", "O'Neil, Sons", "merchant"),
        ("12345 99", "PAY_SALARY", None, "rule"),
        ("BLUE BOTTLE (X+Y) [Z]", "PAY_SALARY", None, "rule"),
    ],
)
def test_what_a_correction_proposes_can_be_added_to_the_pack_as_it_is(
    tmp_path: Path, descriptor: str, category: str, merchant: str | None, kind: str
) -> None:
    given = Transaction("1", descriptor, "5", "EUR", "debit")
    pack = write(tmp_path / "pack", COFFEE)
    proposal = propose(Classifier(load_pack(pack)), given, category, merchant)
    assert proposal.kind == kind
    path = pack / proposal.file
    path.parent.mkdir(exist_ok=True)
    path.write_text(proposal.text + "\n")
    assert [fault for fault in lint_pack(pack) if fault.severity == "error"] == []
    decided = Classifier(load_pack(pack)).classify_one(given)
    assert decided.category is not None
    assert decided.category.detailed == category


def test_rows_that_were_loaded_are_found_however_a_bank_prints_them(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAYAPP_DATABASE_URL", database)
    monkeypatch.setenv("RAYAPP_PACK", str(write(tmp_path / "old", COFFEE)))
    lines = [
        "Old  Bakery",
        "OLD\tBAKERY",
        "bäkery",
        "BÄKERY",
        "Bak\u00adery",
        "BAKE'RY",
        " bakery ",
        "ＢＡＫＥＲＹ",
        "INDN:BAKERY CO ID:1",
        "no baker",
    ]
    (tmp_path / "rows.csv").write_text("id,descriptor,amount,currency\n" + "".join(f'{n},"{line}",1,EUR\n' for n, line in enumerate(lines)))
    assert main(["ingest", str(tmp_path / "rows.csv")]) == 0
    assert main(["packs", "publish", str(write(tmp_path / "new", COFFEE, BAKERY)), "--activate"]) == 0
    capfd.readouterr()
    (touched,) = told(["reclassify"], capfd)
    assert touched["changed"] >= 5
    (whole,) = told(["reclassify", "--full"], capfd)
    assert (whole["decided"], whole["changed"]) == (len(lines), 0)
