"""The folder a Suricata run works in: rules copied into it, and owned by an account that may do nothing else.

Suricata parses hostile bytes, so as root we hand it over to ``nobody``; copies spare that account any access to our own files.
In a folder that account owns we write nothing and follow no link afterwards.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from collectors.suricata.config import CONTENT

ACCOUNT = "nobody"


def copy_rules(rules: Sequence[Path], workdir: Path, report: Callable[[str], None]) -> dict[str, str]:
    """Copy rule files and our content into the work folder; returns copy → original."""
    for name in ("classification.config", "reference.config"):
        _copy(CONTENT / name, workdir / name)
    names: dict[str, str] = {}
    for number, original in enumerate(rules):
        copy = workdir / f"{number:04d}.rules"
        try:
            _copy(original, copy)
        except OSError as error:
            report(f"{original}: rules cannot be read: {error.strerror}")
            continue
        names[str(copy)] = str(original)
    return names


def _copy(original: Path, copy: Path) -> None:
    """Copy at one stroke: a Suricata that is reading the earlier copy must not see half a file."""
    fresh = copy.with_suffix(".new")
    shutil.copyfile(original, fresh)
    fresh.chmod(0o644)
    fresh.replace(copy)


def give_away(workdir: Path) -> dict[str, Any]:
    """As root: make ``nobody`` the owner of the work folder; returns what Popen needs to run as that account. Otherwise {}."""
    if os.geteuid() != 0 or not reachable(workdir):
        return {}
    try:
        account = pwd.getpwnam(ACCOUNT)
    except KeyError:
        return {}
    for entry in (workdir, *workdir.rglob("*")):
        os.chown(entry, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def reachable(workdir: Path) -> bool:
    """True when every folder above may be entered by anybody."""
    return all(parent.stat().st_mode & 0o001 for parent in workdir.resolve().parents if parent.exists())
