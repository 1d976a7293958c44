"""The Ray cluster that a job's process works on: the one that it was started on, else one of its own for as long as it needs it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

OBJECT_STORE_BYTES = 300 * 1000**2
LEAST_CPUS = 2
ADDRESS_VARIABLE = "RAY_ADDRESS"  # Ray's own; it is set in the processes of a Ray Job


def has_cluster() -> bool:
    """Say whether this process is connected to Ray, or was started on a cluster."""
    if os.environ.get(ADDRESS_VARIABLE):
        return True
    return "ray" in sys.modules and bool(sys.modules["ray"].is_initialized())


@contextmanager
def joined() -> Iterator[None]:
    """Connect this process to Ray for the length of the context, unless it is connected."""
    import ray

    if ray.is_initialized():
        yield
        return
    quiet: dict[str, Any] = {"namespace": "rayapp", "log_to_driver": False, "logging_level": "WARNING"}
    if os.environ.get(ADDRESS_VARIABLE):
        ray.init(address=os.environ[ADDRESS_VARIABLE], **quiet)
    else:
        cpus = max(os.cpu_count() or 1, LEAST_CPUS)
        own: dict[str, Any] = {"object_store_memory": OBJECT_STORE_BYTES, "_node_ip_address": "127.0.0.1"}
        ray.init(address="local", num_cpus=cpus, include_dashboard=False, **own, **quiet)
    try:
        yield
    finally:
        ray.shutdown()
