"""The demonstration looks at itself: the platform is one of its MLPS systems, probed once all of its processes run."""

from __future__ import annotations

from cli.compliance_self import set_up
from kernel.db import Database
from operations.accounts.schema import Principal

SECONDS = 90.0
"""Until the first look: the worker has loaded its rules by then, and what is looked at is a platform that runs."""
_OFFICER = Principal(0, "演示安全管理员", "", "secadmin")


def begin_with_self(database: Database) -> None:
    """Enter it; the scheduler looks at it. Nothing is looked at here: a start must not wait for it."""
    set_up(database, _OFFICER, after=SECONDS)
