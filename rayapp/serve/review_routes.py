"""The routes of people who look at what is stored: an account's lines, which decisions are unsure, and which categories there are."""

from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from rayapp.scoring.transaction import Category
from rayapp.serve.desk import Desk
from rayapp.serve.job_desk import JobDesk
from rayapp.serve.job_docs import LISTED, answer, problems, schema
from rayapp.serve.keyset import LONGEST_TOKEN, key_of, token_of
from rayapp.serve.overload import Forbidden
from rayapp.serve.problems import bad_parameter
from rayapp.store.account_lines import Booked, account_lines
from rayapp.store.decided import DecidedTransaction, Page
from rayapp.store.review import Unsure, to_review

JSON = "application/json"
MOST_LISTED = 500
UNSURE = 0.7
"""Below it people are asked, where they say nothing else."""


class Categories(msgspec.Struct, frozen=True):
    """The taxonomy of the pack that decides now."""

    pack: str
    categories: list[Category]


class TransactionPage(msgspec.Struct, frozen=True):
    """A page of stored transactions; ``next`` is what to go on ``after``, ``None`` at the end."""

    transactions: list[DecidedTransaction]
    next: str | None


REVIEW_MESSAGES = (Categories, TransactionPage)
CATEGORIES_DOCS: dict[str, Any] = {"responses": {200: answer("The categories", schema("Categories")), **problems(LISTED)}}
STORED_DOCS: dict[str, Any] = {
    "responses": {200: answer("A page of them", schema("TransactionPage")), **problems(LISTED | {403: "An operator's key is needed"})}
}

Account = Annotated[str, Query(min_length=1, max_length=1_000, description="List this account's lines, newest first")]
Below = Annotated[float, Query(ge=0, le=1, description=f"Without an account: list decisions less sure than this, {UNSURE} by itself")]
After = Annotated[str, Query(max_length=LONGEST_TOKEN, description="The `next` of the page before, with the same `account_id` or `below`")]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]


def add_categories(app: FastAPI, desk: Desk) -> None:
    """Add the route that lists the categories."""

    @app.get("/categories", **CATEGORIES_DOCS)
    async def categories() -> Response:
        """List the categories that decisions are made among, in the taxonomy's order."""
        pack = desk.deciding.classifier.pack
        return Response(msgspec.json.encode(Categories(pack.digest, pack.categories())), media_type=JSON)


def add_stored(app: FastAPI, jobs: JobDesk) -> None:
    """Add the route that lists what is stored."""

    @app.get("/transactions", **STORED_DOCS)
    async def transactions(
        request: Request, account_id: Account | None = None, below: Below | None = None, after: After = "", limit: Limit = 50
    ) -> Response:
        """List stored transactions with their decisions.

        With `account_id` that account's, newest first, those without a date last. Otherwise those to review: whose decisions are less sure
        than a bound and that no person has decided, the least sure first.
        """
        if not request.state.client.operator:
            raise Forbidden("what everybody has stored is shown to an operator's key")
        _check(account_id, below)
        if account_id is not None:
            lines = await jobs.ask(partial(account_lines, account=account_id, after=key_of(after, Booked), most=limit))
            return _page(lines)
        bound = UNSURE if below is None else below
        return _page(await jobs.ask(partial(to_review, below=bound, after=key_of(after, Unsure), most=limit)))


def _page(found: Page[Any]) -> Response:
    page = TransactionPage(found.transactions, token_of(found.last))
    return Response(msgspec.json.encode(page), media_type=JSON, headers={"Cache-Control": "no-store"})


def _check(account_id: str | None, below: float | None) -> None:
    """Refuse what the types of parameters do not."""
    if account_id is not None and "\0" in account_id:
        raise bad_parameter("account_id", "holds NUL")
    if account_id is not None and below is not None:
        raise bad_parameter("below", "is of the list without an account")
