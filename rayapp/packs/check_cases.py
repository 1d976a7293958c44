"""Cases: transactions of which a pack's authors say what the whole pack, once compiled, must make of them."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from rayapp.packs.faults import Faults, quoted
from rayapp.packs.source import CaseSource
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.pack import CompiledPack

NO_CATEGORY = "-"
MAX_CASES = 100_000


def check_cases(cases: Sequence[CaseSource], pack: CompiledPack, faults: Faults) -> None:
    """Classify the cases with the compiled pack, and add a fault for each that comes out otherwise."""
    if not cases:
        return
    if len(cases) > MAX_CASES:
        faults.error(cases[-1].place, f"{len(cases):,} cases, and the most is {MAX_CASES:,}")
        return
    decided = Classifier(pack).classify(_table(cases))
    for case, row in zip(cases, decided.to_pylist(), strict=True):
        expected = {"category_detailed": case.category, "merchant_name": case.merchant, "processor": case.processor}
        for name, value in expected.items():
            found = row[name] or NO_CATEGORY
            if value and found != value:
                what = name.partition("_")[0]
                message = f"{quoted(case.given.descriptor)}: the {what} is {quoted(found)}, and must be {quoted(value)}"
                faults.error(case.place, message, _hint(row, case))


def _hint(row: dict[str, Any], case: CaseSource) -> str:
    """Say what led there."""
    led = [f"score {row['score']:.2f}", *([f"alias {row['alias_id']}"] if row["alias_id"] else []), *row["rule_ids"]]
    return ", ".join([*led, *([case.why] if case.why else [])])


def _table(cases: Sequence[CaseSource]) -> pa.Table:
    """Write the cases as the engine's input columns."""
    given = [case.given for case in cases]
    columns = {
        "id": [str(number) for number in range(len(given))],
        "descriptor": [item.descriptor for item in given],
        "amount": [None if item.amount is None else str(item.amount) for item in given],
        "currency": [item.currency for item in given],
        "direction": [item.direction for item in given],
        "mcc": [None if item.mcc is None else f"{item.mcc:04}" for item in given],
        "country": [item.country for item in given],
        "booked_at": [None if item.booked_at is None else item.booked_at.isoformat() for item in given],
    }
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})
