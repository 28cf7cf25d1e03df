"""A scan: a ticket to the operator with the targets and the time window."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.services.issue.means import Means
from operations.services.issue.onboarding import address
from operations.services.models import Application
from operations.services.periods import DAY
from operations.services.schema import Grant
from operations.tickets import service as tickets
from operations.tickets.schema import Draft, Link

_DAYS = 7


def subject(form: dict[str, Any]) -> str:
    """In one line. Raises Invalid for a target that is none."""
    for one in form["targets"]:
        address(one, "targets")
    return f"{form['zone']}: {' '.join(form['targets'])}"[:200]


def issue(session: Session, who: Principal, application: Application, form: dict[str, Any], _means: Means) -> Grant:
    """The ticket, due within a week."""
    draft = Draft(
        kind="remediation",
        title=f"漏洞扫描 {application.bureau} #{application.id}"[:200],
        body="\n".join(("目标 targets:", *form["targets"], f"时间窗口 window: {form['window']}", form["reason"])),
        due_at=clock.shift(clock.now(), _DAYS * DAY),
        zones=(form["zone"],),
        links=(Link("application", str(application.id)),),
    )
    made = tickets.create(session, msgspec.structs.replace(who, zones=None), draft)
    return Grant("ticket", str(made.id), {"ticket": made.id})
