"""``rayapp correct`` and ``rayapp history``: a person's word on a transaction, and how its decision came about."""

import asyncio
import sys
from argparse import Namespace

import msgspec

from rayapp.packs.proposal import Proposal, propose
from rayapp.scoring.classifier import Classifier
from rayapp.settings import Settings
from rayapp.store.corrections import Corrected, Correction, correct
from rayapp.store.database import connection, running_database
from rayapp.store.decision_history import Change, decision_history
from rayapp.store.packs import read_pack

DONE = 0


def run(settings: Settings, arguments: Namespace) -> int:
    """Correct a transaction, lock it, and propose what to add to the pack."""
    wanted = Correction(
        transaction_id=arguments.id,
        category=arguments.category,
        merchant=arguments.merchant,
        made_by=arguments.by,
        reason=arguments.reason,
        regression=not arguments.only_this,
    )

    async def work(url: str) -> tuple[Corrected, Proposal]:
        async with connection(url) as session:
            done = await correct(session, wanted)
            pack = await read_pack(session, done.pack)
        return done, propose(Classifier(pack), done.transaction, wanted.category, wanted.merchant)

    with running_database(settings) as url:
        done, proposal = asyncio.run(work(url))
    if arguments.json:
        print(msgspec.json.encode({**msgspec.structs.asdict(done), "proposal": proposal}).decode())
        return DONE
    print(f"{done.transaction.id}: {done.before or 'no category'} -> {done.after}, locked (changeset {done.changeset})")
    if not arguments.only_this:
        print(
            f"rayapp: packs that decide otherwise now break correction {done.correction}. To teach a pack, add to {proposal.file}:",
            file=sys.stderr,
        )
        print(proposal.text)
    return DONE


def history(settings: Settings, arguments: Namespace) -> int:
    """Show how a transaction's decision came to be what it is."""

    async def work(url: str) -> list[Change]:
        async with connection(url) as session:
            return await decision_history(session, arguments.id)

    with running_database(settings) as url:
        found = asyncio.run(work(url))
    for change in found:
        print(msgspec.json.encode(change).decode() if arguments.json else "\n".join(_told(change)))
    if not found:
        print(f"rayapp: {arguments.id} is as it was loaded", file=sys.stderr)
    return DONE


def _told(change: Change) -> list[str]:
    why = " · ".join(word for word in (change.made_by, change.reason) if word)
    lines = [f"{change.at:%Y-%m-%d %H:%M} UTC  {change.kind} (changeset {change.changeset}){'  ' + why if why else ''}"]
    lines.append(_side("before", change, change.pack_before, change.rules_before))
    return [*lines, _side("after", change, change.pack_after, change.rules_after)]


def _side(side: str, change: Change, pack: str | None, rules: list[str]) -> str:
    """Put one side of a change into a line."""
    category, merchant, confidence, alias = (getattr(change, f"{name}_{side}") for name in ("category", "merchant", "confidence", "alias"))
    evidence = ", ".join([*(f"rule {rule}" for rule in rules), *([f"name {alias}"] if alias else [])]) or "no rule, no name"
    return f"  {side:<6}  {category or 'no category'}  {confidence:.2f}  {merchant or ''}  [{evidence}]  pack {(pack or '')[:12]}"
