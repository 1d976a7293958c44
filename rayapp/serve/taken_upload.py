"""A file in the body of ``POST /jobs``: as it is, with the job described in the query, or in a form, with the job in its fields."""

import asyncio
import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from starlette.requests import Request

from rayapp.errors import InvalidInput
from rayapp.serve.form_file import MEDIA_TYPE as FORM
from rayapp.serve.form_file import FormCutter, FormFile
from rayapp.serve.new_job import NewJob, WebhookWanted
from rayapp.serve.problems import Place, UnsupportedBody
from rayapp.serve.uploads import Content, Store, pieces_of, rows_in

ENDINGS = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/plain": "",
    "text/xml": ".xml",
    "application/xml": ".xml",
    "application/x-ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "application/x-parquet": ".parquet",
    "application/gzip": ".gz",
    "application/x-gzip": ".gz",
    "application/zstd": ".zst",
    "application/x-ofx": ".ofx",
    "application/octet-stream": "",
}
"""Media types of files that sources can be; what a file is is told by its bytes."""

WORDS = {"kind", "dataset", "encoding", "max_bad", "pack", "name", "webhook"}


class Taken(NamedTuple):
    """A job and its file."""

    wanted: NewJob
    content: Content


async def take_upload(request: Request, store: Store, media_type: str) -> Taken:
    """Store an uploaded file and read what is to be done with it; raises ``UnsupportedBody`` for what is no file of rows."""
    if media_type == FORM:
        return await _take_form(request, store)
    if media_type not in ENDINGS:
        taken = ", ".join(sorted([FORM, *ENDINGS]))
        raise UnsupportedBody(f"the body is {media_type!r}: application/json, or one of {taken} is needed")
    wanted = described(request.query_params.multi_items())
    name = request.query_params.get("name", "")
    kept = await store.keep(pieces_of(request), name or f"upload{ENDINGS[media_type]}")
    return Taken(wanted, Content(str(kept.path), kept.digest, await asyncio.to_thread(rows_in, kept)))


async def _take_form(request: Request, store: Store) -> Taken:
    """Store the file of a form. Its fields are the words of a query, and count before those of the query itself."""
    cutter = FormCutter(request.headers["content-type"])
    file = FormFile(cutter, pieces_of(request))
    name = await file.begin()
    kept = await store.keep(file.pieces(), request.query_params.get("name", name))
    said = [*request.query_params.multi_items(), *cutter.fields.items()]
    told = hashlib.sha256(repr(sorted(cutter.fields.items())).encode()).hexdigest()
    return Taken(described(said), Content(str(kept.path), f"{kept.digest} {told}", await asyncio.to_thread(rows_in, kept)))


def described(words: Iterable[tuple[str, str]]) -> NewJob:
    """Read a job from a query string; raises ``InvalidInput`` naming what is wrong in it."""
    given = dict(words)
    for name in given:
        if name not in WORDS:
            raise InvalidInput(f"?{name}: is not one of {', '.join(sorted(WORDS))}", [Place(f"?{name}", "is not known")])
    url = given.pop("webhook", None)
    given.pop("name", None)
    try:
        wanted = msgspec.convert({"kind": "classify", **given}, NewJob)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"?{error}", [Place("?kind", str(error))]) from error
    return wanted if url is None else msgspec.structs.replace(wanted, webhook=WebhookWanted(url))
