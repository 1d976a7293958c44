"""The command ``rayapp``: which words it takes, what runs them, and how it ends.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 done with rejected rows. Standard output carries data, standard error everything else.
A command's module is imported when the command is given, so that none pays for another's libraries.
"""

import errno
import gc
import os
import signal
import sys
from argparse import REMAINDER, ArgumentParser, ArgumentTypeError, _SubParsersAction
from collections.abc import Sequence
from importlib import import_module
from typing import get_args

from rayapp.cli.command_parser import CommandParser, WrongUseError
from rayapp.errors import RayappError
from rayapp.settings import read_settings
from rayapp.store.job_states import State

FAILED, WRONG_USE = 1, 2
INTERRUPTED = 130
SELDOM = 100_000
"""New objects after which those that are young are looked through; Python's own number is 700."""

DISK_TROUBLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
FORMATS = ("csv", "jsonl", "parquet")

Commands = _SubParsersAction  # argparse keeps the type's name to itself


def entry() -> int:
    """Run the command line of this process; gives the exit code.

    What imports make stays, so that looking through it for garbage costs half a second and finds none: seldom meanwhile, not at the end.
    """
    gc.set_threshold(SELDOM)
    try:
        return main(sys.argv[1:])
    finally:
        gc.freeze()


def main(words: Sequence[str]) -> int:
    """Run one command. Our own errors become one line on standard error, others keep their traceback."""
    arguments = _parser().parse_args(words)
    try:
        module, _, function = arguments.runs.partition(":")
        code: int = getattr(import_module(module), function)(read_settings(), arguments)
        sys.stdout.flush()
    except WrongUseError as error:
        print(f"rayapp: {error}", file=sys.stderr)
        return WRONG_USE
    except RayappError as error:
        print(f"rayapp: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        _forget_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        if error.errno not in DISK_TROUBLE:
            raise
        _forget_output()
        print(f"rayapp: cannot write: {error.strerror}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _forget_output() -> None:
    """Nobody can take more output: what is still buffered must not be written at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> ArgumentParser:
    parser: ArgumentParser = CommandParser(
        prog="rayapp", description="Classifies bank and card transactions: merchant, category, confidence, reasons."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_classify(commands)
    _add_explain(commands)
    _add_packs(commands)
    _add_cluster(commands)
    _add_jobs(commands)
    _add_schedules(commands)
    _add_corrections(commands)
    _add_keys(commands)
    _add_upkeep(commands)
    return parser


def _command(commands: "Commands[ArgumentParser]", name: str, runs: str, words: str) -> ArgumentParser:
    """Add a command; ``runs`` is ``module:function``, called with the settings and the arguments."""
    parser = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.set_defaults(runs=runs)
    return parser


def _add_classify(commands: "Commands[ArgumentParser]") -> None:
    parser = _command(commands, "classify", "rayapp.cli.classify:run", "classify a file of any bank; no cluster needed")
    parser.add_argument("source", metavar="FILE", help="CSV, JSONL, Parquet, OFX, CAMT or MT940, also gz and zst; - for standard input")
    parser.add_argument("--out", metavar="FILE", help="where decisions go; standard output if not given")
    parser.add_argument("--format", choices=FORMATS, help="format of the decisions; by the name of --out if not given, else csv")
    parser.add_argument("--rejects", metavar="FILE", help="keep rejected rows, as JSON lines with row, field and message")
    parser.add_argument("--encoding", help="encoding of a CSV or JSONL, such as cp1252; guessed if not given")
    parser.add_argument("--mapping", metavar="FILE", help="a TOML file that says which column is which, see docs/sources.md")
    parser.add_argument("--pack", metavar="PATH", help="a pack's name, directory or compiled file; the default pack if not given")
    parser.add_argument("--quiet", action="store_true", help="no progress and no summary")
    parser.add_argument("--json", action="store_true", help="the summary as JSON")


def _add_explain(commands: "Commands[ArgumentParser]") -> None:
    parser = _command(commands, "explain", "rayapp.cli.explain:run", "say how a descriptor is classified and why; no cluster needed")
    parser.add_argument("descriptors", metavar="DESCRIPTOR", nargs="+", help="the bank's text")
    parser.add_argument("--amount", help="decimal, in units of the currency")
    parser.add_argument("--currency", help="ISO 4217, such as EUR")
    parser.add_argument("--direction", choices=("debit", "credit"), help="debit is money leaving the account")
    parser.add_argument("--mcc", help="merchant category code, four digits")
    parser.add_argument("--country", help="ISO 3166-1, such as DE")
    parser.add_argument("--booked-at", help="ISO 8601 date")
    parser.add_argument("--pack", metavar="PATH", help="a pack's name, directory or compiled file; the default pack if not given")
    parser.add_argument("--json", action="store_true", help="one JSON object for each descriptor")


def _add_packs(commands: "Commands[ArgumentParser]") -> None:
    parser = commands.add_parser("packs", help="check, compile, store and activate rule packs", description="Rule packs.")
    packs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    lint = _command(packs, "lint", "rayapp.cli.packs:lint", "check a pack directory and print every fault")
    lint.add_argument("path", nargs="?", help="the directory, or a shipped pack's name; the default pack if not given")
    lint.add_argument("--json", action="store_true", help="one JSON object for each fault")
    build = _command(packs, "build", "rayapp.cli.packs:build", "compile a pack directory into one file")
    build.add_argument("path", nargs="?", help="the directory, or a shipped pack's name; the default pack if not given")
    build.add_argument("--out", metavar="FILE", required=True, help="the compiled pack")
    listed = _command(packs, "list", "rayapp.cli.packs:show", "list the packs in the database")
    listed.add_argument("--json", action="store_true", help="one JSON object for each pack")
    publish = _command(packs, "publish", "rayapp.cli.packs:publish", "store a pack in the database and print its digest")
    publish.add_argument("path", nargs="?", help="a directory, a compiled pack or a shipped pack's name; the default pack if not given")
    publish.add_argument("--activate", action="store_true", help="make it the active pack")
    activate = _command(packs, "activate", "rayapp.cli.packs:activate", "make a stored pack the active one")
    activate.add_argument("digest", help="its digest or the beginning of it")
    plan = _command(packs, "plan", "rayapp.cli.planning:plan", "show what a pack would change about stored decisions, and change nothing")
    plan.add_argument("pack", metavar="NEW", help="a stored pack's digest or its beginning, or a directory or file, which is stored first")
    plan.add_argument("--full", action="store_true", help="decide every row again, not only those that the new pack can touch")
    shown = _command(packs, "show-plan", "rayapp.cli.planning:show", "show a plan that was made before")
    applied = _command(packs, "apply", "rayapp.cli.planning:apply", "do exactly what a plan says, and make its pack the active one")
    for command in (shown, applied):
        command.add_argument("plan", type=int, metavar="PLAN", help="its number")
    revert = _command(packs, "revert", "rayapp.cli.planning:revert", "take a change back, but for rows that were edited since")
    revert.add_argument("changeset", type=int, metavar="CHANGESET", help="its number")
    changes = _command(packs, "changes", "rayapp.cli.planning:changes", "list what was changed about stored decisions, the newest first")
    for command in (plan, shown, applied, revert, changes):
        command.add_argument("--json", action="store_true", help="as JSON")
    for command in (plan, applied, revert):
        command.add_argument("--by", default="", metavar="WHO", help="who wants it, for the history")
    for command in (publish, activate, plan, revert):
        command.add_argument("--reason", default="", help="why, for the history")
    for command in (publish, activate, plan, applied):
        command.add_argument("--override", metavar="REASON", help="why the pack may break corrections that people made")


def _add_cluster(commands: "Commands[ArgumentParser]") -> None:
    up = _command(commands, "up", "rayapp.cli.up:run", "start everything on this machine: Ray, PostgreSQL, HTTP")
    up.add_argument("--detach", action="store_true", help="return when everything answers, rather than stay until Ctrl-C")
    _command(commands, "down", "rayapp.cli.up:down", "stop what `rayapp up` started")
    status = _command(commands, "status", "rayapp.cli.up:status", "say what runs on this machine")
    status.add_argument("--json", action="store_true", help="as JSON")
    reclassify = _command(commands, "reclassify", "rayapp.cli.reclassify:run", "decide stored rows anew, where a pack decides otherwise")
    reclassify.add_argument("--pack", metavar="DIGEST", help="a stored pack's digest or its beginning; the active pack if not given")
    reclassify.add_argument("--full", action="store_true", help="decide every row again, not only those that the new pack can touch")
    reclassify.add_argument("--dry-run", action="store_true", help="say which rows would be looked at and why, and change nothing")
    reclassify.add_argument("--by", default="", metavar="WHO", help="who wants it, for the history")
    reclassify.add_argument("--reason", default="", help="why, for the history")
    reclassify.add_argument("--json", action="store_true", help="progress and summary as JSON lines")
    ingest = _command(commands, "ingest", "rayapp.cli.ingest:run", "load files into PostgreSQL, exactly once; transactions are classified")
    ingest.add_argument("source", metavar="SOURCE", nargs="?", help="a file, a folder, a pattern, s3:// or gs://")
    ingest.add_argument(
        "--dataset", metavar="NAME", help="what the rows are; transactions, or by the files' names in a folder, if not given"
    )
    ingest.add_argument("--mapping", metavar="FILE", help="which column is which, as TOML; see docs/sources.md")
    ingest.add_argument("--encoding", help="encoding of text that is not told rightly, such as latin-1 or cp1252")
    ingest.add_argument("--set", metavar="COLUMN=VALUE", action="append", help="a value for all rows, such as csv_upload_id=42")
    ingest.add_argument("--rejects", metavar="FILE", help="write bad values with line, column and reason; .jsonl or CSV")
    ingest.add_argument("--max-bad", metavar="N|N%", help="stop when more rows than that are bad")
    ingest.add_argument("--background", action="store_true", help="leave it to a worker (`rayapp up` runs one) and print the job's id")
    ingest.add_argument("--dry-run", action="store_true", help="print how the source will be read, as JSON, and load nothing")
    ingest.add_argument("--resume", action="store_true", help="go on with a load that broke off; a load always does")
    ingest.add_argument("--cancel", metavar="LOAD", help="stop the load of this id, here or elsewhere; what it has loaded stays")
    ingest.add_argument("--json", action="store_true", help="progress and summary as JSON lines")


def _add_keys(commands: "Commands[ArgumentParser]") -> None:
    parser = commands.add_parser("keys", help="make, list and revoke the keys of clients", description="Keys of the service's clients.")
    keys = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = _command(keys, "add", "rayapp.cli.keys:add", "make a key and print it, this once")
    add.add_argument("name", help="whose it is")
    add.add_argument("--tier", choices=("priority", "standard", "bulk"), default="standard", help="whose turn it is when clients wait")
    add.add_argument("--rows-per-second", type=float, metavar="N", help="rows that it may send each second; by tier if not given")
    add.add_argument("--burst", type=float, metavar="N", help="rows that it may send at once after a pause")
    add.add_argument("--at-once", type=int, metavar="N", help="requests that all replicas together work on at a time")
    add.add_argument("--operator", action="store_true", help="it may also publish, activate, apply and take back rule packs")
    listed = _command(keys, "list", "rayapp.cli.keys:show_list", "list keys by their beginnings, the revoked ones too")
    listed.add_argument("--json", action="store_true", help="one JSON object for each key")
    revoke = _command(keys, "revoke", "rayapp.cli.keys:revoke", "make a key good for nothing")
    revoke.add_argument("key", help="its beginning, as `rayapp keys list` shows it")


def _add_jobs(commands: "Commands[ArgumentParser]") -> None:
    _command(commands, "worker", "rayapp.cli.jobs:work", "work on jobs until Ctrl-C; `rayapp up` runs a worker already")
    parser = commands.add_parser("jobs", help="list, show, cancel, retry and watch jobs", description="Jobs: everything that takes long.")
    jobs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listed = _command(jobs, "list", "rayapp.cli.jobs:show_list", "list jobs, the newest first")
    listed.add_argument("--state", action="append", choices=get_args(State), help="only jobs in this state; may be given several times")
    listed.add_argument("--kind", action="append", help="only jobs of this kind; may be given several times")
    listed.add_argument("--most", type=int, default=50, help="how many at most, 50 if not given")
    show = _command(jobs, "show", "rayapp.cli.jobs:show", "show everything about a job")
    cancel = _command(jobs, "cancel", "rayapp.cli.jobs:cancel_jobs", "cancel jobs; what they have done stays done")
    cancel.add_argument("jobs", metavar="JOB", nargs="+", help="its id or the beginning of it")
    retry = _command(jobs, "retry", "rayapp.cli.jobs:retry_job", "do what a job left undone")
    watch = _command(jobs, "watch", "rayapp.cli.jobs:watch", "follow a job to its end")
    prune = _command(jobs, "prune", "rayapp.cli.pruning:run", "take away what is old, as the worker does by itself now and then")
    prune.add_argument("--dry-run", action="store_true", help="only say what would be taken away")
    for kind, what in (("jobs", "finished jobs"), ("files", "uploads and result files"), ("history", "what changes are taken back by")):
        usual = f"as RAYAPP_KEEP_{kind.upper()}_DAYS says if not given"
        prune.add_argument(f"--{kind}-days", type=_days, metavar="DAYS", help=f"keep {what} so long; {usual}")
    for command in (show, retry, watch):
        command.add_argument("job", metavar="JOB", help="its id or the beginning of it")
    for command in (listed, show, cancel, retry, watch, prune):
        command.add_argument("--json", action="store_true", help="one JSON object for each job")


def _days(word: str) -> int:
    if not (word.isdecimal() and word.isascii()):
        raise ArgumentTypeError(f"{word!r} is not a number of days, 0 for ever")
    return int(word)


def _add_schedules(commands: "Commands[ArgumentParser]") -> None:
    parser = commands.add_parser("schedules", help="jobs that are made by the clock", description="Jobs that are made by the clock.")
    schedules = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = _command(schedules, "add", "rayapp.cli.schedules:add", "make a job whenever a cron expression comes true")
    add.add_argument("name", metavar="NAME", help="letters, digits and ._-")
    add.add_argument("cron", metavar="CRON", help="minute, hour, day of month, month, day of week; '0 3 * * *' is every day at 03:00")
    add.add_argument("kind", metavar="KIND", help="ingest or reclassify")
    add.add_argument("request", metavar="NAME=VALUE", nargs="*", help="the request, such as source=s3://bucket/day.csv")
    add.add_argument("--timezone", default="UTC", help="of the expression, such as Europe/Berlin; UTC if not given")
    add.add_argument("--priority", type=int, default=0, help="of the jobs; higher first")
    listed = _command(schedules, "list", "rayapp.cli.schedules:show_list", "list schedules")
    remove = _command(schedules, "remove", "rayapp.cli.schedules:remove", "forget a schedule")
    enable = _command(schedules, "enable", "rayapp.cli.schedules:switch", "switch a schedule on, from its next time on")
    disable = _command(schedules, "disable", "rayapp.cli.schedules:switch", "switch a schedule off")
    enable.set_defaults(enabled=True)
    disable.set_defaults(enabled=False)
    for command in (remove, enable, disable):
        command.add_argument("name", metavar="NAME", help="its name")
    for command in (add, listed, enable, disable):
        command.add_argument("--json", action="store_true", help="one JSON object for each schedule")


def _add_corrections(commands: "Commands[ArgumentParser]") -> None:
    correct = _command(commands, "correct", "rayapp.cli.corrections:run", "correct a stored transaction and lock it")
    correct.add_argument("id", metavar="TRANSACTION_ID", help="the transaction")
    correct.add_argument("--category", required=True, metavar="CODE", help="its detailed category")
    correct.add_argument("--merchant", metavar="NAME", help="its merchant; as the pack says if not given")
    correct.add_argument("--by", required=True, metavar="WHO", help="who says so")
    correct.add_argument("--reason", default="", help="why, for the history")
    correct.add_argument("--only-this", action="store_true", help="an exception: packs need not decide so")
    history = _command(commands, "history", "rayapp.cli.corrections:history", "show how a transaction's decision came about")
    history.add_argument("id", metavar="TRANSACTION_ID", help="the transaction")
    for command in (correct, history):
        command.add_argument("--json", action="store_true", help="as JSON")


def _add_upkeep(commands: "Commands[ArgumentParser]") -> None:
    _command(commands, "migrate", "rayapp.cli.database:migrate", "bring the database's schema up to date")
    _command(commands, "warm", "rayapp.cli.warm:run", "compile kernels and pack once, so that later starts are fast")
    bench = _command(commands, "bench", "rayapp.cli.bench:run", "run a benchmark of the source checkout, or list them")
    bench.add_argument("name", nargs="?", metavar="NAME", help="the benchmark")
    bench.add_argument("rest", nargs=REMAINDER, help="its own arguments")


if __name__ == "__main__":
    sys.exit(entry())
