"""Bodies that come too slowly: how slow is too slow, by a simulated clock, and what the client is told."""

import pytest

from rayapp.serve import pace
from rayapp.serve.pace import GRACE_S, LEAST_BYTES_PER_S, SILENCE_S, Pace
from tests.serve import test_jobs

ask, settings = test_jobs.ask, test_jobs.settings

KINDS = [
    ("silent", [], SILENCE_S),
    ("slow after the grace", [(1, GRACE_S)], 1 / LEAST_BYTES_PER_S),
    ("a drop now and then", [(1, 1.0)] * 60, 0.0),
    ("at the least rate", [(LEAST_BYTES_PER_S, 1.0)] * 1_000, GRACE_S),
    ("quick, then silent", [(10**9, 1.0)], SILENCE_S),
]


@pytest.mark.parametrize(("why", "pieces", "left"), KINDS)
def test_what_the_next_piece_may_take(why, pieces, left):
    found = Pace()
    for size, waited in pieces:
        found.came(size, waited)
    assert found.patience() == pytest.approx(left), why


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/jobs", "text/csv"), ("/jobs", "application/json"), ("/jobs", "multipart/form-data; boundary=x"), ("/packs", "application/zip")],
)
def test_a_body_that_does_not_come_is_given_up_and_the_connection_closed(ask, monkeypatch, path, media_type):
    async def stuck():
        yield b"--x"
        await ask.runner.get_loop().create_future()

    monkeypatch.setattr(pace, "SILENCE_S", 0.05)
    refused = ask("POST", path, content=stuck(), headers={"content-type": media_type})
    assert (refused.status_code, refused.json()["type"]) == (408, "urn:rayapp:problem:slow-body")
    assert refused.headers["connection"] == "close"
