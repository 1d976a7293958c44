"""A program that uses the cluster: that of `rayapp up`, else that of ``RAY_ADDRESS``, else one of its own for as long as it needs it."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rayapp.launch.environment import ONE_MACHINE, QUIET, driver_environment
from rayapp.launch.site import Site
from rayapp.settings import Settings

NAMESPACE = "rayapp"
OBJECT_STORE_BYTES = 300 * 1000**2
LEAST_CPUS = 2
STANDARD_ERROR = 2
ADDRESS_VARIABLE = "RAY_ADDRESS"
"""Ray's own; names a cluster that others run, whose token is found as Ray finds it."""


def prepare_environment(settings: Settings) -> None:
    """Set what Ray reads from the environment when it is imported; so before anything imports it."""
    if cluster_address(settings):
        own = driver_environment(Site(settings.data_dir))
    else:
        own = dict(QUIET) if os.environ.get(ADDRESS_VARIABLE) else _private_environment()
    os.environ.update({**own, "RAY_BACKEND_LOG_LEVEL": "fatal"})


def cluster_address(settings: Settings) -> str:
    """Give the address of the cluster that runs here, nothing where there is none."""
    site = Site(settings.data_dir)
    state = site.read()
    return state.ray_address if state is not None and site.taken() else ""


@contextmanager
def connected(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """Connect this process to Ray for the length of the context; ``prepare_environment`` comes first."""
    import ray

    address = cluster_address(settings) or os.environ.get(ADDRESS_VARIABLE)
    quiet: dict[str, Any] = {"namespace": NAMESPACE, "log_to_driver": False, "logging_level": "WARNING"}
    if address:
        with _without_first_words():
            ray.init(address=address, **quiet)
    else:
        say("nothing runs here (`rayapp up`): starting Ray for this alone")
        cpus = max(os.cpu_count() or 1, LEAST_CPUS)
        with _without_first_words():
            ray.init(num_cpus=cpus, include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES, _node_ip_address="127.0.0.1", **quiet)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _without_first_words() -> Iterator[None]:
    """Keep from standard error what Ray's native part says of its own log level before it obeys it; failures of Ray are raised."""
    kept, nowhere = os.dup(STANDARD_ERROR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STANDARD_ERROR)
    try:
        yield
    finally:
        os.dup2(kept, STANDARD_ERROR)
        os.close(kept)
        os.close(nowhere)


def _private_environment() -> dict[str, str]:
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), **QUIET, **ONE_MACHINE}
