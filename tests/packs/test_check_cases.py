"""A pack's own cases are tried on what it compiles to, and a pack that fails them is not used."""

import pytest

from rayapp.errors import InvalidPack
from rayapp.packs.compile import compile_pack
from rayapp.packs.lint import lint_pack

FILES = {
    "merchants/m.csv": "id,name,category\nacme,Acme Coffee,FOOD_COFFEE\n",
    "processors.csv": "id,name,prefixes,star\nsq,Square,SQ,needed\n",
    "rules/r.toml": (
        "[[rule]]\nid = 'salary'\ncategory = 'PAY_SALARY'\npatterns = ['SALARY']\n"
        "when = { direction = 'credit', amount = { min = 100 }, currency = ['GBP'], country = ['GB'], date = { from = 2024-01-01 } }\n"
    ),
}
HEADER = "descriptor,amount,currency,direction,mcc,country,booked_at,category,merchant,processor,why\n"
GOOD = (
    "SQ *ACME COFFEE 0123,4.50,,debit,5814,,,FOOD_COFFEE,Acme Coffee,Square,\n"
    "SALARY,100,GBP,credit,,GB,2024-01-01,PAY_SALARY,,,\n"
    "SALARY,99.99,GBP,credit,,GB,2024-01-01,-,,,too little\n"
    "QWXZV,,,,,,,-,,,\n"
)


def test_cases_that_hold_are_no_fault_and_do_not_change_what_is_compiled(write_pack):
    path = write_pack({**FILES, "cases.csv": HEADER + GOOD})
    assert lint_pack(path) == []
    assert compile_pack(path).manifest.counts["rules"] == 1


def test_cases_that_do_not_hold_say_what_came_out_and_why(write_pack):
    bad = "SQ *ACME COFFEE,,,,,,,FOOD_GROCERIES,Starbucks,Toast,a chain\nSALARY,100,GBP,debit,,GB,2024-01-01,PAY_SALARY,,,\n"
    path = write_pack({**FILES, "cases.csv": HEADER + GOOD + bad})
    hint = "score 0.57, alias acme/ACME COFFEE, a chain"
    assert [str(fault) for fault in lint_pack(path)] == [
        f"cases.csv:6: 'SQ *ACME COFFEE': the category is 'FOOD_COFFEE', and must be 'FOOD_GROCERIES' ({hint})",
        f"cases.csv:6: 'SQ *ACME COFFEE': the merchant is 'Acme Coffee', and must be 'Starbucks' ({hint})",
        f"cases.csv:6: 'SQ *ACME COFFEE': the processor is 'Square', and must be 'Toast' ({hint})",
        "cases.csv:7: 'SALARY': the category is '-', and must be 'PAY_SALARY' (score 0.00)",
    ]
    with pytest.raises(InvalidPack) as caught:
        compile_pack(path)
    assert len(caught.value.faults) == 4


def test_cases_wait_until_the_pack_has_no_other_errors(write_pack):
    path = write_pack({**FILES, "cases.csv": HEADER + "SALARY,,,,,,,FOOD_COFFEE,,,\n", "phrases.csv": "phrase\n"})
    assert {fault.file for fault in lint_pack(path)} == {"phrases.csv"}
