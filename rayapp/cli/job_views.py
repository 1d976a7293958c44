"""How jobs and schedules look: tables for a person, one JSON object each for a program, and a line of progress."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from rich.console import Console
from rich.table import Table

from rayapp.store.jobs import Job
from rayapp.store.schedules import Schedule

WIDE = 200
"""Columns of a table that goes into a file or another program."""

COLOURS = {"running": "cyan", "succeeded": "green", "partially_failed": "yellow", "failed": "red", "cancelled": "bright_black"}
SHORT_ID = 8


def as_json(job: Job, ahead: int | None = None) -> str:
    """Give a job as one JSON object: its columns, and what is reckoned from them."""
    reckoned = {"seconds": job.seconds, "rows_per_s": job.rows_per_s, "eta_s": job.eta_s, "jobs_ahead": ahead}
    return msgspec.json.encode(msgspec.structs.asdict(job) | reckoned).decode()


def schedule_as_json(schedule: Schedule) -> str:
    """Give a schedule as one JSON object."""
    return msgspec.json.encode(schedule).decode()


def table_of(jobs: Sequence[Job]) -> Table:
    """Lay jobs out, one a line."""
    table = Table("job", "kind", "state", "rows", "bad", "rows/s", "created", "took", "what", box=None, pad_edge=False)
    for column in (3, 4, 5, 7):
        table.columns[column].justify = "right"
    for job in jobs:
        pace = "" if job.rows_per_s is None else f"{job.rows_per_s:,.0f}"
        bad = f"{job.rows_failed:,}" if job.rows_failed else ""
        table.add_row(
            str(job.id)[:SHORT_ID], job.kind, _state(job), _rows(job), bad, pace, _when(job.created_at), _length(job.seconds), _what(job)
        )
    return table


def details(job: Job, ahead: int | None) -> Table:
    """Lay one job out, one fact a line."""
    table = Table(show_header=False, box=None, pad_edge=False)
    told = {
        "job": job.id,
        "kind": job.kind,
        "state": _state(job),
        "rows": f"{_rows(job)}, {job.rows_failed:,} bad" if job.rows_done or job.rows_total else None,
        "rate": None if job.rows_per_s is None else f"{job.rows_per_s:,.0f} rows/s",
        "time left": _length(job.eta_s) if job.eta_s is not None else None,
        "jobs ahead": ahead,
        "cause": job.failure,
        "request": msgspec.json.encode(job.request).decode(),
        "result": None if job.result is None else msgspec.json.encode(job.result).decode(),
        "pack": job.pack,
        "priority": job.priority or None,
        "attempts": f"{job.attempts}, {job.misses} of at most {job.max_attempts} in a row without progress" if job.attempts else None,
        "worker": job.worker,
        "Ray Job": job.ray_job,
        "created": f"{_when(job.created_at)}{f' by {job.created_by}' if job.created_by else ''}",
        "not before": _when(job.run_at) if job.state == "queued" and job.run_at > datetime.now(UTC) else None,
        "begun": _when(job.started_at) if job.started_at else None,
        "finished": f"{_when(job.finished_at)}, after {_length(job.seconds)}" if job.finished_at and job.started_at else None,
        "asked to stop": _when(job.cancel_requested_at) if job.cancel_requested_at and job.live else None,
        "schedule": job.schedule,
        "retry of": job.retry_of,
        "part of": job.parent,
    }
    for name, value in told.items():
        if value is not None and value != "":
            table.add_row(f"[bold]{name}", str(value))
    return table


def schedule_table(schedules: Sequence[Schedule]) -> Table:
    """Lay schedules out, one a line."""
    table = Table("schedule", "cron", "timezone", "kind", "enabled", "next", "last", "skipped", "what", box=None, pad_edge=False)
    for schedule in schedules:
        following = _when(schedule.next_at) if schedule.enabled else ""
        last = _when(schedule.fired_at) if schedule.fired_at else ""
        what = str(schedule.request.get("source", ""))
        enabled = "yes" if schedule.enabled else "no"
        words = (schedule.name, schedule.cron, schedule.timezone, schedule.kind, enabled, following, last, str(schedule.skipped), what)
        table.add_row(*words)
    return table


def progress_line(job: Job, ahead: int | None) -> str:
    """Say in one line how far a job is."""
    words = [f"{str(job.id)[:SHORT_ID]} {job.kind} {job.state}"]
    if job.rows_done or job.rows_total:
        words.append(f"{_rows(job)} rows, {job.rows_failed:,} bad")
    if job.rows_per_s is not None:
        words.append(f"{job.rows_per_s:,.0f} rows/s")
    if job.eta_s is not None:
        words.append(f"{_length(job.eta_s)} left")
    if ahead is not None:
        words.append(f"{ahead} ahead")
    if job.failure and job.state != "running":
        words.append(job.failure)
    return ", ".join(words)


def print_table(table: Table) -> None:
    """Print a table to standard output, in the terminal's width if it is one."""
    Console(width=None if sys.stdout.isatty() else WIDE, highlight=False).print(table)


def _state(job: Job) -> str:
    said = "stopping" if job.state == "running" and job.cancel_requested_at else job.state.replace("_", " ")
    return f"[{COLOURS[job.state]}]{said}[/]" if job.state in COLOURS else said


def _rows(job: Job) -> str:
    if job.rows_total is None:
        return f"{job.rows_done:,}" if job.rows_done else ""
    return f"{job.rows_done:,} of {job.rows_total:,}" if job.live or job.rows_done != job.rows_total else f"{job.rows_done:,}"


def _what(job: Job) -> str:
    said = str(job.request.get("source", ""))
    return f"{said} ({job.failure})" if job.failure and said else job.failure or said


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _length(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))  # noqa: PLR2004 - a minute
