"""When a trigger that goes by the clock starts next. Pure; the clock is Asia/Shanghai, which has no summer time."""

from __future__ import annotations

from datetime import timedelta

from kernel.event import SHANGHAI, timestamp
from operations import clock
from playbooks.triggers.conditions import DAYS, ScheduleCondition


def next_due(condition: ScheduleCondition, after: str) -> str:
    """The first moment after ``after`` (both @timestamp text). Every so many minutes counts from midnight of the day of ``after``,

    so restarts and changes of other fields do not move it.
    """
    local = clock.moment(after).astimezone(SHANGHAI)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if condition.every_minutes:
        passed = (local - midnight) // timedelta(minutes=condition.every_minutes)
        return timestamp(midnight + (passed + 1) * timedelta(minutes=condition.every_minutes))
    hour, minute = map(int, condition.at.split(":"))
    for days in range(8):
        moment = midnight + timedelta(days=days, hours=hour, minutes=minute)
        if moment > local and (not condition.days or DAYS[moment.weekday()] in condition.days):
            return timestamp(moment)
    raise AssertionError("a week has every day")
