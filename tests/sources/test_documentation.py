"""What docs/sources.md tells people is what the code does."""

import json
import re
from pathlib import Path

import pytest

from rayapp.datasets import dataset
from rayapp.settings import Settings
from rayapp.sources.describe import describe
from rayapp.sources.ids import MOST_ROWS
from rayapp.sources.options import Given, MappingFile, SourceOptions, read_mapping_file
from rayapp.sources.planning import plan_source
from rayapp.sources.row_cuts import LONGEST_ROW

TEXT = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
SHOWN = dict(re.findall(r"```(csv|text|toml|json)\n(.*?)```", TEXT, re.DOTALL))


def load(tmp_path, content, mapping):
    (tmp_path / "export.csv").write_bytes(content)
    with plan_source(str(tmp_path / "export.csv"), dataset("transactions"), SourceOptions(mapping), Settings(data_dir=tmp_path)) as (plan, reader):
        return describe(plan), [row for rows in reader(plan.pieces[0]) for row in rows.table.to_pylist()]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_the_example_is_read_as_shown(tmp_path, encoding):
    told, _ = load(tmp_path, SHOWN["csv"].encode(encoding), MappingFile())
    assert SHOWN["text"] in told


def test_the_mapping_file_gives_the_rows_shown(tmp_path):
    (tmp_path / "mapping.toml").write_text(SHOWN["toml"])
    _, rows = load(tmp_path, SHOWN["csv"].encode("cp1252"), read_mapping_file(tmp_path / "mapping.toml"))
    expected = [json.loads(line) for line in SHOWN["json"].splitlines()]
    assert [{name: value for name, value in row.items() if name != "id"} for row in rows] == expected


@pytest.mark.parametrize("key", [*MappingFile.__struct_fields__, *Given.__struct_fields__])
def test_every_key_is_shown(key):
    assert re.search(rf"\b{key}\b( =|\])", SHOWN["toml"])


def test_the_limits_told_are_those_of_the_code():
    assert f"{MOST_ROWS:,} rows" in TEXT
    assert f"{LONGEST_ROW >> 20} MB" in TEXT
