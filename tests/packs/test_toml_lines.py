"""Values of a TOML document are found on the lines on which they were written."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.packs.toml_lines import TomlLines

DOCUMENT = '''\
# [[rule]] in a comment
title = "x # no comment [ ] { }" # a comment ['"]
"quoted key" = 1
a.b.'c d' = [1, 2, [3, 4]]

[table . inner]
text = """
[[rule]]
no = "header"
\\""" still """
after = \'\'\'
]]\'\'\'\'
last = 1979-05-27 07:32:00

[[rule]]
id = "one"
patterns = [ # why
  '\\bONE"[', "two \\" ]", # [
  # nothing

  """three""",
]
when = { direction = "debit", amount = { min = 5, max = "6" }, mcc = [
  "1",
  "2",
] }
[rule.more]
x = true
[[rule]]
[[rule.part]]
y = 1
[[rule.part]]
y = 2
'''

PLACES = [
    (("title",), 2),
    (("quoted key",), 3),
    (("a", "b", "c d", 2, 1), 4),
    (("a",), 4),
    (("table", "inner"), 6),
    (("table", "inner", "text"), 7),
    (("table", "inner", "after"), 11),
    (("table", "inner", "last"), 13),
    (("rule",), 15),
    (("rule", 0), 15),
    (("rule", 0, "id"), 16),
    (("rule", 0, "patterns"), 17),
    (("rule", 0, "patterns", 0), 18),
    (("rule", 0, "patterns", 1), 18),
    (("rule", 0, "patterns", 2), 21),
    (("rule", 0, "when", "amount", "max"), 23),
    (("rule", 0, "when", "mcc", 1), 25),
    (("rule", 0, "more", "x"), 28),
    (("rule", 1), 29),
    (("rule", 1, "part", 1, "y"), 33),
    (("rule", 1, "nothing", "there"), 29),
    (("nowhere",), 1),
]


@pytest.mark.parametrize(("path", "line"), PLACES)
def test_a_path_is_found_on_its_line(path, line):
    assert tomllib.loads(DOCUMENT)
    assert TomlLines(DOCUMENT).line(*path) == line


quotes = st.sampled_from(["'{}'", '"{}"', "'''{}'''", '"""{}"""', "'''\n{}'''"])
inside = st.text("ab[]{}#,=. ", max_size=8)
space = st.sampled_from(["", " ", "\n", "\n\n  # ] , '\n", " \t"])


@st.composite
def documents(draw):
    """Rules with marked texts in arrays, written in every odd way."""
    written, marks = [], []
    for rule in range(draw(st.integers(0, 4))):
        written.append(draw(st.sampled_from(["[[rule]]", "[[ rule ]] # x", "\n[[rule]]"])))
        items = []
        for item in range(draw(st.integers(0, 4))):
            mark = f"MARK{rule}_{item}"
            items.append(draw(space) + draw(quotes).format(draw(inside) + mark + draw(inside)) + draw(space))
            marks.append((rule, item, mark))
        tail = draw(st.sampled_from(["", ","])) if items else ""
        array = "[" + ",".join(items) + tail + draw(space) + "]"
        written.append(draw(st.sampled_from(["patterns = {}", "'patterns'={}", "when.x = {{ z = 1 }}\npatterns = {} # y"])).format(array))
    return "\n".join(written) + "\n", marks


@given(documents())
def test_every_item_is_found_on_the_line_of_its_opening_quote(generated):
    document, marks = generated
    parsed = tomllib.loads(document).get("rule", [])
    lines = TomlLines(document)
    for rule, item, mark in marks:
        assert mark in parsed[rule]["patterns"][item]
        written = document.split("\n")
        line = lines.line("rule", rule, "patterns", item)
        assert mark in written[line - 1] or (written[line - 1].endswith("'''") and mark in written[line])
