"""Strategies for patterns of the supported subset and for rows that such patterns may match."""

from hypothesis import strategies as st

LETTERS = "ABX"
CHARACTERS = "ABXab019_ *#&é中я"
CLASSES = (
    r"[AB]", r"[^A]", r"[A-X]", r"[\dX]", r"[^\d ]", r"[^é]", r"[B中-丯]", r"[\w*]", r"[^\W\d]", r"[а-я]", r".", r"\d", r"\D", r"\w",
    r"\W", r"\s", r"\S", r"[ab]", r"[^ab]", r"\*", r"\#",
)  # fmt: skip
PLACES = (r"\b", r"\B", "^", "$")
REPEATS = ("?", "*", "+", "{2}", "{1,3}", "{0,2}", "{2,}", "??", "*?", "+?", "{1,2}?")

atoms = st.one_of(
    st.sampled_from(LETTERS),
    st.sampled_from([letter.replace("*", r"\*").replace("#", r"\#") for letter in CHARACTERS]),
    st.sampled_from(CLASSES),
    st.text(LETTERS, min_size=2, max_size=4),
)
places = st.sampled_from(PLACES)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, places, inner).map("".join),
        st.tuples(inner, inner).map(lambda both: f"(?:{both[0]}|{both[1]})"),
        st.tuples(inner, st.sampled_from(REPEATS)).map(lambda both: f"({both[0]}){both[1]}"),
    )


bodies = st.recursive(atoms, _larger, max_leaves=12)
patterns = st.tuples(st.one_of(st.just(""), places), bodies, st.one_of(st.just(""), places)).map("".join)
rows = st.one_of(st.text(CHARACTERS, max_size=14), st.text("AB 0é", max_size=24), st.text("AX ", max_size=40))
