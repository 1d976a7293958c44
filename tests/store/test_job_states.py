"""What becomes of a job, without a database: properties over all that can happen to one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.store.job_states import FINAL, FIRST_PAUSE_S, LIVE, LONGEST_PAUSE_S, Ending, Standing, pause, verdict

standings = st.builds(
    Standing,
    misses=st.integers(0, 20),
    max_attempts=st.integers(1, 20),
    progressed=st.booleans(),
    rows_failed=st.integers(0, 3),
    cancel_requested=st.booleans(),
)
endings = st.builds(Ending, how=st.sampled_from(["done", "wrong", "trouble", "lost", "stopped", "cancelled"]), cause=st.sampled_from(["", "why"]))
chances = st.floats(0, 1, exclude_max=True)



def standing_of(misses=0, max_attempts=3, rows_failed=0, *, progressed=False, asked=False):
    return Standing(misses=misses, max_attempts=max_attempts, progressed=progressed, rows_failed=rows_failed, cancel_requested=asked)


NEW = standing_of()
ASKED = standing_of(asked=True)


@pytest.mark.parametrize(
    ("standing", "ending", "state"),
    [
        (NEW, "done", "succeeded"),
        (standing_of(rows_failed=1, progressed=True), "done", "partially_failed"),
        (ASKED, "done", "succeeded"),
        (NEW, "wrong", "failed"),
        (ASKED, "wrong", "failed"),
        (NEW, "trouble", "queued"),
        (NEW, "lost", "queued"),
        (NEW, "stopped", "queued"),
        (NEW, "cancelled", "cancelled"),
        (ASKED, "trouble", "cancelled"),
        (ASKED, "lost", "cancelled"),
        (ASKED, "stopped", "cancelled"),
        (standing_of(2), "lost", "failed"),
        (standing_of(2, progressed=True), "lost", "queued"),
        (standing_of(2), "stopped", "queued"),
    ],
)
def test_where_a_job_goes(standing, ending, state):
    assert verdict(standing, Ending(ending), 0.5).state == state


@given(standings, endings, chances)
def test_a_job_never_stays_running_and_a_failed_one_says_why(standing, ending, chance):
    then = verdict(standing, ending, chance)
    assert then.state in FINAL | (LIVE - {"running"})
    assert then.state != "failed" or then.failure
    assert then.pause_s == 0 or then.state == "queued"


@given(standings, endings, chances)
def test_what_was_asked_to_stop_is_not_begun_again(standing, ending, chance):
    if standing.cancel_requested:
        assert verdict(standing, ending, chance).state in FINAL


@given(st.integers(1, 20), st.lists(st.tuples(st.sampled_from(["trouble", "lost", "stopped"]), st.booleans()), max_size=60), chances)
def test_a_job_is_given_up_after_as_many_attempts_in_a_row_without_progress_as_it_may_have(most, attempts, chance):
    misses, in_a_row = 0, 0
    for how, progressed in attempts:
        then = verdict(standing_of(misses, most, progressed=progressed), Ending(how), chance)
        in_a_row = in_a_row if how == "stopped" else 0 if progressed else in_a_row + 1
        assert (then.state == "failed") == (in_a_row >= most)
        if then.state == "failed":
            return
        misses = then.misses


@given(st.integers(0, 10_000), chances, chances)
def test_pauses_grow_and_have_an_end(misses, chance, other):
    assert 0 <= pause(misses, chance) <= LONGEST_PAUSE_S
    assert pause(misses + 1, 0) >= pause(misses, 0)
    assert pause(1, other) <= FIRST_PAUSE_S
    assert (pause(misses, chance) == 0) == (misses == 0)
