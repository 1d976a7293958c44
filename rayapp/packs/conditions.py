"""What the conditions of rules mean beside each other and beside an example."""

from rayapp.packs.source import Conditions, Example


def impossible(when: Conditions) -> str:
    """Say which condition can never hold, or give an empty string."""
    if when.amount_min is not None and when.amount_max is not None and when.amount_min > when.amount_max:
        return f"amount: min {when.amount_min} is above max {when.amount_max}"
    if when.date_from is not None and when.date_to is not None and when.date_from > when.date_to:
        return f"date: from {when.date_from} is after to {when.date_to}"
    return ""


def unmet(when: Conditions, example: Example) -> list[str]:
    """Name the conditions that an example does not meet; a value not given meets none, but for a direction that need not be told."""
    amount, day, mcc = example.amount, example.booked_at, example.mcc
    untold = example.direction is None and not when.direction_told
    met = {
        "direction": when.direction is None or untold or example.direction == when.direction,
        "amount": (when.amount_min is None and when.amount_max is None) or amount is not None,
        "amount.min": when.amount_min is None or amount is None or amount >= when.amount_min,
        "amount.max": when.amount_max is None or amount is None or amount <= when.amount_max,
        "mcc": not when.mcc or (mcc is not None and any(first <= mcc <= last for first, last in when.mcc)),
        "country": not when.country or example.country in when.country,
        "currency": not when.currency or example.currency in when.currency,
        "date": (when.date_from is None and when.date_to is None) or day is not None,
        "date.from": when.date_from is None or day is None or day >= when.date_from,
        "date.to": when.date_to is None or day is None or day <= when.date_to,
    }
    return [name for name, holds in met.items() if not holds]


def allows(wide: Conditions, narrow: Conditions) -> bool:
    """Say whether ``wide`` holds wherever ``narrow`` does."""
    return (
        wide.direction in (None, narrow.direction)
        and (wide.direction is None or narrow.direction_told or not wide.direction_told)
        and (wide.amount_min is None or (narrow.amount_min is not None and wide.amount_min <= narrow.amount_min))
        and (wide.amount_max is None or (narrow.amount_max is not None and wide.amount_max >= narrow.amount_max))
        and (wide.date_from is None or (narrow.date_from is not None and wide.date_from <= narrow.date_from))
        and (wide.date_to is None or (narrow.date_to is not None and wide.date_to >= narrow.date_to))
        and _within(narrow.country, wide.country)
        and _within(narrow.currency, wide.currency)
        and _mcc_within(narrow.mcc, wide.mcc)
    )


def _within(narrow: tuple[str, ...], wide: tuple[str, ...]) -> bool:
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _mcc_within(narrow: tuple[tuple[int, int], ...], wide: tuple[tuple[int, int], ...]) -> bool:
    inside = (any(first <= one and two <= last for first, last in wide) for one, two in narrow)
    return not wide or (bool(narrow) and all(inside))
