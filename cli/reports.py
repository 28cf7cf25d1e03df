"""``./liandun reports``: list, make, verify and export operations reports (docs/reports.md)."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from cli import acting
from cli.data_directory import config_of, state_of
from cli.moments import shown
from cli.terminal import print_lines, visible
from kernel.db import Database
from kernel.errors import LiandunError
from kernel.master_key import open_master_key
from kernel.store.open import open_store
from operations import clock
from operations.audit.schema import Actor
from operations.documents.pdf import LayoutError
from operations.reports import listing, signing
from operations.reports.making import LANGUAGES, Means, make
from operations.reports.periods import KINDS, holding, today
from operations.reports.schema import ReportFilter, ReportRecord
from operations.reports.signing import Verdict

MOST_LISTED = 1_000
_DATA = click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory, default as configured.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_DAY = click.DateTime(["%Y-%m-%d"])
_NUMBER = click.IntRange(1, 2**63 - 1)


@click.group()
def command() -> None:
    """List, make, verify and export operations reports (docs/reports.md)."""


@command.command("list")
@click.option("--kind", type=click.Choice(KINDS), help="Only reports of this kind.")
@click.option("--since", type=_DAY, help="Only reports issued on this day (Asia/Shanghai) or later.")
@click.option("--limit", type=click.IntRange(1, MOST_LISTED), default=50, show_default=True, help="The newest so many.")
@_DATA
@_JSON
def list_command(kind: str | None, since: datetime | None, limit: int, data: Path | None, as_json: bool) -> None:
    """Show archived reports, newest first."""
    start = holding("daily", since.date()).bounds[0] if since else ""
    with state_of(config_of(data)) as database:
        found, more = _newest(database, ReportFilter(kind=kind or "", start=start), limit)
    if as_json:
        _print_json([msgspec.to_builtins(one) for one in found])
        return
    rows = [
        (str(one.id), one.kind, one.period, one.organisation or "-", one.origin, shown(one.issued_at), one.issued_by)
        for one in found
    ]
    print_lines(("number", "kind", "period", "organisation", "origin", "issued (UTC+8)", "by"), rows, right=("number",))
    if more:
        click.echo(f"only the newest {limit}; there are more (--limit)")


@command.command("make")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("day", type=_DAY, required=False)
@click.option("--for", "organisation", default="", help="The organisation that it is about (default: the city).")
@click.option("--language", type=click.Choice(LANGUAGES), default="zh", show_default=True, help="Language of its texts.")
@_DATA
@_JSON
def make_command(kind: str, day: datetime | None, organisation: str, language: str, data: Path | None, as_json: bool) -> None:
    """Make the report of the period that DAY (as 2026-11-25) lies in; without DAY, of the newest period that is over."""
    config = config_of(data)
    with state_of(config) as database, contextlib.closing(open_store(config, writable=False)) as store:
        means = Means(store, open_master_key(config), config.platform.city or "莲盾 Liandun")
        try:
            made = make(database, means, _actor(), kind, _day_of(kind, day), organisation=organisation, language=language)
        except LayoutError as error:
            raise LiandunError(f"the report cannot be laid out: {error}") from error
    if as_json:
        _print_json(msgspec.to_builtins(made))
    else:
        click.echo(f"report {made.id}: {made.kind}, {made.period}, {visible(made.organisation) or 'the city'}: issued and signed")


@command.command("verify")
@click.argument("number", type=_NUMBER)
@_DATA
@_JSON
def verify_command(number: int, data: Path | None, as_json: bool) -> None:
    """Check signature, certificate and files of report NUMBER; exit code 1 where one is not what was issued."""
    with state_of(config_of(data)) as database, database.read() as session:
        verdict = signing.verify(session, listing.find(session, number))
    broken = _broken(verdict)
    if as_json:
        _print_json({"id": number, "ok": verdict.good, "broken": broken, **msgspec.to_builtins(verdict)})
    if broken:
        raise click.ClickException(f"report {number} is not what was issued: {', '.join(broken)}")
    if not as_json:
        click.echo(f"report {number}: signature, certificate and {', '.join(verdict.files)} are what was issued")


@command.command("export")
@click.argument("number", type=_NUMBER)
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(listing.FORMATS), help="Default: the ending of TARGET.")
@_DATA
def export_command(number: int, target: Path, form: str | None, data: Path | None) -> None:
    """Write report NUMBER as PDF, DOCX or XLSX into the new file TARGET (mode 0600); audited as a download is."""
    chosen = form or target.suffix.lower().removeprefix(".")
    if chosen not in listing.FORMATS:
        raise LiandunError(f"{target}: its ending names no form of a report", "end it with .pdf, .docx or .xlsx, or say --format")
    if os.path.lexists(target):
        raise LiandunError(f"{target} exists and is not overwritten", "give another name")
    with state_of(config_of(data)) as database, database.write() as session:
        octets = listing.read_file(session, _actor(), number, chosen)[1]
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
    click.echo(f"{target}: {len(octets)} bytes")


def _newest(database: Database, where: ReportFilter, limit: int) -> tuple[list[ReportRecord], bool]:
    """At most ``limit``, page by page, and whether there are more."""
    found: list[ReportRecord] = []
    cursor = ""
    with database.read() as session:
        while True:
            page = listing.list_reports(session, where, limit=min(limit - len(found), listing.MAX_PAGE), cursor=cursor)
            found += page.reports
            cursor = page.cursor
            if not cursor or len(found) >= limit:
                return found, bool(cursor)


def _day_of(kind: str, day: datetime | None) -> date:
    return day.date() if day else holding(kind, today(clock.now())).before.first


def _broken(verdict: Verdict) -> list[str]:
    parts = {"signature": verdict.signature, "certificate": verdict.certificate, **verdict.files}
    return [name for name, good in parts.items() if not good]


def _actor() -> Actor:
    return acting.actor()


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))
