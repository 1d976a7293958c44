"""What HAProxy is given beside Serve's template: a real HAProxy finds it right, and every part of it is there."""

import subprocess
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from rayapp.launch import haproxy_guard
from rayapp.launch.environment import find_haproxy
from rayapp.launch.haproxy_guard import AT_ONCE, QUEUE_MS, RETRY_AFTER_S, in_turns, lasting, limited, with_problems
from rayapp.launch.ports import free_ports
from rayapp.store.api_keys import PREFIXES
from tests.listening import answers

PATIENCE_S = 30

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
    assert f"timeout queue {QUEUE_MS}ms\n" in config
    assert "timeout http-request 10s" in config


def test_connections_to_replicas_are_kept_however_many_clients_there_are_and_nothing_is_logged():
    config = lasting(CONFIG)
    assert config.startswith("global\n    tune.pool-low-fd-ratio 95\n    tune.pool-high-fd-ratio 99\n    maxconn 4096\n")
    assert "    log global\n" in config


def test_haproxys_own_errors_are_problem_documents():
    config = with_problems(CONFIG)
    assert "errorfile" not in config
    assert config.count("application/problem+json") == 5
    assert config.count(f"hdr Retry-After {RETRY_AFTER_S}") == 3
    assert config.index("bind 127.0.0.1:8000") < config.index("set-var(txn.rayapp_id)") < config.index("use_backend")


@pytest.mark.skipif(find_haproxy() is None, reason="HAProxy does not run here")
def test_haproxy_takes_it(tmp_path):
    path = tmp_path / "haproxy.cfg"
    path.write_text(with_problems(in_turns(limited(lasting(CONFIG)))))
    checked = subprocess.run([str(find_haproxy()), "-c", "-f", str(path)], capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stderr


class Slow(BaseHTTPRequestHandler):
    """Answers when it may, and notes whose each request was."""

    def do_GET(self):
        self.server.asked.append(self.headers["who"])
        self.server.may_answer.wait(PATIENCE_S)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def slow_server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        server.asked, server.may_answer = [], threading.Event()
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


@contextmanager
def haproxy_before(server, folder):
    """A real HAProxy before one server that works on one request at a time; gives its address and what counts who waits in it."""
    own, told = free_ports(2)
    config = CONFIG[: CONFIG.index("    server one")].replace("127.0.0.1:8000", f"127.0.0.1:{own}").replace("errorfile", "#")
    config = in_turns(limited(f"{config}    server one 127.0.0.1:{server.server_address[1]} check\n"))
    (folder / "haproxy.cfg").write_text(f"{config}frontend told\n    bind 127.0.0.1:{told}\n    stats enable\n    stats uri /\n")
    running = subprocess.Popen([str(find_haproxy()), "-db", "-f", str(folder / "haproxy.cfg")], stderr=subprocess.DEVNULL)

    def waiting():
        rows = httpx.get(f"http://127.0.0.1:{told}/;csv").text.splitlines()
        return sum(int(row.split(",")[2] or 0) for row in rows if row.startswith("app,"))

    try:
        soon(lambda: answers(told))
        yield f"http://127.0.0.1:{own}/", waiting
    finally:
        running.terminate()
        running.wait()


def is_(count, number):
    return count() == number


def soon(look):
    until = time.monotonic() + PATIENCE_S
    while not look() and time.monotonic() < until:
        time.sleep(0.02)


@pytest.mark.skipif(find_haproxy() is None, reason="HAProxy does not run here")
def test_a_priority_key_goes_before_those_that_wait_and_the_others_have_their_turns_too(tmp_path, monkeypatch):
    monkeypatch.setattr(haproxy_guard, "AT_ONCE", 1)
    monkeypatch.setattr(haproxy_guard, "QUEUE_MS", PATIENCE_S * 1_000)
    sent = [("first", 1, {}), ("standard", 40, {"x-api-key": f"{PREFIXES['standard']}a"}), ("priority", 5, {"authorization": f"Bearer {PREFIXES['priority']}b"})]
    senders = []
    with slow_server() as server, haproxy_before(server, tmp_path) as (address, waiting):
        for who, many, key in sent:
            words = {"headers": {"who": who, **key}, "timeout": PATIENCE_S}
            new = [threading.Thread(target=httpx.get, args=(address,), kwargs=words) for _ in range(many)]
            senders += new
            for sender in new:
                sender.start()
            soon(partial(is_, waiting, len(senders) - 1))
        server.may_answer.set()
        for sender in senders:
            sender.join()
    assert (len(server.asked), server.asked[0], server.asked[-1]) == (46, "first", "standard")
    until_priority = server.asked[: 46 - server.asked[::-1].index("priority")]
    assert 0 < until_priority.count("standard") < 40  # a quarter of them, by lot
