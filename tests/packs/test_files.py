"""Which files of a directory make the pack, and the digest that names their content."""

import os
import shutil
from pathlib import Path

import pytest

from rayapp.packs import files
from rayapp.packs.files import DEFAULT_PACK, digest, pack_files
from rayapp.packs.lint import lint_pack


def messages(path: Path) -> list[str]:
    return [f"{fault.file}: {fault.message}" for fault in lint_pack(path)]


def test_a_copy_elsewhere_has_the_same_digest_and_hidden_files_do_not_count(write_pack, tmp_path):
    pack = write_pack({"rules/a.toml": "", "merchants/m.csv": "id,name,category\n"})
    copy = Path(shutil.copytree(pack, tmp_path / "copy"))
    (copy / ".git").mkdir()
    (copy / ".git" / "HEAD").write_text("x")
    (copy / "rules" / ".a.toml.swp").write_text("x")
    assert pack_files(copy) == ["mcc.csv", "merchants/m.csv", "pack.toml", "rules/a.toml", "taxonomy.csv"]
    assert digest(copy, "1") == digest(pack, "1")


@pytest.mark.parametrize(
    "change",
    [
        lambda pack: (pack / "rules" / "a.toml").write_text("#"),
        lambda pack: (pack / "rules" / "a.toml").rename(pack / "rules" / "b.toml"),
        lambda pack: (pack / "rules" / "b.toml").write_text(""),
        lambda pack: (pack / "mcc.csv").unlink(),
        lambda pack: (pack / "pack.toml").write_text('name = "small"\nversion = "1"\nextends = "default"\n'),
    ],
)
def test_any_change_of_a_file_changes_the_digest(change, write_pack):
    pack = write_pack({"rules/a.toml": ""})
    before = digest(pack, "1")
    change(pack)
    assert digest(pack, "1") != before


def test_the_engine_and_the_extended_pack_are_part_of_the_digest(write_pack, tmp_path, monkeypatch):
    pack = write_pack({"pack.toml": 'name = "x"\nversion = "1"\nextends = "default"\n'})
    base = Path(shutil.copytree(DEFAULT_PACK, tmp_path / "base"))
    before = digest(pack, "1")
    assert digest(pack, "2") != before
    monkeypatch.setattr(files, "DEFAULT_PACK", base)
    assert digest(pack, "1") == before
    (base / "mcc.csv").write_text("first,last,detailed\n")
    assert digest(pack, "1") != before


def test_links_out_of_the_pack_are_refused_and_links_inside_are_not(write_pack, tmp_path):
    pack = write_pack({"rules/a.toml": ""})
    (tmp_path / "secret.toml").write_text("password = 1")
    (pack / "rules" / "b.toml").symlink_to(tmp_path / "secret.toml")
    (pack / "rules" / "c.toml").symlink_to("a.toml")
    (pack / "rules" / "d.toml").symlink_to("nothing.toml")
    (pack / "merchants").symlink_to(tmp_path)
    (pack / "rules" / "e.toml").symlink_to("e.toml")
    assert messages(pack) == [
        "merchants: a link that leaves the pack's directory",
        "rules/b.toml: a link that leaves the pack's directory",
        "rules/d.toml: a link to nothing",
        "rules/e.toml: a link to nothing",
    ]


def test_what_is_not_a_file_is_refused(write_pack):
    pack = write_pack({})
    os.mkfifo(pack / "mcc_2.csv")
    (pack / "rules" / "x.toml").mkdir(parents=True)
    (pack / "od\nd.csv").write_text("")
    found = messages(pack)
    assert "mcc_2.csv: not a regular file" in found
    assert any("characters that cannot be printed" in message for message in found)


def test_a_file_that_is_too_big_is_refused_unread(write_pack):
    pack = write_pack({})
    with (pack / "gazetteer.parquet").open("wb") as file:
        file.truncate(files.MAX_FILE_BYTES + 1)
    assert messages(pack) == ["gazetteer.parquet: 67,108,865 bytes, and the most is 67,108,864"]


def test_a_directory_of_thousands_of_files_is_no_pack(write_pack):
    pack = write_pack({f"rules/{number}.toml": "" for number in range(files.MAX_FILES)})
    assert messages(pack)[0] == ".: more than 1,000 files"


def test_an_installed_default_pack_may_be_made_of_links(write_pack, tmp_path, monkeypatch):
    cache, linked = write_pack({}), tmp_path / "site-packages"
    linked.mkdir()
    for name in pack_files(cache):
        (linked / name).symlink_to(cache / name)
    assert messages(linked)
    monkeypatch.setattr(files, "DEFAULT_PACK", linked)
    assert messages(linked) == []
