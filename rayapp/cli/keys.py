"""``rayapp keys``: who may use the service, and how much."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime

import msgspec
from rich.markup import escape
from rich.table import Table

from rayapp.cli.job_views import print_table
from rayapp.cli.jobs import ask
from rayapp.errors import InvalidInput
from rayapp.settings import Settings
from rayapp.store.api_keys import ALLOWANCES, Allowance, ApiKey, add_key, list_keys, revoke_key

DONE = 0
NUMBERS = {"rows/s", "burst", "at once"}


def add(settings: Settings, arguments: Namespace) -> int:
    """Make a key and print it; nobody can look it up again."""
    if any(number is not None and number <= 0 for number in (arguments.rows_per_second, arguments.burst, arguments.at_once)):
        raise InvalidInput("rows a second, burst and requests at once are numbers above 0")
    usual = ALLOWANCES[arguments.tier]
    rate = arguments.rows_per_second or usual.rows_per_s
    burst = max(1.0, arguments.burst or rate * usual.burst_rows / usual.rows_per_s)
    allowance = Allowance(rate, burst, arguments.at_once or usual.at_once)
    key = ask(settings, lambda session: add_key(session, arguments.name, arguments.tier, allowance, operator=arguments.operator))
    print(key)
    told = f"{allowance.rows_per_s:,.0f} rows/s, {allowance.burst_rows:,.0f} at once"
    what = f"a key of tier {arguments.tier}{', of an operator,' if arguments.operator else ''} for {arguments.name!r}"
    print(f"rayapp: {what}: {told}. It is shown this once.", file=sys.stderr)
    return DONE


def show_list(settings: Settings, arguments: Namespace) -> int:
    """Print the keys, the oldest first, each by its beginning."""
    keys = ask(settings, list_keys)
    if arguments.json:
        for key in keys:
            told = msgspec.to_builtins(key)
            print(msgspec.json.encode({name: value for name, value in told.items() if name != "hash"}).decode())
        return DONE
    print_table(_table(keys))
    return DONE


def revoke(settings: Settings, arguments: Namespace) -> int:
    """Make a key good for nothing, within a second in every replica."""
    ask(settings, lambda session: revoke_key(session, arguments.key.removesuffix("...")))
    print(f"rayapp: {arguments.key} is revoked", file=sys.stderr)
    return DONE


def _table(keys: Sequence[ApiKey]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("key", "name", "tier", "operator", "rows/s", "burst", "at once", "made", "revoked"):
        table.add_column(name, justify="right" if name in NUMBERS else "left")
    for key in keys:
        may = key.allowance
        numbers = (f"{may.rows_per_s:,.0f}", f"{may.burst_rows:,.0f}", str(may.at_once))
        who = (f"{key.mark}...", escape(key.name), key.tier, "yes" if key.operator else "")
        table.add_row(*who, *numbers, _when(key.created_at), _when(key.revoked_at))
    return table


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
