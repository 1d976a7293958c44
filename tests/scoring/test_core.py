import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp import Transaction
from rayapp.scoring.text import clean

CASES = tomllib.loads((Path(__file__).parents[1] / "cases" / "descriptors.toml").read_text())["case"]


@pytest.mark.parametrize("case", CASES, ids=[case["descriptor"][:40] for case in CASES])
def test_what_banks_print_is_told_apart(default, case):
    facts = default.explain(Transaction(id="1", descriptor=case["descriptor"])).facts
    expected = {name: value for name, value in case.items() if name not in {"descriptor", "why"}}
    assert {name: facts.get(name) for name in expected} == expected


def core_of(default, descriptor):
    data = np.frombuffer(descriptor.encode(), np.uint8).copy()
    return default._engine.view(data, np.array([0, data.size], np.int64)).core.tobytes().decode()


PIECES = ["SQ *", "PAYPAL *", "POS DEBIT", "PURCHASE AUTHORIZED ON", "12/24", "XX/XX", "#123", "SHELL5742", "CAFE", "DE", "PARIS", "TORONTO", "ON", "CA", "INC",
          "BLUE BOTTLE", "CARD 1234", "REF 99", "A&B", "+", "800-555-1212", "OAKLANDCA", "THE", "OF", "7 ELEVEN", "X", "DES:", "ID:77", "JAN 12"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join))
def test_the_core_of_a_core_is_itself(default, descriptor):
    core = core_of(default, descriptor)
    assert core_of(default, core) == core


@given(st.text(max_size=80))
def test_the_core_of_any_text_is_stable(default, text):
    core = core_of(default, text)
    assert core_of(default, core) == core


@given(st.text(max_size=120))
def test_the_clean_view_is_stable_and_single_spaced(text):
    view = clean(text)
    assert clean(view) == view
    assert view == " ".join(view.split())
    assert not any(char.islower() and char.isascii() for char in view)


def test_a_table_is_classified_without_pandas():
    import subprocess

    code = (
        "import sys, pyarrow.csv, rayapp; "
        "rows = pyarrow.csv.read_csv('rayapp/samples/transactions.csv').slice(0, 50); "
        "assert len(rayapp.load_classifier().classify(rows)) == 50; "
        "print('pandas' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False", "Arrow imports pandas, 40 MB and 0.3 s, to see whether a Python value handed to it is a frame"


def test_the_scoring_core_knows_no_ray_http_sql_or_files():
    import subprocess

    code = (
        "import sys, rayapp.scoring.classifier; "
        "print([name for name in ('ray', 'fastapi', 'starlette', 'uvicorn', 'sqlalchemy', 'asyncpg', 'pandas', 'rayapp.store', 'rayapp.settings', "
        "'rayapp.packs') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
