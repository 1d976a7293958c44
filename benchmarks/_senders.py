"""Threads that ask a service one request after another while it is disturbed, so that every request can be accounted for afterwards."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import httpx

PATIENCE_S = 60.0
PAUSE_S = 0.1
"""After an answer that is not good."""


class Request(NamedTuple):
    """What is asked: a path, and a value that is sent as JSON."""

    path: str
    content: Any


class Told(NamedTuple):
    """What became of one request: when it was sent and over (seconds since 1970), and the status, or the error's name."""

    sent: float
    over: float
    asked: Request
    status: int | str
    answer: Any
    """The response, or what was read of a good one; nothing where there was none."""


Read = Callable[[Request, httpx.Response], Any]


def whole(_: Request, answer: httpx.Response) -> httpx.Response:
    """Read nothing and keep the response."""
    return answer


class Senders:
    """A thread for each sequence of requests, which are asked until the context ends."""

    def __init__(self, url: str, requests: Sequence[Iterator[Request]], read: Read = whole) -> None:
        """Take what each asks in turn, without an end, and what is kept of a good answer."""
        self.told: list[Told] = []
        self._url = url
        self._read = read
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(each,)) for each in requests]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ask nothing more, and wait for the last answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def good_since(self, moment: float) -> list[Told]:
        """Give the good answers to what was sent after a moment."""
        return [told for told in list(self.told) if told.status == httpx.codes.OK and told.sent > moment]

    def statuses(self) -> Counter[int | str]:
        """Count what was told."""
        return Counter(told.status for told in list(self.told))

    def _send(self, requests: Iterator[Request]) -> None:
        with httpx.Client(base_url=self._url, timeout=PATIENCE_S) as client:
            for asked in requests:
                sent = time.time()
                status, answer = self._ask(client, asked)
                self.told.append(Told(sent, time.time(), asked, status, answer))
                if status != httpx.codes.OK:
                    self._stop.wait(PAUSE_S)
                if self._stop.is_set():
                    return

    def _ask(self, client: httpx.Client, asked: Request) -> tuple[int | str, Any]:
        try:
            answer = client.post(asked.path, json=asked.content)
        except httpx.HTTPError as error:
            return type(error).__name__, None
        return answer.status_code, self._read(asked, answer) if answer.status_code == httpx.codes.OK else answer
