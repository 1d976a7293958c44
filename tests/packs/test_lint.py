"""Every fault of a pack is found, at its line, with what was probably meant."""

import tomllib
from pathlib import Path

import pytest

from rayapp.errors import Fault, InvalidPack
from rayapp.packs import check_patterns, firing
from rayapp.packs.lint import lint_pack
from rayapp.packs.reading import read_pack

CASES = tomllib.loads((Path(__file__).parents[1] / "cases" / "pack_faults.toml").read_text())["case"]


def contents(case):
    latin = {name: text.encode("latin-1") for name, text in case.get("bytes", {}).items()}
    repeated = {name: begin + text * 100_000 for name, (begin, text) in case.get("repeat", {}).items()}
    written = {name: text.removeprefix("\n") if name.endswith(".csv") else text for name, text in case.get("files", {}).items()}
    return {**written, **repeated, **latin}


def fits(fault: Fault, expected) -> bool:
    return (
        (fault.file, fault.line, fault.severity) == (expected["file"], expected["line"], expected.get("severity", "error"))
        and expected["message"] in fault.message
        and expected.get("suggestion", "") in fault.suggestion
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_faulty_pack_gives_exactly_these_faults(case, write_pack):
    found = lint_pack(write_pack(contents(case)))
    shown = "\n".join(map(str, found))
    for expected in case["faults"]:
        assert any(fits(fault, expected) for fault in found), f"{expected} not in\n{shown}"
    assert len(found) == len(case["faults"]), shown


def test_the_small_pack_has_no_fault(write_pack):
    assert lint_pack(write_pack({})) == []


def test_the_faults_of_all_files_come_at_once_and_in_order(write_pack):
    path = write_pack({
        "pack.toml": "name = 'x'\n",
        "taxonomy.csv": "primary,detailed,direction,merchant\nFOOD,FOOD_COFFEE,out,yes\n",
        "mcc.csv": "first,last,detailed\n5411,5411,NOTHING\n",
        "merchants/m.csv": "id,name,category\nx,X Y,NOTHING\n",
        "rules/r.toml": "[[rule]]\nid = 'r'\ncategory = 'NOTHING'\npatterns = ['(']\n",
        "rules/s.toml": "[[rule\n",
        "processors.csv": "id\n",
        "phrases.csv": "phrase,kind\nX,y\n",
    })  # fmt: skip
    with pytest.raises(InvalidPack) as caught:
        read_pack(path)
    places = [(fault.file, fault.line) for fault in caught.value.faults]
    assert places == sorted(places)
    assert {file for file, _ in places} == {
        "pack.toml", "taxonomy.csv", "mcc.csv", "merchants/m.csv", "rules/r.toml", "rules/s.toml", "processors.csv", "phrases.csv",
    }  # fmt: skip
    assert all(fault.severity == "error" for fault in caught.value.faults)


def test_warnings_alone_do_not_keep_a_pack_from_being_read(write_pack):
    path = write_pack({"taxonomy.csv": "primary,detailed,direction,merchant\nA,A_B,both,yes\n", "mcc.csv": "first,last,detailed\n"})
    assert [fault.severity for fault in lint_pack(path)] == ["warning"]
    assert [category.detailed for category in read_pack(path).categories] == ["A_B"]


@pytest.mark.parametrize("content", [None, "", "\x00", "[[", "\ufeff", "name = 1\nversion = 2\n"])
def test_a_directory_that_is_no_pack_is_a_fault_of_its_pack_toml(content, tmp_path):
    if content is not None:
        (tmp_path / "pack.toml").write_text(content)
    with pytest.raises(InvalidPack) as caught:
        read_pack(tmp_path)
    assert {fault.file for fault in caught.value.faults} <= {"pack.toml", "taxonomy.csv"}


def test_a_missing_directory_is_a_fault():
    assert [str(fault) for fault in lint_pack(Path("/nowhere/at/all"))] == ["pack.toml:1: no such directory"]


def test_a_hostile_pattern_with_a_hostile_example_is_linted_in_linear_time(write_pack):
    rule = f"[[rule]]\nid='r'\ncategory='FOOD_COFFEE'\npatterns=['^(?:A|AA)+COFFEE$']\ncounterexamples=['{'A' * 400}COFFEE!']\n"
    assert lint_pack(write_pack({"rules/r.toml": rule})) == []


@pytest.mark.parametrize(
    ("name", "header", "row", "most"),
    [
        ("rules/r.toml", "", "[[rule]]\nid='{0}'\ncategory='FOOD_COFFEE'\npatterns=['COFFEE{0}']\n", 20_000),
        ("taxonomy.csv", "primary,detailed,direction,merchant\n", "A,A{0},both,yes\n", 2_000),
    ],
)
def test_more_than_a_pack_may_hold_is_one_fault(name, header, row, most, write_pack):
    path = write_pack({name: header + "".join(row.format(number) for number in range(most + 1)), "mcc.csv": "first,last,detailed\n"})
    errors = [fault for fault in lint_pack(path) if fault.severity == "error" and fault.file == name]
    assert len(errors) == 1
    assert f"the most is {most:,}" in errors[0].message


def test_patterns_that_cost_too_much_are_given_up_early(write_pack, monkeypatch):
    monkeypatch.setattr(check_patterns, "MAX_COST", 1_000)
    rule = "[[rule]]\nid = 'r{0}'\ncategory = 'FOOD_COFFEE'\npatterns = ['COFFEE{0}.{{0,20}}HOUSE{0}']\n"
    path = write_pack({"rules/r.toml": "".join(map(rule.format, range(check_patterns.CHUNK + 1)))})
    (fault,) = lint_pack(path)
    assert (fault.line, fault.message) == (401, "patterns are too costly: after 100 of 101 the rest is left unread")


RULE = "[[rule]]\nid = 'r{0}'\ncategory = 'FOOD_COFFEE'\npatterns = ['{1}']\nwhen = {{ amount = {{ min = {0} }} }}\n"


def test_a_pattern_that_many_rules_share_is_a_fault_of_the_first_too_many(write_pack):
    rules = "".join(RULE.format(number, "COFFEE") for number in range(check_patterns.MAX_USERS + 2))
    (fault,) = lint_pack(write_pack({"rules/r.toml": rules}))
    assert (fault.line, fault.message) == (501, "more than 100 rules share the pattern COFFEE")


def test_examples_that_match_everything_are_given_up_early(write_pack, monkeypatch):
    monkeypatch.setattr(firing, "MAX_PAIRS", 100)
    rules = "".join(RULE.format(number, "A" * (number + 3)) for number in range(100))
    path = write_pack({"rules/r.toml": rules + "examples = [" + f"'{'A' * 200}'," * 600 + "]"})
    assert "344 examples cannot be tried: too many patterns match them" in [fault.message for fault in lint_pack(path)]


def test_after_some_hundred_suggestions_faults_come_without_one(write_pack):
    rules = "".join(f"[[rule]]\nid = 'r{number}'\ncategory = 'FOOD_COFEE'\npatterns = ['COFFEE{number}']\n" for number in range(400))
    found = [fault for fault in lint_pack(write_pack({"rules/r.toml": rules})) if "unknown category" in fault.message]
    assert len(found) == 400
    assert sum(bool(fault.suggestion) for fault in found) == 300
