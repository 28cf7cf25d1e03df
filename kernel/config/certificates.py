"""[certificates]: warning before certificates end."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kernel.config.mistakes import Mistakes


class Certificates(msgspec.Struct, forbid_unknown_fields=True):
    """[certificates] — warning before certificates end. See docs/certificates.md.

    warn_days      distances in days at which a warning is raised; the smaller, the more urgent
    watch          further files (PEM) to look at, e.g. of the proxy before the console; those of [links] always are
    check_seconds  how often the scheduler looks
    """

    warn_days: list[int] = msgspec.field(default_factory=lambda: [30, 7, 1])
    watch: list[Path] = []
    check_seconds: int = 60


def check_certificates(certificates: Certificates, mistakes: Mistakes) -> None:
    days = certificates.warn_days
    if not 1 <= len(days) <= 10 or any(not 1 <= one <= 3650 for one in days):
        mistakes.add("certificates.warn_days", "1 to 10 numbers of days, each 1 to 3650, e.g. [30, 7, 1]")
    if not 1 <= certificates.check_seconds <= 86_400:
        mistakes.add("certificates.check_seconds", f"{certificates.check_seconds} is not between 1 and 86400")
