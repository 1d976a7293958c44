"""The head: the one process that holds Ray and the service. ``python -m rayapp.launch.head RUN_DIR`` is started by the launcher.

Ray's own processes share this one's fate (the kernel ends them with it), and this one ends in order when the launcher is gone, so that a
``kill -9`` of the launcher takes everything down. When the service answers, ``RUN_DIR/ready`` holds the address of the cluster.
"""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import ray

from rayapp.errors import RayappError
from rayapp.launch.environment import JOBS_PORT
from rayapp.launch.haproxy_guard import end_with_parent
from rayapp.launch.ray_parts import only_the_job_api, tell_jobs
from rayapp.packs import load_pack
from rayapp.rule_actor import NAMESPACE, start_rule_actor
from rayapp.serve.deployment import check_keys, run_application, stop_application
from rayapp.settings import Settings, read_settings

OBJECT_STORE_BYTES = 500 * 1000**2
LEAST_CPUS = 2
READY = "ready"


def main(run_dir: Path) -> int:
    """Start everything, wait to be asked to stop, and stop everything."""
    stop = threading.Event()
    end_with_parent()
    if os.getppid() == 1:
        return 1
    try:
        settings = read_settings()
        load_pack(settings.pack)  # compiles it, or says what is wrong with it before anything is started
        asyncio.run(check_keys(settings))
        _start(settings, run_dir)
    except RayappError as error:
        print(f"rayapp: {error}", file=sys.stderr)  # noqa: T201 - the launcher shows the end of this log
        return 1
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    (run_dir / READY).write_text(ray.get_runtime_context().gcs_address)
    stop.wait()
    stop_application()
    ray.shutdown()
    return 0


def _start(settings: Settings, run_dir: Path) -> None:
    only_the_job_api()
    temporary = str(run_dir / "ray")
    ray.init(
        num_cpus=max(os.cpu_count() or 1, LEAST_CPUS),
        include_dashboard=True,
        dashboard_host="127.0.0.1",
        dashboard_port=int(os.environ[JOBS_PORT]),
        object_store_memory=OBJECT_STORE_BYTES,
        namespace=NAMESPACE,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=temporary,
    )
    tell_jobs(ray.get_runtime_context().gcs_address, temporary)
    start_rule_actor(settings)
    run_application(settings)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
