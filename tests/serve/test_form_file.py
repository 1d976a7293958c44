"""Files in forms: what a form holds comes out as it went in, wherever its pieces end, and in little memory."""

import asyncio
import tracemalloc

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.serve.form_file import MOST_FIELD_BYTES, MOST_PARTS, FormCutter, FormFile
from rayapp.serve.problems import BodyTooLarge, MalformedBody
from rayapp.serve.uploads import Store

BOUNDARY = "x-x"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def form(*parts, end="--"):
    written = [f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n" for head, body in parts]
    return b"".join(written) + f"--{BOUNDARY}{end}\r\n".encode()


FILE = ('name="file"; filename="a.csv"', b"id,descriptor\n1,X\n")


@given(content=st.binary(max_size=200) | st.text("\r\n-x", max_size=50).map(str.encode), cut=st.integers(1, 40), before=st.booleans())
def test_a_file_comes_out_as_it_went_in(content, cut, before):
    body = httpx.Request("POST", "http://h/", files={"file": ("ä b.csv", content)}, data={"kind": "ingest"} if before else {})
    cutter = FormCutter(body.headers["content-type"])
    sent = body.read()
    found = [part for first in range(0, len(sent), cut) for part in cutter.feed(sent[first : first + cut])]
    cutter.end()
    assert b"".join(found) == content
    assert (cutter.filename, cutter.fields) == ("ä b.csv", {"kind": "ingest"} if before else {})


def read(cutter, body):
    cutter.feed(body)
    cutter.end()


BAD = [
    (b"", "breaks off"),
    (form(end=""), "breaks off"),
    (form(), "no file"),
    (form(('name="kind"', b"ingest")), "no file"),
    (form(FILE, FILE), "more than one file"),
    (form(FILE)[:-10], "breaks off"),
    (b"rows", "cannot be read"),
    (form(('name="kind"', b"x" * (MOST_FIELD_BYTES + 1)), FILE), "more than"),
    (form(*[('name="a"', b"")] * (MOST_PARTS + 1)), "more than"),
    (form(('name="kind"', b"\xff"), FILE), "not UTF-8"),
    (b"--x-x\r\nX: " + b"y" * 10_000, "cannot be read"),
]


@pytest.mark.parametrize(("body", "said"), BAD)
def test_what_is_no_form_with_one_file_is_refused(body, said):
    cutter = FormCutter(TYPE)
    with pytest.raises(MalformedBody, match=said):
        read(cutter, body)


def test_a_form_needs_a_boundary():
    with pytest.raises(MalformedBody, match="boundary"):
        FormCutter("multipart/form-data")


def test_an_upload_that_says_that_it_is_too_large_is_refused_before_it_is_read(tmp_path):
    store = Store(tmp_path, 1_000)
    for fine in ("", "1000", "nonsense"):
        store.check_announced(fine)
    with pytest.raises(BodyTooLarge, match="1,000 bytes"):
        store.check_announced("1001")


def test_a_large_file_is_stored_in_little_memory(tmp_path):
    async def body():
        yield form(FILE)[: -len(f"\r\n--{BOUNDARY}--\r\n")]
        for _ in range(500):
            yield b"2,SQ *BLUE BOTTLE\n" * 4_000
        yield f"\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=kind\r\n\r\ningest\r\n--{BOUNDARY}--\r\n".encode()

    async def keep():
        cutter = FormCutter(TYPE)
        file = FormFile(cutter, body())
        assert await file.begin() == "a.csv"
        return await Store(tmp_path, 10**9).keep(file.pieces(), "a.csv"), cutter.fields

    tracemalloc.start()
    kept, fields = asyncio.run(keep())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (kept.bytes, fields) == (18 + 500 * 4_000 * 18, {"kind": "ingest"})
    assert kept.path.read_bytes()[:30] == b"id,descriptor\n1,X\n2,SQ *BLUE B"
    assert peak < 5_000_000
