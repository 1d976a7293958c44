"""The job kind ``plan``: what a stored pack would change, worked out and kept; its result is the plan's number and report."""

import asyncio
from typing import Any

import msgspec

from rayapp.data_jobs.holding import ShouldStop, Tell
from rayapp.settings import Settings
from rayapp.store.database import resolve_url
from rayapp.store.job_leases import Rows
from rayapp.store.plans import PlanRequest, make_plan


def run_plan(settings: Settings, request: dict[str, Any], tell: Tell, _should_stop: ShouldStop) -> dict[str, Any]:
    """Make a plan; a second attempt makes another one, which harms nothing."""
    known = {name: request[name] for name in PlanRequest.__struct_fields__ if request.get(name) is not None}

    def told(_done: int, _all: int) -> None:
        tell(Rows(pack=known["pack"]))

    plan = asyncio.run(make_plan(resolve_url(settings), msgspec.convert(known, PlanRequest), told))
    return {"plan": plan.id, "pack": plan.pack, "active": plan.active, "blocked": plan.blocked, "report": msgspec.to_builtins(plan.report)}
