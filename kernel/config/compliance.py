"""[compliance]: files that are handed in for daily probes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kernel.config.mistakes import Mistakes


class Compliance(msgspec.Struct, forbid_unknown_fields=True):
    """[compliance] — see docs/compliance.md, Daily probes.

    folder     below it lie the files that targets may name; without one there are only files that are brought to a target
    file_days  an older file is not judged any more
    """

    folder: Path | None = None
    file_days: int = 35


def check_compliance(compliance: Compliance, mistakes: Mistakes) -> None:
    if compliance.folder is not None and not compliance.folder.is_absolute():
        mistakes.add("compliance.folder", "must be a whole path")
    if not 1 <= compliance.file_days <= 366:
        mistakes.add("compliance.file_days", f"{compliance.file_days} is not between 1 and 366")
