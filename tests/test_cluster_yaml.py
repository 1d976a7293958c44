"""The cluster launcher's file is one that Ray takes."""

from pathlib import Path

import yaml

FILE = Path(__file__).parent.parent / "cluster.yaml"


def test_ray_takes_the_cluster_file():
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(yaml.safe_load(FILE.read_text())))


def test_every_start_of_ray_asks_for_the_token_and_the_fast_ingress():
    config = yaml.safe_load(FILE.read_text())
    starts = [line for key in ("head_start_ray_commands", "worker_start_ray_commands") for line in config[key] if "ray start" in line]
    assert len(starts) == 2
    for line in starts:
        assert {"RAY_AUTH_MODE=token", "RAY_SERVE_ENABLE_HA_PROXY=1", "RAY_SERVE_THROUGHPUT_OPTIMIZED=1"} <= set(line.split())
