"""Work spread over actors by Ray Data: what flows through it are small places alone, and an actor does each exactly once."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from rayapp.errors import RayappError

ACTOR_CPUS = 0.75
"""What an actor books; the rest of its core is PostgreSQL's."""

NODE_LABEL = "ray.io/node-id"
"""Ray's own label of each node."""


class Crew(NamedTuple):
    """How many actors work, and whether on this machine alone."""

    size: int
    here: bool = False


def crew_for(pieces: int, *, here: bool = False) -> Crew:
    """Say how many actors the cluster that this process is connected to has room for, at most one for each piece and at least one.

    With ``here`` only the processors of this machine count.
    """
    import ray

    cpus = ray.available_resources().get("CPU", 1)
    if here:
        own = ray.get_runtime_context().get_node_id()
        cpus = min(cpus, *(node["Resources"].get("CPU", 1) for node in ray.nodes() if node["NodeID"] == own))
    return Crew(max(1, min(pieces, int(cpus / ACTOR_CPUS))), here)


def run_on_actors(kind: type, shared: object, places: Sequence[dict[str, Any]], crew: Crew, blocks: int) -> None:
    """Have actors of a kind, each made with ``shared``, called with all places, cut into ``blocks``. Raises our own errors as such."""
    import ray
    from ray.exceptions import RayError

    _quieten()
    found = ray.data.from_items(list(places), override_num_blocks=blocks).map_batches(
        kind,
        batch_size=None,
        fn_constructor_args=(shared,),
        compute=ray.data.ActorPoolStrategy(size=crew.size),
        num_cpus=ACTOR_CPUS,
        label_selector={NODE_LABEL: ray.get_runtime_context().get_node_id()} if crew.here else None,
    )
    try:
        found.materialize()
    except RayError as error:
        raise _ours(error) from error


def _quieten() -> None:
    """Keep Ray Data's own bars and reports off the terminal: its counts double when a task is tried again."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _ours(error: BaseException) -> BaseException:
    """Find our own error inside of Ray's."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, RayappError):
        seen = getattr(seen, "cause", None) or seen.__cause__
    return seen or error
