"""Which parts of Ray's dashboard run: its job API, without which there is no ``ray job submit``, and nothing else.

Ray 2.60 has all nine of the dashboard's processes or none, and gives each node's agent one fixed port, so that a second cluster on a
machine has no job API. Both are arguments of its own programs that ``ray.init`` does not pass on; Ray's version is pinned with that in
mind.
"""

from collections.abc import Callable
from typing import Any

from ray._private import parameter, services
from ray._private.utils import write_ray_address

PARTS = "UsageStatsHead,NodeHead,JobHead"
DASHBOARD = "dashboard/dashboard.py"
ANY_PORT = 0


def only_the_job_api() -> None:
    """Have the ``ray.init`` that follows in this process start the job API alone, and the node's agent on any free port."""
    services.start_ray_process = _with_parts(services.start_ray_process)
    parameter.RayParams = _ParametersWithAnyPort  # type: ignore[misc]


def tell_jobs(address: str, temporary: str) -> None:
    """Have the Ray Jobs of the cluster with this directory be given its address.

    Ray looks for that in the file that only ``ray start`` writes, and without it takes any cluster that runs on the machine.
    """
    write_ray_address(address, temporary)


class _ParametersWithAnyPort(parameter.RayParams):
    def __init__(self, *words: Any, **named: Any) -> None:  # noqa: ANN401 - Ray's own forty arguments
        super().__init__(*words, **{"dashboard_agent_listen_port": ANY_PORT, **named})


def _with_parts(start: Callable[..., Any]) -> Callable[..., Any]:
    def start_with_parts(command: list[str], *words: Any, **named: Any) -> Any:  # noqa: ANN401 - passed on as they are
        is_dashboard = any(word.endswith(DASHBOARD) for word in command)
        return start([*command, f"--modules-to-load={PARTS}"] if is_dashboard else command, *words, **named)

    return start_with_parts
