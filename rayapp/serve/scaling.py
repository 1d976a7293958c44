"""How many replicas are wanted: by how long rows wait and how many do, and by how busy the replicas are. Pure; Serve's controller calls it.

A bulk request of 20,000 rows is one request to Serve and much work to us, so requests are not counted. Up comes quickly: by as many
replicas as the waiting work asks for. Down comes one by one, and only where the others could do the work with ease, so that nothing swings.
Serve itself waits before it follows (``UP_AFTER_S``, ``DOWN_AFTER_S``) and keeps within the bounds.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

WAIT_S = 0.25
"""Waiting work, or a wait, that another replica is worth."""

CALM_S = 0.05
"""A wait below which there may be one replica too many."""

BUSY = 0.85
"""Share of a core from which on a replica counts as full, whatever waits: its event loop is the bottleneck then."""

EASE = 0.6
"""Share of a core that the remaining replicas may have to do after one has gone."""

UP_AFTER_S = 1.0
DOWN_AFTER_S = 60.0
LOOK_BACK_S = 3.0

QUEUED_AGE, QUEUED_WORK, CPU = "queued_age_s", "queued_work_s", "cpu_share"
"""What each replica tells: age of its oldest waiting row, seconds of engine time that wait, share of a core that it used."""


class Load(NamedTuple):
    """What one replica told."""

    age_s: float
    work_s: float
    cpu: float


def wanted(loads: Sequence[Load], replicas: int) -> int:
    """Give how many replicas the load asks for; as many as there are while nothing is known."""
    if not loads:
        return replicas
    age, work, cpu = max(load.age_s for load in loads), sum(load.work_s for load in loads), sum(load.cpu for load in loads)
    if age > WAIT_S or work > WAIT_S * replicas:
        return max(replicas + 1, min(2 * replicas, math.ceil(work / WAIT_S)))
    if cpu > BUSY * replicas:
        return replicas + 1
    if age < CALM_S and replicas > 1 and cpu < EASE * (replicas - 1):
        return replicas - 1
    return replicas


def policy(context: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401 - Serve's AutoscalingContext; this module does without Serve
    """Give Serve the number of replicas, and no state."""
    told: Mapping[str, Mapping[Any, float]] = context.aggregated_metrics or {}
    known = set(told.get(QUEUED_AGE, ())) & set(told.get(QUEUED_WORK, ())) & set(told.get(CPU, ()))
    loads = [Load(told[QUEUED_AGE][replica], told[QUEUED_WORK][replica], told[CPU][replica]) for replica in known]
    return wanted(loads, context.target_num_replicas), {}
