"""A store of objects on loopback that speaks as much of S3's HTTP as reading needs."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest


class Store:
    """Objects by bucket/key, and how many bytes were asked for."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.served = 0
        self.port = 0

    def uri(self, path: str) -> str:
        return f"s3://key:secret@{path}?endpoint_override=127.0.0.1:{self.port}&scheme=http&region=eu-central-1"


def handler_for(store: Store) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a server is its methods
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self.answer(with_body=False)

        def do_GET(self):
            self.answer(with_body=True)

        def answer(self, *, with_body: bool) -> None:
            parts = urlsplit(self.path)
            path, asked = unquote(parts.path).strip("/"), parse_qs(parts.query, keep_blank_values=True)
            if "list-type" in asked:
                self.send(200, listing(store, path, asked["prefix"][0] if "prefix" in asked else ""), {"Content-Type": "application/xml"})
                return
            content = store.objects.get(path)
            if content is None:
                self.send(404, b"", {})
                return
            tag = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "Last-Modified": "Sun, 22 Nov 2026 00:00:00 GMT"}
            asked_range = self.headers.get("Range")
            if not with_body:
                self.send(200, content, tag, with_body=False)
            elif asked_range:
                first, last = asked_range.removeprefix("bytes=").split("-")
                part = content[int(first) : int(last or len(content)) + 1]
                store.served += len(part)
                self.send(206, part, {**tag, "Content-Range": f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"})
            else:
                store.served += len(content)
                self.send(200, content, tag)

        def send(self, code: int, body: bytes, headers: dict[str, str], *, with_body: bool = True) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    return Handler


def listing(store: Store, bucket: str, prefix: str) -> bytes:
    found = sorted(path.removeprefix(f"{bucket}/") for path in store.objects if path.startswith(f"{bucket}/{prefix}"))
    entries = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{len(store.objects[f'{bucket}/{key}'])}</Size>"
        f"<LastModified>2026-11-22T00:00:00.000Z</LastModified></Contents>"
        for key in found
    )
    return (
        f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{bucket}</Name>'
        f"<KeyCount>{len(found)}</KeyCount><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
    ).encode()


@pytest.fixture(scope="session")
def object_store():
    store = Store()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(store))
    store.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield store
    server.shutdown()
    server.server_close()
    thread.join()
