"""Explanations: the same reasons that the judgement totalled, put into words.

Nothing is computed anew: the reasons of the row are gathered once more by the judging kernel itself, so that the contributions shown add up
to the score given.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rayapp.scoring import judge, room
from rayapp.scoring.alone import Told
from rayapp.scoring.confidence import LEVELS
from rayapp.scoring.engine import Engine, Views, new_reasons
from rayapp.scoring.evidence import ASIDE, COUNTED, LEARNED, MCC, MERCHANT, ONE, RULE, SEMANTIC, Inputs, Reasons, Verdicts
from rayapp.scoring.geography import country_code
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.patterns import spans
from rayapp.scoring.transaction import Alternative, Classification, Evidence, Level, Merchant, Signal

SIGNALS: tuple[Signal, ...] = ("merchant", "semantic", "rule", "mcc")
ORIGINS = ("hand-written merchant", "brand of the gazetteer", "merchant learned from card data", "nearly this merchant's name")
MAX_ALTERNATIVES = 3


class Texts:
    """A string table that is asked for one text at a time, which Arrow takes a microsecond for."""

    def __init__(self, table: pa.StringArray) -> None:
        """Take the table; nothing is copied."""
        _, ends, content = table.buffers()
        self._ends = memoryview(ends).cast("B").cast("i")[table.offset :] if ends is not None else memoryview(b"")
        self._content = memoryview(content if content is not None else b"")

    def at(self, number: int) -> str | None:
        """Give a text; ``None`` where it is empty, or the number negative."""
        return str(self._content[self._ends[number] : self._ends[number + 1]], "utf-8") or None if number >= 0 else None


class Narrator:
    """Turns the verdict on one transaction into a message."""

    def __init__(self, pack: CompiledPack, engine: Engine) -> None:
        """Take the pack's names as Python strings; the long tables stay in Arrow and are asked one by one."""
        strings = pack.strings
        self._pack = pack
        self._engine = engine
        self._texts = {name: Texts(table) for name, table in strings.items()}
        self._categories = strings["category"].to_pylist()
        self._category = pack.categories()
        levels = pack.manifest.levels
        self._bounds = (levels.medium, levels.high, levels.very_high)

    def _string(self, table: str, number: int) -> str | None:
        return self._texts[table].at(number)

    def _level(self, confidence: float) -> Level:
        return LEVELS[sum(confidence >= bound for bound in self._bounds)]

    def classification(self, key: str, told: Told) -> Classification:
        """Give the decision without its reasons."""
        numbers, confidence, name = told
        category, merchant, learned, texts = numbers[room.CATEGORY], numbers[room.MERCHANT], numbers[room.LEARNED], self._texts
        parts = numbers[room.FIRST_PART : room.FIRST_RULE]
        return Classification(
            id=key,
            status="classified" if category >= 0 else "unclassified",
            merchant=Merchant(
                name,
                texts["merchant_id"].at(merchant),
                texts["merchant_website"].at(merchant),
                texts["processor"].at(numbers[room.PROCESSOR]),
            ),
            category=self._category[category] if category >= 0 else None,
            score=numbers[room.SCORE] / ONE,
            confidence=confidence,
            level=self._level(confidence),
            merchant_score=parts[MERCHANT] / ONE,
            semantic_score=parts[SEMANTIC] / ONE,
            rule_score=(parts[RULE] + parts[MCC]) / ONE,
            alias_id=f"learned/{texts['learned'].at(learned)}" if learned >= 0 else texts["alias_id"].at(numbers[room.ALIAS]),
            rule_ids=tuple(texts["rule_id"].at(rule) or "" for rule in numbers[room.FIRST_RULE : room.FIRST_RULE + numbers[room.RULES]]),
            pack=self._pack.digest,
        )

    def explanation(self, plain: Classification, inputs: Inputs, views: Views, out: Verdicts) -> Classification:
        """Give a decision with evidence, alternatives and facts."""
        engine = self._engine
        reasons = new_reasons(engine.rules.category.size)
        count, categories, overriding = judge.gather(0, 1, inputs, views.found, engine.merchants, engine.rules, engine.scales, reasons)
        clean = views.clean.tobytes().decode("utf-8", "replace")
        by = "a rule" if overriding >= 0 else "the book's own record" if engine.scales.learned_first else "the hand-written merchant"
        evidence = [self._evidence(reasons, place, views, clean, by) for place in range(count)]
        shown = [item for item in evidence if item is not None]
        shown.sort(key=lambda item: (not item.counted, -item.contribution, SIGNALS.index(item.signal), item.ref))
        return Classification(
            **{field: getattr(plain, field) for field in plain.__struct_fields__ if field not in {"evidence", "alternatives", "facts"}},
            evidence=tuple(shown),
            alternatives=self._alternatives(reasons, categories, int(out.category[0])),
            facts=self._facts(views, clean),
        )

    def _alternatives(self, reasons: Reasons, categories: int, chosen: int) -> tuple[Alternative, ...]:
        """Give the next categories, best first."""
        ranked = sorted((-int(judge.slot_score(reasons, slot)), int(reasons.totalled[slot])) for slot in range(categories))
        return tuple(Alternative(self._category[number], -score / ONE) for score, number in ranked if number != chosen)[:MAX_ALTERNATIVES]

    def _evidence(self, reasons: Reasons, place: int, views: Views, clean: str, by: str) -> Evidence | None:
        """Put one reason into words; ``by`` is what set merchant evidence aside."""
        part, number, ref = int(reasons.part[place]), int(reasons.category[place]), int(reasons.ref[place])
        value = int(reasons.value[place])
        if part == SEMANTIC and number < 0:
            return None
        described: dict[str, Any] = {}
        if part == MERCHANT:
            described = self._merchant(int(reasons.origin[place]), ref, int(reasons.hit[place]), views)
        elif part == RULE:
            described = self._rule(ref, clean, views)
        elif part == MCC:
            described = {"ref": f"{ref:04d}", "matched": f"{ref:04d}", "why": "the MCC's line of business"}
        else:
            core = views.core.tobytes().decode("utf-8", "replace")
            described = {"ref": f"n-gram model, rank {ref + 1}", "matched": core, "why": "the words resemble this category"}
        counted = reasons.counted[place] == COUNTED and number >= 0
        if reasons.counted[place] == ASIDE and number >= 0:
            described["why"] += f"; set aside by {by if part == MERCHANT else 'a rule'}"
        elif number < 0:
            described["why"] += "; decides no category"
        return Evidence(
            signal=SIGNALS[part],
            category=self._categories[number] if number >= 0 else "",
            weight=int(self._engine.scales.weight[part]) / ONE,
            contribution=value / ONE if counted else 0.0,
            counted=bool(counted),
            **described,
        )

    def _merchant(self, origin: int, ref: int, hit: int, views: Views) -> dict[str, Any]:
        """Describe merchant evidence: which alias, where."""
        if origin == LEARNED:
            name = self._string("learned", ref)
            return {"ref": f"learned/{name}", "matched": name or "", "why": ORIGINS[origin]}
        described = {"ref": self._string("alias_id", ref) or "", "why": ORIGINS[origin]}
        if hit < 0:
            return {**described, "matched": views.core.tobytes().decode("utf-8", "replace")}
        raw = views.clean.tobytes()
        start, end = int(views.found.hits.start[hit]), int(views.found.hits.end[hit])
        return {**described, "matched": raw[start:end].decode("utf-8", "replace"), "start": start, "end": end}

    def _rule(self, rule: int, clean: str, views: Views) -> dict[str, Any]:
        """Describe a rule that fired: which of its patterns matched, and where."""
        described = {
            "ref": self._string("rule_id", rule) or "",
            "why": self._string("rule_why", rule) or "a rule's pattern and conditions hold",
        }
        for pattern in self._patterns(rule, views):
            span = spans(self._engine.patterns, pattern, clean)
            if span:
                start, end = span
                return {**described, "matched": clean[start:end], "start": start, "end": end}
        return described

    def _patterns(self, rule: int, views: Views) -> list[int]:
        """Give the patterns in the text that speak for a rule, in the pack's order."""
        rules, found = self._engine.rules, views.found
        there = np.unique(found.pattern[found.pattern_offset[0] : found.pattern_offset[1]]).tolist()
        return [pattern for pattern in there if self._speaks(rules.use_offset[pattern : pattern + 2], rule)]

    def _speaks(self, bounds: NDArray[np.int32], rule: int) -> bool:
        rules, uses = self._engine.rules, slice(*bounds.tolist())
        return bool(((rules.use_rule[uses] == rule) & (rules.use_unless[uses] == 0)).any())

    def _facts(self, views: Views, clean: str) -> dict[str, str]:
        """Name what was peeled off."""
        facts, raw = views.found.facts, views.clean.tobytes()
        named = {
            "clean": clean,
            "core": views.core.tobytes().decode("utf-8", "replace"),
            "processor": self._string("processor", int(facts.processor[0])),
            "channel": self._string("channel", int(facts.channel[0])),
            "city": (self._string("place", int(facts.city[0])) or "").title(),
            "region": self._string("region", int(facts.region[0])),
            "country": country_code(int(facts.country[0])) if facts.country[0] >= 0 else None,
            "store_number": raw[facts.store[0, 0] : facts.store[0, 1]].decode() if facts.store[0, 0] >= 0 else None,
            "phone": raw[facts.phone[0, 0] : facts.phone[0, 1]].decode() if facts.phone[0, 0] >= 0 else None,
        }
        return {name: value for name, value in named.items() if value}
