"""However a pack's files are damaged, linting gives faults and never an exception."""

import math
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rayapp.errors import Fault
from rayapp.packs.lint import lint_pack

RULES = r"""
[[rule]]
id = "bank_fees.overdraft"
category = "FOOD_COFFEE"
patterns = ['\bOVERDRAFT (?:ITEM )?FEES?\b', '\bNSF\b']
unless = ['\bREVERSAL\b']
weight = 0.9
priority = 50
overrides_merchant = false
when = { direction = "debit", amount = { min = "5", max = "500" }, mcc = ["5411", "5300-5399"], country = ["US"], currency = ["USD"], date = { from = 2020-01-01 } }
examples = ["OVERDRAFT FEE 01/02", { descriptor = "NSF", direction = "debit", amount = "35.00" }]
counterexamples = ["OVERDRAFT PROTECTION TRANSFER"]
why = "short"
"""
FILES = {
    "rules/a.toml": RULES,
    "pack.toml": 'name = "small"\nversion = "1"\ncombine = "sum"\n[weights]\nmcc = 0.1\n[levels]\nhigh = 0.9\n',
    "merchants/m.csv": 'id,name,category,aliases,countries,match,weight\nacme,"Acme, Inc",FOOD_COFFEE,A B|C,US GB,weak,0.9\n',
    "phrases.csv": "phrase,kind,channel\nMARKET,generic,\n",
    "mcc.csv": "first,last,detailed,weight,description\n5411,5411,FOOD_GROCERIES,0.8,Super\n",
}
SLOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

pieces = rb"""0 ' " [ ]] { , | ( \ * {9} = nan -1 [[rule]]""".split()
edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from([*pieces, b"", b"\n", b"\0", b"\xff"]) | st.binary(max_size=6)),
    min_size=1,
    max_size=4,
)


@SLOW
@given(st.sampled_from(sorted(FILES)), edits)
def test_damaged_bytes_give_faults(write_pack, name, damage):
    content = FILES[name].encode()
    for where, removed, added in damage:
        at = math.floor(where * len(content))
        content = content[:at] + added + content[at + removed :]
    found = lint_pack(write_pack({**FILES, name: content}))
    assert all(isinstance(fault, Fault) and fault.line >= 1 and fault.message for fault in found)


scalars = st.one_of(
    st.sampled_from(
        [
            "''",
            "'debit'",
            "'5411'",
            "true",
            "nan",
            "inf",
            "-1",
            "0.5",
            "1e400",
            "1979-05-27",
            "07:32:00",
            "[]",
            "{}",
            "99999999999999999999999",
            "0x" + "F" * 5000,
            "1" * 5000,
        ]
    ),
    st.dates(date(1, 1, 1)).map(date.isoformat),
    st.integers().map(str),
    st.text("AB*+?()[]{}|\\.^$b1, -", max_size=12).map(lambda text: f"'{text}'"),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(["min", "max", "from", "descriptor", "amount", "mcc"]), inner, max_size=2).map(
            lambda items: "{" + ", ".join(f"{key} = {value}" for key, value in items.items()) + "}"
        )
    ),
    max_leaves=6,
)
KEYS = ["id", "category", "patterns", "unless", "weight", "priority", "overrides_merchant", "when", "examples", "counterexamples", "why"]
CONDITIONS = ["direction", "direction_told", "amount", "mcc", "country", "currency", "date"]


@SLOW
@given(st.dictionaries(st.sampled_from(KEYS + [f"when.{name}" for name in CONDITIONS]), values, max_size=8))
def test_values_of_any_type_give_faults(write_pack, table):
    if any(key.startswith("when.") for key in table):
        table.pop("when", None)
    rule = "[[rule]]\n" + "".join(f"{key} = {value}\n" for key, value in table.items())
    found = lint_pack(write_pack({"rules/a.toml": rule}))
    assert all(fault.file == "rules/a.toml" and 1 <= fault.line <= len(table) + 1 for fault in found)
