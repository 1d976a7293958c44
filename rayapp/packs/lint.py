"""Linting a pack: everything that can be found wrong with it before it is compiled, errors and warnings alike."""

from pathlib import Path

from rayapp.errors import Fault
from rayapp.packs.check_artefacts import check_artefacts
from rayapp.packs.check_cases import NO_CATEGORY, check_cases
from rayapp.packs.check_merchants import check_merchants
from rayapp.packs.check_overlap import check_overlap
from rayapp.packs.check_patterns import check_patterns
from rayapp.packs.check_rules import check_examples, check_rules
from rayapp.packs.check_tables import (
    check_category,
    check_levels,
    check_mcc,
    check_phrases,
    check_processors,
    check_reached,
    check_taxonomy,
)
from rayapp.packs.directory import read_directory
from rayapp.packs.faults import Faults, errors_of
from rayapp.packs.source import BASE, PackSource


def lint_pack(path: Path) -> list[Fault]:
    """Give every fault of the pack in the directory ``path``, warnings too, by file and line; never raises for a fault.

    The pack's cases are tried when it has no other errors.
    """
    source, faults = inspect_pack(path)
    if source is None or not source.cases or errors_of(faults):
        return list(faults)
    from rayapp.packs.compile import compile_source

    failed = Faults()
    check_cases(source.cases, compile_source(source, ""), failed)
    return sorted((*faults, *failed.ordered()), key=lambda fault: (fault.file, fault.line))


def inspect_pack(path: Path) -> tuple[PackSource | None, tuple[Fault, ...]]:
    """Read and check the pack in the directory ``path``: what could be read of it, and every fault.

    Of the pack that it extends only errors are told: its warnings are its own authors' business.
    """
    faults = Faults()
    source = read_directory(path, faults)
    if source is not None:
        check(source, faults)
    found = faults.ordered()
    if source is not None and source.extends:
        found = tuple(fault for fault in found if fault.severity == "error" or not fault.file.startswith(BASE))
    return source, found


def check(source: PackSource, faults: Faults) -> None:
    """Check what a pack says as a whole; records from the extended pack are checked beside its own."""
    categories = frozenset(category.detailed for category in source.categories)
    check_levels(source.levels, faults)
    check_taxonomy(source.categories, faults)
    check_mcc(source.mcc, categories, faults)
    check_processors(source.processors, faults)
    check_phrases(source.phrases, faults)
    check_merchants(source, categories, faults)
    if check_rules(source.rules, source.categories, faults):
        usable = check_patterns(source.rules, faults)
        check_examples(source.rules, usable, faults)
        check_overlap(source.rules, usable, source.combine, faults)
    check_artefacts(source.artefacts, [category.detailed for category in source.categories], faults)
    check_reached(source, faults)
    for case in source.cases:
        check_category(case.category.removeprefix(NO_CATEGORY), case.place, categories, faults)
