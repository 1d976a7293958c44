"""Packs over HTTP: sent, refused with all their faults, planned, activated, and taken back."""

import io
import tarfile
import zipfile

import pytest

from tests.running_worker import a_worker
from tests.serve.conftest import FILES
from tests.serve.test_jobs import ask, ended, settings  # noqa: F401 - fixtures

OTHER = {**FILES, "pack.toml": 'name = "other"\nversion = "2"\n', "mcc.csv": "first,last,detailed,weight,description\n5814,5814,FOOD_COFFEE,0.7,\n"}
ZIP = {"content-type": "application/zip"}


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for item, content in members:
            item.size = len(content)
            archive.addfile(item, io.BytesIO(content))
    return out.getvalue()


def test_a_pack_is_sent_planned_activated_and_taken_back(ask, settings, small_classifier, monkeypatch):  # noqa: F811
    monkeypatch.setenv("RAYAPP_DATABASE_URL", settings.database_url)  # plans are made in a process of their own
    monkeypatch.setenv("RAYAPP_DATA_DIR", str(settings.data_dir))
    sent = ask("POST", "/packs", content=zipped({f"other/{name}": text for name, text in OTHER.items()}), headers=ZIP)
    assert sent.status_code == 201, sent.text
    digest = sent.json()["digest"]
    assert ask("POST", "/packs", content=zipped(OTHER), headers=ZIP).status_code == 200
    assert [pack["active"] for pack in ask("GET", "/packs").json()["packs"]] == [True, False]
    job = ask("POST", f"/packs/{digest}/plan", json={"reason": "try"}).json()["id"]
    with a_worker(settings):
        view = ended(ask, job)
    assert view["state"] == "succeeded", view
    applied = ask("POST", f"/plans/{view['result']['plan']}/apply")
    assert applied.status_code == 200, applied.text
    assert [pack["active"] for pack in ask("GET", "/packs").json()["packs"]] == [False, True]
    reverted = ask("POST", f"/changesets/{applied.json()['id']}/revert").json()
    assert reverted["active"] == small_classifier.pack.digest
    assert ask("POST", f"/packs/{digest}/activate", json={"reason": "now"}).json()["digest"] == digest


def test_a_pack_with_faults_is_refused_with_all_of_them_and_changes_nothing(ask):  # noqa: F811
    broken = {**OTHER, "mcc.csv": "first,last,detailed,weight,description\n5814,5814,FOOD_COFFE,0.7,\nx,5814,NONE,0.7,\n"}
    refused = ask("POST", "/packs", content=zipped(broken), headers=ZIP)
    told = refused.json()
    assert (refused.status_code, told["type"]) == (422, "urn:rayapp:problem:refused-pack")
    assert {(fault["file"], fault["line"]) for fault in told["faults"]} >= {("mcc.csv", 2), ("mcc.csv", 3)}
    assert "FOOD_COFFEE" in told["faults"][0]["suggestion"]
    assert len(ask("GET", "/packs").json()["packs"]) == 1


def link(name, target):
    item = tarfile.TarInfo(name)
    item.type, item.linkname = tarfile.SYMTYPE, target
    return item


HOSTILE = [
    zipped({"../pack.toml": "x"}),
    zipped({"/etc/pack.toml": "x"}),
    tarred((tarfile.TarInfo("../../pack.toml"), b"x")),
    tarred((link("pack.toml", "/etc/passwd"), b"")),
    zipped({f"f{number}": "" for number in range(1_001)}),
    b"no archive",
    b"",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_archive_is_refused(ask, body):  # noqa: F811
    refused = ask("POST", "/packs", content=body, headers=ZIP)
    assert (refused.status_code, len(refused.json()["faults"])) == (422, 1)


def test_a_correction_locks_a_transaction_and_its_history_tells(ask, settings, tmp_path):  # noqa: F811
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed" / "rows.csv").write_text("id,descriptor,amount,currency\nT1,SQ *BLUE BOTTLE,-4.50,USD\n")
    job = ask("POST", "/jobs", json={"kind": "ingest", "source": f"file://{tmp_path}/allowed/rows.csv"}).json()["id"]
    with a_worker(settings):
        ended(ask, job)
    done = ask("POST", "/transactions/T1/correction", json={"category": "PAY_SALARY", "by": "ann"})
    assert (done.status_code, done.json()["before"], done.json()["after"]) == (200, "FOOD_COFFEE", "PAY_SALARY")
    assert [change["kind"] for change in ask("GET", "/transactions/T1/history").json()["changes"]] == ["correction"]
    assert ask("POST", "/transactions/T2/correction", json={"category": "PAY_SALARY", "by": "ann"}).status_code == 404
    assert ask("POST", "/transactions/T1/correction", json={"category": "NONE", "by": "ann"}).status_code == 422
