"""The border for one transaction: the same checks as for tables, without building one."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rayapp.errors import InvalidInput, Problem
from rayapp.scoring.columns import DEBIT
from rayapp.scoring.evidence import NO_DATE, Inputs
from rayapp.scoring.transaction import Transaction
from rayapp.scoring.values import MISSING, amount_of, country_of, currency_of, day_of, descriptor_fault, direction_of, id_fault, mcc_of

_READERS: tuple[tuple[str, Callable[[Any], float], float], ...] = (
    ("amount", amount_of, float("nan")),
    ("currency", currency_of, MISSING),
    ("direction", direction_of, MISSING),
    ("mcc", mcc_of, MISSING),
    ("country", country_of, MISSING),
    ("booked_at", day_of, NO_DATE),
)


class Values(NamedTuple):
    """A transaction's values in the engine's numbers, in the order of ``Inputs``; ``amount`` without its sign."""

    content: bytes
    amount: float
    currency: int
    direction: int
    mcc: int
    country: int
    day: int


class Alike(NamedTuple):
    """What transactions with one verdict have in common; where ``Classifier.exact`` holds they need one amount and day besides.

    ``shade`` is how much the amount is (``money``), -1 where no signal reads it.
    """

    content: bytes
    currency: float
    direction: float
    mcc: float
    country: float
    shade: int = -1


class SingleReader:
    """Reads transactions one at a time."""

    def __init__(self, shade: Callable[[float, float], int]) -> None:
        """Take how to tell the shade of an amount in a currency."""
        self._shade = shade

    def alike(self, transaction: Transaction) -> Alike:
        """Give what the verdict depends on; raise ``InvalidInput`` as ``read`` does."""
        content, amount, currency, direction, mcc, country, _ = self.values(transaction)
        return Alike(content, currency, direction, mcc, country, self._shade(amount, currency))

    def read(self, transaction: Transaction) -> tuple[NDArray[np.uint8], NDArray[np.int64], Inputs]:
        """Give the descriptor's bytes and offsets, and the inputs; raise ``InvalidInput`` naming every field that is wrong."""
        content, amount, currency, direction, mcc, country, day = self.values(transaction)
        data = np.frombuffer(content, np.uint8).copy()
        inputs = Inputs(
            np.zeros(1, np.int32),
            np.array([amount]),
            np.array([currency], np.int16),
            np.array([direction], np.int8),
            np.array([mcc], np.int16),
            np.array([country], np.int16),
            np.array([day], np.int32),
        )
        return data, np.array([0, data.size], np.int64), inputs

    def values(self, transaction: Transaction) -> Values:
        """Read every field; raise ``InvalidInput`` naming all that are wrong."""
        problems: list[Problem] = []
        if fault := id_fault(transaction.id):
            problems.append(Problem(0, "id", fault))
        descriptor = transaction.descriptor
        fault = descriptor_fault(descriptor)
        if fault:
            problems.append(Problem(0, "descriptor", fault))
        values: list[Any] = [self._value(transaction, *reader, problems) for reader in _READERS]
        try:
            content = descriptor.encode() if descriptor else b""
        except UnicodeEncodeError as error:
            content = b""
            problems.append(Problem(0, "descriptor", f"character {error.start} cannot be written as UTF-8"))
        if problems:
            raise InvalidInput.of("the transaction cannot be read", problems)
        amount, currency, direction, mcc, country, day = values
        if direction == MISSING and amount < 0:
            direction = DEBIT
        return Values(content, abs(amount), currency, direction, mcc, country, day)

    @staticmethod
    def _value(transaction: Transaction, field: str, read: Callable[[Any], float], missing: float, problems: list[Problem]) -> float:
        value = getattr(transaction, field)
        if value is None:
            return missing
        try:
            return read(value)
        except (ValueError, TypeError) as error:
            problems.append(Problem(0, field, str(error)))
            return missing
