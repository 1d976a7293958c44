"""A plan as tables for people."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rayapp.store.plan_report import Report, Sample, Transition
from rayapp.store.plans import Plan

MOST = 15
NOTHING = "(none)"


def print_plan(plan: Plan) -> None:
    """Print a plan on standard output."""
    console = Console(highlight=False, soft_wrap=False)
    report = plan.report
    console.print(f"[bold]Plan {plan.id}[/]: pack [bold]{plan.name}[/] {plan.pack[:12]} over {_active(plan)}")
    for source in report.sources:
        apart = (
            f"all, because of {source.everything}"
            if source.everything
            else f"{source.differences} difference{'s' * (source.differences != 1)}"
        )
        console.print(f"  {source.rows:,} rows decided by {source.name} {source.pack[:12]}: {apart}", markup=False)
    console.print(
        f"  {report.examined:,} rows decided again, [bold]{report.changed:,} change[/]: {report.category:,} their category, "
        f"{report.merchant:,} only the merchant's name, {report.other:,} only evidence or confidence; {report.locked:,} locked rows stay"
    )
    for table in _tables(report):
        console.print()
        console.print(table)
    console.print()
    _print_end(console, plan)


def _active(plan: Plan) -> str:
    return f"the active pack {plan.active[:12]}" if plan.active else "no active pack"


def _tables(report: Report) -> Iterable[Table]:
    moves = [one for one in report.transitions if one.before != one.after]
    if moves:
        yield _transitions(moves)
    if report.rules:
        yield _rules(report)
    if report.names:
        yield _names(report)
    if report.samples:
        yield _samples("Samples", [one for one in report.samples if one.before != one.after] or report.samples)
    if report.locked_samples:
        yield _samples("Locked by a person, and left as they are", report.locked_samples)


def _transitions(moves: list[Transition]) -> Table:
    table = Table("from", "to", title="Categories", title_justify="left")
    table.add_column("rows", justify="right")
    table.add_column("amounts", justify="right")
    for one in moves[:MOST]:
        amounts = "  ".join(f"{_amount(amount)} {currency or '?'}" for currency, amount in sorted(one.amounts.items()))
        table.add_row(one.before or NOTHING, one.after or NOTHING, f"{one.rows:,}", amounts)
    if len(moves) > MOST:
        rest = moves[MOST:]
        table.add_row(f"and {len(rest)} more", "", f"{sum(one.rows for one in rest):,}", "")
    return table


def _amount(amount: str) -> str:
    return f"{float(amount):,.2f}"


def _rules(report: Report) -> Table:
    table = Table("rule", title="Rules", title_justify="left")
    for name in ("gained", "lost", "fires", "shadowed"):
        table.add_column(name, justify="right")
    for one in report.rules[:MOST]:
        counts = (one.gained, one.lost, one.fires, one.shadowed)
        table.add_row(Text(one.rule), *("" if count is None else f"{count:,}" for count in counts))
    if len(report.rules) > MOST:
        table.add_row(f"and {len(report.rules) - MOST} more", "", "", "", "")
    if any(one.fires is not None for one in report.rules):
        table.caption = "fires, shadowed: rows on which a changed rule fires, and those of them that come out as another category"
        table.caption_justify = "left"
    return table


def _names(report: Report) -> Table:
    table = Table("name before", "name after", title="Names that speak for rows", title_justify="left")
    table.add_column("rows", justify="right")
    for one in report.names[:MOST]:
        table.add_row(Text(one.before or NOTHING), Text(one.after or NOTHING), f"{one.rows:,}")
    return table


def _samples(title: str, samples: list[Sample]) -> Table:
    table = Table("id", "descriptor", "amount", "before", "after", title=title, title_justify="left")
    for one in samples[:MOST]:
        amount = f"{one.amount} {one.currency or ''}" if one.amount else ""
        before = f"{one.before or NOTHING} {one.confidence_before:.2f}\n{one.merchant_before or ''}"
        after = f"{one.after or NOTHING} {one.confidence_after:.2f}\n{one.merchant_after or ''}"
        table.add_row(*map(Text, (one.id, one.descriptor, amount, before.strip(), after.strip())))
    return table


def _print_end(console: Console, plan: Plan) -> None:
    broken = plan.report.broken
    if broken:
        console.print(f"[bold red]{len(broken)} corrections are broken:[/]")
        for one in broken[:MOST]:
            console.print(Text(f"  {one}"))
    if plan.blocked:
        console.print(f'The plan is not carried out without a reason: rayapp packs apply {plan.id} --override "..."', markup=False)
    elif plan.changeset_id is not None:
        console.print(f"Carried out by changeset {plan.changeset_id}.")
    else:
        console.print(f"Nothing was changed. rayapp packs apply {plan.id} does exactly this.", markup=False)
