"""A body cut into lines: whatever its pieces, the same lines with the same numbers as when it is looked at as a whole."""

from hypothesis import given
from hypothesis import strategies as st

from rayapp.serve.lines import BYTE_ORDER_MARK, LineCutter

LONGEST = 8

bodies = st.lists(st.sampled_from([b"\n", b"\n\n", b"a", b"bc", b" ", b"\r\n", b"x" * LONGEST, BYTE_ORDER_MARK]), max_size=30).map(b"".join)


def at_once(body):
    """Number the lines of a whole body as an editor does, and leave out the blank ones."""
    texts = body.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    return [(number, None if len(text) > LONGEST else text) for number, text in enumerate(texts, 1) if len(text) > LONGEST or text.strip()]


@given(bodies, st.lists(st.integers(0, 60), max_size=8))
def test_lines_are_the_same_wherever_the_pieces_break(body, breaks):
    cutter, found = LineCutter(LONGEST), []
    ends = sorted({min(place, len(body)) for place in breaks})
    for first, last in zip([0, *ends], [*ends, len(body)], strict=True):
        cut = cutter.feed(body[first:last])
        found += zip(cut.numbers, cut.lines, strict=True)
    cut = cutter.end()
    found += zip(cut.numbers, cut.lines, strict=True)
    assert found == at_once(body)


@given(bodies, st.integers(1, 20))
def test_lines_before_the_first_that_is_wanted_are_left_out(body, first):
    cutter = LineCutter(LONGEST)
    cuts = [cutter.feed(body), cutter.end()]
    wanted = [pair for cut in cuts for pair in zip(*cut.since(first), strict=True)]
    assert wanted == [pair for pair in at_once(body) if pair[0] >= first]
