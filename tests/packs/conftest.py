"""A small pack without faults, on which every case builds."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

SMALL_PACK = {
    "pack.toml": 'name = "small"\nversion = "1"\n',
    "taxonomy.csv": (
        "primary,detailed,direction,merchant,description\n"
        "FOOD,FOOD_GROCERIES,debit,yes,\n"
        "FOOD,FOOD_COFFEE,debit,yes,\n"
        "PAY,PAY_SALARY,credit,no,\n"
    ),
    "mcc.csv": (
        "first,last,detailed,weight,description\n"
        "5411,5411,FOOD_GROCERIES,0.8,Supermarkets\n"
        "5814,5814,FOOD_COFFEE,0.5,\n"
        "6012,6012,PAY_SALARY,0.1,\n"
    ),
}

WritePack = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def write_pack(tmp_path: Path) -> WritePack:
    """Write a pack: the small one with some files replaced or added."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        for name, content in {**SMALL_PACK, **files}.items():
            path = tmp_path / "pack" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / "pack"

    return write
