"""Lines of a log."""

import io
import logging

import pytest

from rayapp.data_jobs.log_lines import log_to


@pytest.fixture
def logged(monkeypatch):
    """A root logger of its own, and what it writes."""
    root, stream = logging.RootLogger(logging.WARNING), io.StringIO()
    monkeypatch.setattr(logging, "root", root)
    log_to(stream)
    return root, stream


def test_a_log_line_has_the_facts_that_were_given_with_the_event(logged):
    root, stream = logged
    root.info("job.claimed", extra={"job": "4980e220", "attempt": 2, "reason": "it broke\nin two", "none": ""})
    assert stream.getvalue().endswith(" root job.claimed job=4980e220 attempt=2 reason='it broke\\nin two' none=''\n")


def test_a_log_line_without_facts_is_as_it_was_said_and_one_too_low_is_not_written(logged):
    root, stream = logged
    root.debug("not this")
    root.info("%d rows", 3)
    assert stream.getvalue().endswith(" root 3 rows\n")
    assert stream.getvalue().count("\n") == 1
