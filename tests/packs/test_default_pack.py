"""The pack that ships: no errors, and its examples hold under plain ``re`` too, which is what patterns mean."""

import re

import pytest

from rayapp.packs.directory import read_directory
from rayapp.packs.faults import Faults
from rayapp.packs.files import DEFAULT_PACK
from rayapp.packs.lint import lint_pack
from rayapp.scoring.text import clean


@pytest.fixture(scope="module")
def rules():
    return read_directory(DEFAULT_PACK, Faults()).rules


@pytest.mark.slow
def test_the_default_pack_has_no_errors():
    assert [str(fault) for fault in lint_pack(DEFAULT_PACK) if fault.severity == "error"] == []


def test_every_example_of_the_default_pack_holds_under_plain_re(rules):
    def fires(rule, view):
        found, barred = (any(re.search(pattern.text, view, re.IGNORECASE) for pattern in side) for side in (rule.patterns, rule.unless))
        return found and not barred

    wrong = [(rule.id, example.descriptor) for rule in rules for example in rule.examples if not fires(rule, clean(example.descriptor))]
    wrong += [
        (rule.id, item.descriptor) for rule in rules for item in rule.counterexamples if item.plain and fires(rule, clean(item.descriptor))
    ]
    assert wrong == []


def test_every_rule_of_the_default_pack_has_an_example(rules):
    assert [rule.id for rule in rules if not rule.examples] == []
