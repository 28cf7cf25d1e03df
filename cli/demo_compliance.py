"""The demonstration looks at itself: the platform is one of its MLPS systems, probed as soon as the scheduler runs."""

from __future__ import annotations

from cli.compliance_self import set_up
from kernel.db import Database
from operations.accounts.schema import Principal

_OFFICER = Principal(0, "演示安全管理员", "", "secadmin")


def begin_with_self(database: Database) -> None:
    """Enter it; the daily probes of the scheduler find it due at once. Nothing is looked at here: a start must not wait."""
    set_up(database, _OFFICER)
