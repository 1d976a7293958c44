"""Compiling a pack: from checked sources to the arrays that the engine runs on."""

import json
from pathlib import Path

import numpy as np

from rayapp.errors import InvalidPack
from rayapp.packs.cache import ENGINE_VERSION
from rayapp.packs.check_cases import check_cases
from rayapp.packs.compile_lexicon import (
    Arrays,
    Entries,
    Strings,
    alias_offsets,
    compile_learned,
    compile_merchants,
    compile_phrases,
    compile_places,
    currency_countries,
)
from rayapp.packs.compile_rules import compile_rules
from rayapp.packs.faults import Faults
from rayapp.packs.files import digest
from rayapp.packs.reading import read_pack
from rayapp.packs.source import PackSource
from rayapp.scoring.evidence import ONE
from rayapp.scoring.fold import fold_table
from rayapp.scoring.pack import CompiledPack, LevelBounds, Manifest, string_array
from rayapp.scoring.semantic import SemanticModel

MCC_CODES = 10_000


def pack_digest(path: Path) -> str:
    """Name the content of the pack directory at ``path`` under this engine."""
    return digest(path, ENGINE_VERSION)


def compile_pack(path: Path) -> CompiledPack:
    """Compile the pack directory at ``path``. Raises ``InvalidPack`` with every fault."""
    source = read_pack(path)
    pack = compile_source(source, pack_digest(path))
    faults = Faults()
    check_cases(source.cases, pack, faults)
    if faults.ordered():
        raise InvalidPack.of(f"the pack {path.name} fails its own cases", faults.ordered())
    return pack


def compile_source(source: PackSource, name: str) -> CompiledPack:
    """Compile sources that have no errors; ``name`` is the digest that the compiled pack gets."""
    categories = {item.detailed: number for number, item in enumerate(source.categories)}
    entries = Entries()
    parts = [
        compile_merchants(source, categories, entries),
        compile_phrases(source, entries),
        compile_places(source),
        compile_learned(source, categories),
        compile_rules(source.rules, categories),
        _taxonomy(source, categories),
        _semantic(source, list(categories)),
    ]
    arrays: Arrays = {"fold/table": fold_table(), "merchant/currency_country": currency_countries()}
    strings: Strings = {}
    for part_arrays, part_strings in parts:
        arrays.update(part_arrays)
        strings.update(part_strings)
    arrays["merchant/offset"] = alias_offsets(arrays.pop("merchant/entry"), len(entries.kind))
    strings["phrase"] = string_array(list(entries.number))
    return CompiledPack(_manifest(source, name, strings), arrays, strings)


def _taxonomy(source: PackSource, categories: dict[str, int]) -> tuple[Arrays, Strings]:
    """Number the primaries and lay the MCC map out by code."""
    primaries = list(dict.fromkeys(item.primary for item in source.categories))
    mcc_category = np.full(MCC_CODES, -1, np.int16)
    mcc_weight = np.zeros(MCC_CODES, np.int32)
    for item in source.mcc:
        mcc_category[item.first : item.last + 1] = categories[item.category]
        mcc_weight[item.first : item.last + 1] = round(item.weight * ONE)
    arrays: Arrays = {
        "category/primary": np.array([primaries.index(item.primary) for item in source.categories], np.int16),
        "category/merchant": np.array([item.merchant for item in source.categories], np.uint8),
        "mcc/category": mcc_category,
        "mcc/weight": mcc_weight,
    }
    strings = {
        "category": string_array(list(categories)),
        "primary": string_array(primaries),
        "category_description": string_array([item.description for item in source.categories]),
    }
    return arrays, strings


def _semantic(source: PackSource, categories: list[str]) -> tuple[Arrays, Strings]:
    """Take the semantic model, if the pack has one."""
    path = source.artefacts.get("semantic.safetensors")
    if path is None:
        return {}, {}
    model = SemanticModel.load(path.read_bytes(), categories)
    return {f"semantic/{name}": array for name, array in model.arrays().items()}, {}


def _manifest(source: PackSource, name: str, strings: Strings) -> Manifest:
    weights = source.weights
    confidence = source.artefacts.get("confidence.json")
    return Manifest(
        digest=name,
        name=source.name,
        version=source.version,
        weights={part: round(getattr(weights, part) * ONE) for part in ("merchant", "semantic", "rule", "mcc")},
        decided=round(source.thresholds.decided * ONE),
        unclassified=round(source.thresholds.unclassified * ONE),
        adds_up=source.combine == "sum",
        learned_first=source.learned_first,
        levels=LevelBounds(source.levels.very_high, source.levels.high, source.levels.medium),
        confidence=json.loads(confidence.read_text("utf-8")) if confidence else {},
        counts={
            "categories": len(strings["category"]),
            "merchants": len(strings["merchant_id"]),
            "aliases": len(strings["alias_id"]),
            "rules": len(strings["rule_id"]),
            "patterns": len(strings["pattern"]),
            "places": len(strings["place"]),
            "learned": len(strings["learned"]),
        },
        engine=ENGINE_VERSION,
    )
