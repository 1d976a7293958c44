"""A pack that extends another: its own records win, and what it lacks comes from there."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.packs import directory
from rayapp.packs.lint import lint_pack
from rayapp.packs.merging import _uncovered
from rayapp.packs.reading import read_pack
from rayapp.packs.source import Levels, MccRange, Place, Weights

RULE = "[[rule]]\nid = '{}'\ncategory = '{}'\npatterns = ['{}']\n"
MERCHANTS = "id,name,category,aliases\n"
HEAD = 'name = "own"\nversion = "2"\nextends = "default"\n'


@pytest.fixture
def base(tmp_path, monkeypatch):
    """A small pack in the place of the default one."""
    folder = tmp_path / "base"
    content = {
        "pack.toml": 'name = "base"\nversion = "1"\n[weights]\nrule = 0.3\n[levels]\nvery_high = 0.99\n',
        "taxonomy.csv": "primary,detailed,direction,merchant\nA,A_ONE,debit,yes\nA,A_TWO,debit,yes\n",
        "mcc.csv": "first,last,detailed\n3000,3299,A_ONE\n",
        "rules/a.toml": RULE.format("one", "A_ONE", "COFFEE")
        + RULE.format("two", "A_TWO", "ESPRESSO")
        + RULE.format("three", "A_TWO", "COCOA"),
        "merchants/a.csv": MERCHANTS + "acme,Acme,A_ONE,\nother,Other,A_TWO,\n",
        "phrases.csv": "phrase,kind,channel\nMARKET,generic,\n",
        "processors.csv": "id,name,prefixes,star\nsq,Square,SQ,needed\n",
        "confidence.json": "{}",
    }
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    row = {"name": "N", "category": "A_ONE", "aliases": ["N"], "countries": ["US"], "website": "", "match": "", "weight": 0.9}
    pq.write_table(pa.Table.from_pylist([{"id": key, **row} for key in ("acme", "big", "small")]), folder / "gazetteer.parquet")
    monkeypatch.setattr(directory, "DEFAULT_PACK", folder)
    return folder


def write(tmp_path, files):
    for name, text in files.items():
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / name).write_text(text)
    return tmp_path / "own"


@pytest.mark.usefixtures("base")
def test_a_pack_of_one_file_is_the_extended_pack_under_another_name(tmp_path):
    source = read_pack(write(tmp_path, {"pack.toml": HEAD}))
    assert (source.name, source.version, source.extends) == ("own", "2", "default")
    assert source.weights == Weights(rule=0.3)
    assert source.levels.very_high == 0.99
    assert [rule.id for rule in source.rules] == ["one", "two", "three"]
    assert source.rules[0].place == Place("default:rules/a.toml", 1)
    assert source.gazetteer["id"].to_pylist() == ["big", "small"]
    assert list(source.artefacts) == ["confidence.json"]


@pytest.mark.usefixtures("base")
def test_own_records_replace_those_of_the_same_key_and_the_rest_is_added(tmp_path):
    files = {
        "pack.toml": HEAD
        + "[weights]\nmerchant = 0.5\n[levels]\nhigh = 0.98\n"
        + "[without]\nrules = ['three']\nmerchants = ['other', 'small']\n",
        "taxonomy.csv": "primary,detailed,direction,merchant\nB,A_TWO,both,no\nB,B_NEW,both,no\n",
        "mcc.csv": "first,last,detailed\n3100,3100,B_NEW\n",
        "rules/mine.toml": RULE.format("two", "B_NEW", "ESPRESSO"),
        "merchants/mine.csv": MERCHANTS + "big,Big Own,B_NEW,\n",
        "phrases.csv": "phrase,kind,channel\nMARKET,noise,\n",
    }
    source = read_pack(write(tmp_path, files))
    assert source.weights == Weights(merchant=0.5, rule=0.3)
    assert source.levels == Levels(very_high=0.99, high=0.98)
    assert [(category.primary, category.detailed) for category in source.categories] == [("A", "A_ONE"), ("B", "A_TWO"), ("B", "B_NEW")]
    assert [(item.first, item.last, item.category) for item in source.mcc] == [
        (3000, 3099, "A_ONE"), (3101, 3299, "A_ONE"), (3100, 3100, "B_NEW"),
    ]  # fmt: skip
    assert [(rule.id, rule.category) for rule in source.rules] == [("one", "A_ONE"), ("two", "B_NEW")]
    assert [merchant.id for merchant in source.merchants] == ["acme", "big"]
    assert source.gazetteer.num_rows == 0
    assert [phrase.kind for phrase in source.phrases] == ["noise"]


@pytest.mark.usefixtures("base")
def test_what_is_left_out_must_be_there(tmp_path):
    path = write(tmp_path, {"pack.toml": HEAD + "[without]\nrules = [\n  'tow',\n]\nmerchants = ['acmee']\n"})
    assert [str(fault) for fault in lint_pack(path)] == [
        "pack.toml:6: without: the extended pack has no rule 'tow' (did you mean 'two'?)",
        "pack.toml:8: without: the extended pack has no merchant 'acmee' (did you mean 'acme'?)",
    ]


@pytest.mark.usefixtures("base")
def test_another_pack_than_the_default_cannot_be_extended(tmp_path):
    path = write(tmp_path, {"pack.toml": 'name = "../x"\nextends = "../../etc"\n'})
    assert [(fault.line, fault.message.split(":")[0]) for fault in lint_pack(path)] == [(1, "name"), (1, "version"), (2, "extends")]


def test_of_the_extended_pack_errors_are_told_and_warnings_are_not(base, tmp_path):
    (base / "taxonomy.csv").write_text("primary,detailed,direction,merchant\nA,A_ONE,debit,yes\nA,A_TWO,debt,yes\nA,A_THREE,debit,yes\n")
    path = write(tmp_path, {"pack.toml": HEAD, "taxonomy.csv": "primary,detailed,direction,merchant\nC,C_NEW,both,no\n"})
    assert [(fault.file, fault.severity) for fault in lint_pack(path)] == [("default:taxonomy.csv", "error"), ("taxonomy.csv", "warning")]


@pytest.mark.usefixtures("base")
def test_an_own_rule_may_outdo_a_rule_of_the_extended_pack_that_is_written_alike(tmp_path):
    stronger = RULE.format("mine", "A_TWO", "COFFEE") + "priority = 60\n"
    assert lint_pack(write(tmp_path, {"pack.toml": HEAD, "rules/mine.toml": stronger})) == []
    weaker = RULE.format("mine", "A_TWO", "COFFEE") + "priority = 40\n"
    (fault,) = lint_pack(write(tmp_path, {"pack.toml": HEAD, "rules/mine.toml": weaker}))
    assert fault.message.startswith("mine can never win: one has the same patterns")


ranges = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)


@given(st.lists(ranges, max_size=5), st.lists(ranges, max_size=5))
def test_own_mcc_ranges_are_cut_out_of_the_extended_ones_code_by_code(base_ranges, own_ranges):
    def made(pairs, category):
        return tuple(MccRange(first, last, category, 1.0, "", Place("mcc.csv", 1)) for first, last in pairs)

    left = _uncovered(made(base_ranges, "BASE"), made(own_ranges, "OWN"))
    covered = [code for first, last in own_ranges for code in range(first, last + 1)]
    expected = sorted(code for first, last in base_ranges for code in range(first, last + 1) if code not in covered)
    assert sorted(code for item in left for code in range(item.first, item.last + 1)) == expected
