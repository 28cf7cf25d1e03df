"""``/playbooks/statistics``: how playbooks have gone in the last 30 days, and the time that they saved."""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec
from flask import Blueprint, render_template
from sqlalchemy.orm import Session

from kernel.event import SHANGHAI
from operations import clock
from operations.errors import NotFound
from playbooks.run.statistics import Day, Record, busiest, days, records
from playbooks.shelf import service
from playbooks.shelf.schema import Shelved
from soc_ui import access, times
from soc_ui.services import services

DAYS = 30
BY_HAND = re.compile(r"by-hand:([1-9][0-9]{0,4})m", re.ASCII)
"""Label of a playbook: so many minutes it takes people to do the same."""
playbook_statistics = Blueprint("playbook_statistics", __name__)


class Line(msgspec.Struct, frozen=True):
    """A playbook in the table. ``saved``: seconds of people's work that its finished runs stand for, None = nobody has said."""

    playbook_id: str
    shelved: Shelved | None
    runs: int
    record: Record
    saved: float | None


@playbook_statistics.get("/playbooks/statistics")
@access.needs("playbooks.read")
def page() -> str:
    """Runs by day and by playbook."""
    since = clock.shift(clock.now(), -DAYS * 86_400)
    with services().database.read() as session:
        by_day = {day.date: day for day in days(session, since)}
        counts = busiest(session, since)
        told = records(session, counts, since)
        lines = [_line(session, playbook_id, counts[playbook_id], told[playbook_id]) for playbook_id in counts]
    today = times.now().astimezone(SHANGHAI)
    dates = [f"{today - timedelta(days=ago):%Y-%m-%d}" for ago in reversed(range(DAYS))]
    shown = [by_day.get(date, Day(date, 0, 0, 0)) for date in dates]
    return render_template(
        "playbooks/statistics.html", days=shown, lines=lines, runs=sum(counts.values()),
        most=max(1, *(day.finished + day.failed + day.others for day in shown)),
        finished=sum(day.finished for day in shown), failed=sum(day.failed for day in shown),
        saved=sum(line.saved for line in lines if line.saved is not None),
    )  # fmt: skip


def _line(session: Session, playbook_id: str, runs: int, record: Record) -> Line:
    try:
        shelved = service.get(session, playbook_id)
    except NotFound:
        return Line(playbook_id, None, runs, record, None)
    minutes = next((int(found[1]) for label in shelved.labels if (found := BY_HAND.fullmatch(label))), None)
    return Line(playbook_id, shelved, runs, record, minutes * 60.0 * record.finished if minutes is not None else None)
