"""Webhooks: signed, told again until taken, and never sent into this network unless the operator says so."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.data_jobs.guarded_post import Letter, is_public, post, safe_address
from rayapp.data_jobs.webhook_job import signed
from rayapp.data_jobs.worker import Worker
from rayapp.errors import InvalidInput, Unavailable
from rayapp.settings import Settings
from rayapp.store.database import connection
from rayapp.store.jobs import JobRequest, cancel, enqueue
from rayapp.store.webhooks import Webhook, add_webhook

SECRETS = tuple("whsec_" + base64.b64encode(bytes([number]) * 24).decode() for number in (1, 2))
PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",  # noqa: S104
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_of_this_network_is_public(address):
    assert not is_public(address)
    with pytest.raises(InvalidInput):
        safe_address(urlsplit("https://example.com/"), (), lambda *_: ["93.184.216.34", address])


def test_public_addresses_are_sent_to_and_plain_http_is_not():
    assert safe_address(urlsplit("https://example.com/"), (), lambda *_: ["93.184.216.34"]) == "93.184.216.34"
    with pytest.raises(InvalidInput):
        safe_address(urlsplit("http://example.com/"), (), lambda *_: ["93.184.216.34"])
    with pytest.raises(InvalidInput):
        post(Letter("https://localhost:1/", b"", {}), ())


@given(st.binary(max_size=200), st.integers(0, 2**33))
def test_each_secret_signs_the_id_the_time_and_the_body(body, at):
    headers = signed("msg_1", at, body, SECRETS)
    expected = [hmac.new(bytes([number]) * 24, b"msg_1.%d." % at + body, hashlib.sha256).digest() for number in (1, 2)]
    assert headers["Webhook-Signature"].split(" ") == ["v1," + base64.b64encode(each).decode() for each in expected]


class Receiver(HTTPServer):
    """Answers with the statuses that it is given, the last one for ever."""

    def __init__(self, *statuses):
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses, self.got = list(statuses), []
        self.enough = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = self.server.statuses.pop(0) if len(self.server.statuses) > 1 else self.server.statuses[0]
        self.server.got.append((dict(self.headers), body))
        self.send_response(status)
        self.send_header("location", "/elsewhere")
        self.end_headers()
        if status == 200:
            self.server.enough.set()

    def log_message(self, *_):
        pass


def test_a_receiver_that_is_down_at_first_is_told_once_it_is_up(database, tmp_path):
    receiver = Receiver(500, 302, 200)
    settings = Settings(data_dir=tmp_path, database_url=database, webhook_hosts=("127.0.0.1",))

    async def made():
        async with connection(database) as session:
            job = (await enqueue(session, JobRequest(kind="ingest"))).job
            await add_webhook(session, job.id, Webhook(f"http://127.0.0.1:{receiver.server_port}/told", SECRETS))
            return await cancel(session, job.id)

    job = asyncio.run(made())
    worker = Worker(settings)
    thread = threading.Thread(target=lambda: asyncio.run(worker.run()))
    thread.start()
    assert receiver.enough.wait(60)
    worker.stop()
    thread.join()
    receiver.shutdown()
    receiver.server_close()
    assert len(receiver.got) == 3
    assert len({headers["Webhook-Id"] for headers, _ in receiver.got}) == len({body for _, body in receiver.got}) == 1
    told = json.loads(receiver.got[0][1])
    assert (told["type"], told["data"]["id"], told["data"]["state"]) == ("job.cancelled", str(job.id), "cancelled")


def test_a_receiver_that_never_ends_its_head_is_left(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unavailable):
        post(Letter(f"http://127.0.0.1:{silent.getsockname()[1]}/", b"{}", {}), ("127.0.0.1",), within_s=0.3)
