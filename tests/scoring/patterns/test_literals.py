import pytest

from rayapp.scoring.patterns.program import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        (r"\bUBER\b", {b"UBER"}),
        (r"\b(?:UBER|LYFT) RIDE\b", {b"UBER RIDE", b"LYFT RIDE"}),
        (r"AMAZON(?:\.COM)?\b", {b"AMAZON", b"AMAZON.COM"}),
        (r"\bDD\d+", {b"DD%d" % digit for digit in range(10)}),
        (r".*\bZELLE\b.*", {b"ZELLE"}),
        (r"A\bB|UBER", {b"UBER"}),
        (r"^PAYROLL$", {b"PAYROLL"}),
    ],
)
def test_a_short_list_of_texts_decides_alone(pattern, texts):
    program = compile_pattern(pattern)
    assert program.automaton is None
    assert program.required == ()
    assert {literal.text for literal in program.decisive} == texts


@pytest.mark.parametrize(
    ("pattern", "texts", "also"),
    [
        (r"\bUBER\b.*\bEATS\b", {b"UBER"}, [{b"EATS"}]),
        (r"\bPAYMENT\b.*\bQUIZNOS\b", {b"QUIZNOS"}, [{b"PAYMENT"}]),
        (r"(?:ZELLE|VENMO) .{3,30}RENT", {b"ZELLE ", b"VENMO "}, [{b"RENT"}]),
        (r"CHECK [A-Z]+\d", {b"CHECK "}, []),
        (r"[A-Z]+(?:QUIZ\d+|ZAPPOS[A-Z]+X)", {b"ZAPPOS", b"QUIZ"}, []),
        (r"(?:JAZZ\w+ )+BAR", {b"JAZZ"}, [{b"BAR"}]),
    ],
)
def test_the_rarest_required_texts_are_looked_for_and_others_asked_for(pattern, texts, also):
    program = compile_pattern(pattern)
    assert program.automaton is not None
    assert program.decisive == ()
    assert {literal.text for literal in program.required} == texts
    assert [{literal.text for literal in one_of} for one_of in program.also] == also


@pytest.mark.parametrize(
    ("pattern", "reach"),
    [(r"\bUBER\b.*X\d", 4), (r"\d{2,3} QUIZ[A-Z]+-", 7), (r".?QUIZ[A-Z]+-X", 4), (r"[A-Z]+ QUIZ\w+-", 6), (r"X[A-Z]+ QUIZ\w+-", None)],
)
def test_the_automaton_begins_no_further_back_than_a_match_can(pattern, reach):
    assert compile_pattern(pattern).reach == reach


def test_only_the_alternatives_that_literals_cannot_decide_need_an_automaton():
    program = compile_pattern(r"\b(?:CAFE|PARK[A-Z]*|HOTEL)\b")
    assert {literal.text for literal in program.decisive} == {b"CAFE", b"HOTEL"}
    assert {literal.text for literal in program.required} == {b"PARK"}
    assert program.automaton is not None


def test_a_list_of_texts_may_be_long():
    program = compile_pattern(r"\b(?:" + "|".join(f"NAME{i}X" for i in range(200)) + r")\b")
    assert len(program.decisive) == 200
    assert program.automaton is None
