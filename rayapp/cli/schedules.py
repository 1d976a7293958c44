"""``rayapp schedules``: jobs that are made by the clock."""

from argparse import Namespace

from rayapp.cli.job_views import print_table, schedule_as_json, schedule_table
from rayapp.cli.jobs import ask
from rayapp.data_jobs.kinds import request_of
from rayapp.settings import Settings
from rayapp.store.schedules import ScheduleRequest, add_schedule, enable_schedule, list_schedules, remove_schedule

DONE = 0


def add(settings: Settings, arguments: Namespace) -> int:
    """Write a schedule down and print its next time."""
    wanted = ScheduleRequest(
        name=arguments.name,
        cron=arguments.cron,
        timezone=arguments.timezone,
        kind=arguments.kind,
        request=request_of(arguments.kind, arguments.request),
        priority=arguments.priority,
        created_by="cli",
    )
    made = ask(settings, lambda session: add_schedule(session, wanted))
    print(schedule_as_json(made) if arguments.json else f"{made.name}: next at {made.next_at:%Y-%m-%d %H:%M} UTC")
    return DONE


def show_list(settings: Settings, arguments: Namespace) -> int:
    """Print all schedules."""
    schedules = ask(settings, list_schedules)
    if arguments.json:
        for schedule in schedules:
            print(schedule_as_json(schedule))
    else:
        print_table(schedule_table(schedules))
    return DONE


def remove(settings: Settings, arguments: Namespace) -> int:
    """Forget a schedule; the jobs that it has made stay."""
    ask(settings, lambda session: remove_schedule(session, arguments.name))
    return DONE


def switch(settings: Settings, arguments: Namespace) -> int:
    """Switch a schedule on or off."""
    switched = ask(settings, lambda session: enable_schedule(session, arguments.name, enabled=arguments.enabled))
    told = f"next at {switched.next_at:%Y-%m-%d %H:%M} UTC" if switched.enabled else "disabled"
    print(schedule_as_json(switched) if arguments.json else f"{switched.name}: {told}")
    return DONE
