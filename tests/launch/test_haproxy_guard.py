"""What HAProxy is given beside Serve's template: a real HAProxy finds it right, and every part of it is there."""

import subprocess

import pytest

from rayapp.launch.environment import find_haproxy
from rayapp.launch.haproxy_guard import AT_ONCE, QUEUE, lasting, limited, with_problems

CONFIG = """global
    log 127.0.0.1:514 local0 info
    maxconn 4096
defaults
    mode http
    timeout connect 1s
    timeout client 10s
    timeout server 10s
    errorfile 502 /x/500.http
    errorfile 503 /x/500.http
    errorfile 504 /x/500.http
frontend http_frontend
    bind 127.0.0.1:8000
    use_backend app if { path_beg / }
backend app
    log global
    http-reuse always
    default-server fall 2 rise 2 inter 5s check
    server one 127.0.0.1:30000 check observe layer4 error-limit 3 on-error mark-down
    server spare 127.0.0.1:8500 check backup
"""


def test_a_replica_gets_so_many_requests_at_once_and_others_wait_for_a_while():
    config = limited(CONFIG)
    assert config.count(f" maxconn {AT_ONCE}\n") == 2
    assert "    default-server fall 2 rise 2 inter 5s check\n" in config
    assert f"timeout queue {QUEUE}\n" in config
    assert "timeout http-request 10s" in config


def test_connections_to_replicas_are_kept_however_many_clients_there_are_and_nothing_is_logged():
    config = lasting(CONFIG)
    assert config.startswith("global\n    tune.pool-low-fd-ratio 95\n    tune.pool-high-fd-ratio 99\n    maxconn 4096\n")
    assert "    log global\n" in config


def test_haproxys_own_errors_are_problem_documents():
    config = with_problems(CONFIG)
    assert "errorfile" not in config
    assert config.count("application/problem+json") == 5
    assert config.count("hdr Retry-After 1") == 3
    assert config.index("bind 127.0.0.1:8000") < config.index("set-var(txn.rayapp_id)") < config.index("use_backend")


@pytest.mark.skipif(find_haproxy() is None, reason="HAProxy does not run here")
def test_haproxy_takes_it(tmp_path):
    path = tmp_path / "haproxy.cfg"
    path.write_text(with_problems(limited(lasting(CONFIG))))
    checked = subprocess.run([str(find_haproxy()), "-c", "-f", str(path)], capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stderr
