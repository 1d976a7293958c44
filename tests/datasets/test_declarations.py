from pathlib import Path

import pytest

from rayapp.datasets import dataset, datasets
from rayapp.datasets.declaration import read_declaration
from rayapp.errors import InvalidInput, InvalidSetup

SHOP = ("catalog_snapshot", "inventory", "order_lines", "bundle_recommendations")
GOOD = """
name = "visits"
table = "crm.visits"
key = ["visit_id"]

[[column]]
name = "visit_id"
type = "text"
needed = true
names = ["visit"]

[[column]]
name = "seen_at"
type = "instant"
"""


def test_transactions_and_the_shop_set_are_declared() -> None:
    assert {"transactions", *SHOP} <= {declared.name for declared in datasets()}
    assert dataset("transactions").decides
    assert not any(dataset(name).decides for name in SHOP)
    assert all("csv_upload_id" in dataset(name).key for name in SHOP)
    assert dataset("catalog_snapshot").key == ("csv_upload_id", "variant_id")


def test_every_shipped_column_says_what_it_is() -> None:
    assert [f"{d.name}.{c.name}" for d in datasets() for c in d.columns if not c.description] == []


def test_an_unknown_dataset_is_refused_with_the_known_names() -> None:
    with pytest.raises(InvalidInput, match=r"no dataset 'inventry', did you mean inventory\? the datasets are bundle_recommendations"):
        dataset("inventry")


def test_a_declaration_of_the_operators_is_a_dataset_like_others(tmp_path: Path) -> None:
    (tmp_path / "visits.toml").write_text(GOOD)
    assert dataset("visits", tmp_path).key == ("visit_id",)
    assert len(datasets(tmp_path)) == len(datasets()) + 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('type = "instant"', 'type = "time"'), "Invalid enum value 'time'"),
        (('type = "instant"', 'tipe = "instant"'), "unknown field `tipe`"),
        (('key = ["visit_id"]', "key = []"), "key is empty"),
        (('key = ["visit_id"]', 'key = ["visitor"]'), "key column 'visitor' is not declared"),
        (('key = ["visit_id"]', 'key = ["seen_at"]'), "key column 'seen_at' is neither needed nor has it a default"),
        (('type = "text"', 'type = "decimal"'), "key column 'visit_id' is decimal"),
        (('name = "seen_at"', 'name = "visit_id"'), "column 'visit_id' is declared twice"),
        (('name = "seen_at"', 'name = "visit"'), "the header name 'visit' is claimed by visit, visit_id"),
        (('name = "seen_at"', 'name = "version"'), "a column cannot be called 'version'"),
        (('name = "seen_at"', 'name = "seen at"'), "'seen at' is not a name"),
        (('names = ["visit"]', 'names = ["Visit"]'), "other name 'Visit' is not in lower case"),
        (('"crm.visits"', '"visits"'), "not of the form schema.table"),
        (('"crm.visits"', '"crm.visits; drop"'), "not of the form schema.table"),
        (("needed = true", 'needed = true\ndefault = "x"'), "is needed and has a default"),
        (("needed = true", "needed = maybe"), "Invalid value"),
    ],
)
def test_a_faulty_declaration_is_refused_by_its_file_and_fault(change: tuple[str, str], said: str) -> None:
    assert change[0] in GOOD
    with pytest.raises(InvalidSetup) as caught:
        read_declaration(GOOD.replace(*change), "visits.toml")
    assert "visits.toml" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"visits"', '"inventory"'), "inventory .* is declared twice"),
        (('key = ["visit_id"]', 'key = ["visit_id"]\ndecides = true'), "only transactions are classified"),
        (('"crm.visits"', '"rayapp.pack"'), "the schema rayapp is rayapp's own"),
    ],
)
def test_a_declaration_of_the_operators_keeps_off_what_is_ours(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    (tmp_path / "visits.toml").write_text(GOOD.replace(*change))
    with pytest.raises(InvalidSetup, match=said):
        datasets(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetup, match="there is no folder"):
        datasets(tmp_path / "none")
