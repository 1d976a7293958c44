"""The pages for people: the API's description, and the console. Each is a few files of this package; no build, no other host."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import PurePath

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

PAGES = files("rayapp.serve").joinpath("pages")
MEDIA_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
SAFE = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""A page runs its own files, talks to this service alone, and stands in nobody's frame."""


def add_pages(app: FastAPI) -> None:
    """Add the pages to an app; they are read now, once."""
    read = {file.name: file.read_bytes() for file in PAGES.iterdir()}

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return RedirectResponse("/docs")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return _response("docs.html", read)

    @app.get("/console", include_in_schema=False)
    async def console() -> Response:
        return _response("console.html", read)

    @app.get("/pages/{name}", include_in_schema=False)
    async def part(name: str) -> Response:
        return _response(name, read)


def _response(name: str, read: Mapping[str, bytes]) -> Response:
    if name not in read:
        raise HTTPException(404, f"there is no page {name}")
    return Response(read[name], headers=SAFE, media_type=MEDIA_TYPES[PurePath(name).suffix])
