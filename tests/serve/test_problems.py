"""Every class of error has its place in the table."""

import pickle

import pytest

from rayapp.errors import RayappError
from rayapp.serve import problems
from rayapp.serve.problems import KINDS, report_of


def classes(root=RayappError):
    return [root, *(found for child in root.__subclasses__() for found in classes(child))]


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_class_of_error_has_a_status_pickles_and_says_what_it_is(kind):
    assert KINDS[kind].status in range(400, 600)
    assert kind.__doc__
    assert kind.__doc__ != kind.__bases__[0].__doc__
    assert type(pickle.loads(pickle.dumps(kind("why", ())))) is kind  # noqa: S301 - our own
    assert kind.__name__ in problems.__doc__


def test_types_are_unique():
    names = [kind.name for kind in KINDS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("kind", [kind for kind in classes() if KINDS[kind].status == 500], ids=lambda kind: kind.__name__)
def test_what_the_operator_must_mend_is_not_told_to_the_caller(kind):
    assert "secret" not in str(report_of(kind("the password is secret"), "r-1"))
