"""The routes of people who review: which stored decisions are unsure, and which categories there are."""

from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from rayapp.errors import InvalidInput
from rayapp.scoring.transaction import Category
from rayapp.serve.desk import Desk
from rayapp.serve.job_desk import JobDesk
from rayapp.serve.job_docs import LISTED, answer, problems, schema
from rayapp.serve.overload import Forbidden
from rayapp.serve.problems import Place
from rayapp.store.review import Reviewed, to_review

JSON = "application/json"
MOST_LISTED = 500
UNSURE = 0.7
"""Below it people are asked, where they say nothing else."""


class Categories(msgspec.Struct, frozen=True):
    """The taxonomy of the pack that decides now."""

    pack: str
    categories: list[Category]


class ReviewList(msgspec.Struct, frozen=True):
    """A page of transactions to look at, by id; ``next`` is the id to go on ``after``, ``None`` at the end."""

    transactions: list[Reviewed]
    next: str | None


REVIEW_MESSAGES = (Categories, ReviewList)
CATEGORIES_DOCS: dict[str, Any] = {"responses": {200: answer("The categories", schema("Categories")), **problems(LISTED)}}
REVIEW_DOCS: dict[str, Any] = {
    "responses": {200: answer("A page of them", schema("ReviewList")), **problems(LISTED | {403: "An operator's key is needed"})}
}

Below = Annotated[float, Query(ge=0, le=1)]
After = Annotated[str, Query(max_length=1_000)]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]


def add_categories(app: FastAPI, desk: Desk) -> None:
    """Add the route that lists the categories."""

    @app.get("/categories", **CATEGORIES_DOCS)
    async def categories() -> Response:
        """List the categories that decisions are made among, in the taxonomy's order."""
        pack = desk.deciding.classifier.pack
        return Response(msgspec.json.encode(Categories(pack.digest, pack.categories())), media_type=JSON)


def add_review(app: FastAPI, jobs: JobDesk) -> None:
    """Add the route of what a person should look at."""

    @app.get("/transactions", **REVIEW_DOCS)
    async def unsure(request: Request, below: Below = UNSURE, after: After = "", limit: Limit = 50) -> Response:
        """List stored transactions whose decisions are less sure than a bound and that no person has decided, by id."""
        if not request.state.client.operator:
            raise Forbidden("what everybody has stored is shown to an operator's key")
        if "\0" in after:
            raise InvalidInput("?after: holds NUL", [Place("?after", "holds NUL")])
        found = await jobs.ask(lambda session: to_review(session, below, after, limit + 1))
        page = ReviewList(found[:limit], found[limit - 1].id if len(found) > limit else None)
        return Response(msgspec.json.encode(page), media_type=JSON, headers={"Cache-Control": "no-store"})
