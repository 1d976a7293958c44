"""How many rows are loaded at a time: chosen from how many there are."""

from typing import Literal

from rayapp.settings import Settings

Tier = Literal["small", "medium", "large", "huge"]

LARGE_ROWS = 5_000
"""Rows of a piece in the tier ``large``, each committed alone."""


def tier_of(rows: int, settings: Settings) -> Tier:
    """Choose how a source of so many rows is loaded.

    small and medium: one transaction for each file. large: a transaction for each ``LARGE_ROWS``. huge: in parallel, on Ray Data.
    """
    if rows < settings.tier_small:
        return "small"
    if rows < settings.tier_medium:
        return "medium"
    return "large" if rows < settings.tier_large else "huge"
