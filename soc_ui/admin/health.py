"""``/health``: the platform's processes, spool, disk, clock, audit trail and backups. ``/health/licences``: what it is built of."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import distributions

import msgspec
from flask import Blueprint, render_template, request

from operations import clock
from operations.audit import service as audit
from soc_ui import access
from soc_ui.services import PlatformHealth, services

DISK_WARNING, DISK_ALARM = 0.8, 0.9
CLOCK_LIMIT = 1.0
"""Seconds: beyond it, records of different machines cannot be put into order (GB/T 22239-2019 8.1.5.4 d asks for one time)."""
BACKUP_DAYS = 7
health = Blueprint("health", __name__)


class Package(msgspec.Struct, frozen=True):
    """A package that is installed beside the platform."""

    name: str
    version: str
    licence: str
    home: str


@health.get("/health")
@access.needs("platform.read")
def page() -> str:
    """Everything on one page."""
    found = services().platform()
    with services().database.read() as session:
        backups = audit.listing(session, action="backup.create", result="success", limit=1).entries
    return render_template(
        "admin/health.html",
        found=found,
        disk=disk_used(found),
        warning=DISK_WARNING,
        alarm=DISK_ALARM,
        clock_limit=CLOCK_LIMIT,
        backup=backups[0] if backups else None,
        backup_old=bool(backups) and backups[0].time < clock.shift(clock.now(), -BACKUP_DAYS * 86_400),
        sources=services().health(),
        statistics=services().store.statistics(),
        version=services().version,
    )


@health.get("/health/licences")
@access.needs("platform.read")
def licences() -> str:
    """Every Python package of the environment, by name; ``q=`` looks in name and licence."""
    wanted = request.args.get("q", "").casefold()[:64]
    found = [one for one in packages() if wanted in f"{one.name} {one.licence}".casefold()]
    return render_template("admin/licences.html", packages=found, everything=len(packages()))


def disk_used(found: PlatformHealth) -> float:
    """Share of the disk that is in use, 0 to 1."""
    return 1 - found.disk_free / found.disk_size if found.disk_size else 0.0


@cache
def packages() -> tuple[Package, ...]:
    """Read once: what is installed does not change while the process runs."""
    found = {}
    for one in distributions():
        about = one.metadata
        name = about["Name"]
        named = about["License-Expression"] or _classified(about.get_all("Classifier") or []) or (about["License"] or "")
        urls = dict(re.split(r",\s*", line, maxsplit=1) for line in about.get_all("Project-URL") or () if "," in line)
        home = about["Home-page"] or urls.get("Homepage") or urls.get("Source") or urls.get("Repository") or ""
        found[name.casefold()] = Package(name, one.version, named.strip().splitlines()[0][:80] if named.strip() else "", home)
    return tuple(found[name] for name in sorted(found))


def _classified(classifiers: list[str]) -> str:
    return ", ".join(one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License ::"))
