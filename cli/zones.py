"""``./liandun zones``: the zone plan as a file, in and out of the platform."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.orm import Session

from cli import acting
from kernel.config import load_config
from kernel.db import Database, open_database, upgrade
from kernel.errors import LiandunError
from kernel.layout import Layout
from kernel.zones.plan import Draft, ZonePlan, read_draft_file, told, write_plan
from kernel.zones.services import PortRange, port_ranges
from kernel.zones.table import ZoneTable
from operations import clock
from operations.audit.schema import Actor
from operations.errors import Conflict
from operations.zones import service
from operations.zones.publish import PlanPublisher
from operations.zones.schema import Imported

MOST_LISTED = 50

data_option = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory (default: LIANDUN_DATA, else var)."
)


@click.group()
def command() -> None:
    """Security zones, conduits and registered assets (docs/zones.md)."""


replace_option = click.option("--replace", is_flag=True, help="Remove zones and conduits that FILE does not name.")


@command.command("check")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@replace_option
@data_option
def check(file: Path, replace: bool, data: Path | None) -> None:
    """Explain every mistake of a zone plan FILE, and what taking it in would do; changes nothing.

    FILE is looked at together with the plan in force; without a platform in the data directory, as a whole plan of its own.
    """
    draft = read_draft_file(file)
    layout = Layout(data if data is not None else load_config().data_dir)
    if not layout.has_state:
        draft.refuse_mistakes(draft.plan)
        click.echo(f"{file}: sound: {_counts(draft.plan)}")
        return
    with _database(layout) as database:
        done = service.rehearse(database, _actor(), draft, replace=replace)
        with database.read() as session:
            revision = service.current(session)[0]
    click.echo(f"{file}: sound: {_counts(draft.plan)}; taking it in: {_done(done, 'would be ')}")
    _list_changes(done)
    if done.changes and draft.revision is not None and draft.revision < revision:
        click.echo(f"{_moved(file, draft.revision, revision)}: import refuses it without --force")


@command.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@replace_option
@click.option("--force", is_flag=True, help="Also over what was changed since FILE was exported.")
@data_option
def import_plan(file: Path, replace: bool, force: bool, data: Path | None) -> None:
    """Take in a zone plan FILE: what it names is made or changed. Workers use it within two seconds."""
    draft = read_draft_file(file)
    layout = _layout(data)
    since = None if force else draft.revision
    with _database(layout) as database:
        try:
            done = load_plan(database, layout, draft, _actor(), replace=replace, since=since)
        except Conflict as error:
            with database.read() as session:
                moved = _moved(file, draft.revision, service.current(session)[0])
            raise LiandunError(moved, "export it again and make your change there, or --force") from error
    click.echo(f"{done.zones} zones, {done.conduits} conduits, {done.assets} assets taken in: {_done(done)}")
    if done.changes and draft.revision is not None:
        click.echo(f"the plan is revision {done.revision} now: export it again before you change it further")


@command.command("export")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The same as FILE.")
@data_option
def export(file: Path | None, out: Path | None, data: Path | None) -> None:
    """The plan in force, written to FILE (or to the screen) as import reads it."""
    with _reading(data) as session:
        text = write_plan(service.read(session), service.current(session)[0])
    file = file or out
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise LiandunError(f"{file}: cannot be written: {error.strerror}") from error


@command.command("list")
@data_option
def list_zones(data: Path | None) -> None:
    """The zones as a table."""
    with _reading(data) as session:
        plan = service.read(session)
    table = Table()
    table.add_column("id", no_wrap=True)
    for heading in ("name", "layer", "owner", "importance", "ranges", "internet", "admission"):
        table.add_column(heading, overflow="fold")
    for zone in plan.zones:
        ranges = "\n".join(zone.ranges)
        cells = (zone.id, zone.name, zone.layer, zone.owner, str(zone.importance), ranges, zone.internet, zone.admission)
        table.add_row(*map(escape, cells))
    console = Console() if sys.stdout.isatty() else Console(width=240)
    console.print(table)
    click.echo(_counts(plan))


@command.command("ask")
@click.argument("source")
@click.argument("destination")
@click.argument("service_name", metavar="SERVICE")
@data_option
def ask(source: str, destination: str, service_name: str, data: Path | None) -> None:
    """What the plan says of traffic from SOURCE to DESTINATION (addresses) with SERVICE (tcp/443, ssh, icmp)."""
    asked = _asked(service_name)
    with _reading(data) as session:
        table = ZoneTable(service.read(session))
    zones = table.zone_of(source), table.zone_of(destination)
    for text, zone in zip((source, destination), zones, strict=True):
        if not zone:
            raise LiandunError(f"{text} is no address of a host")
    if zones[0] == zones[1]:
        click.echo(f"{zones[0]}: inside one zone, no boundary is crossed")
        return
    lines = []
    for transport, port in asked:
        verdict = table.verdict(*zones, transport, port, clock.now())
        shown = verdict.service if len(asked) == 1 or not port else f"{service_name} ({transport}/{port})"
        by = f" by {verdict.conduit}" if verdict.conduit else ""
        lines.append(f"{zones[0]} > {zones[1]} {shown}: {verdict.verdict}{by}")
    click.echo("\n".join(dict.fromkeys(lines)))


def _asked(service_name: str) -> list[tuple[str, int]]:
    """Transport and port (0 = none) of each way that a service goes. Raises LiandunError for what is no service of single ports."""
    try:
        ranges = port_ranges(service_name)
    except ValueError as error:
        raise LiandunError(str(error)) from error
    asked = []
    for one in ranges:
        bare = one == PortRange(one.transport)
        if not one.transport or (not bare and one.first != one.last):
            raise LiandunError(f"{service_name} has more than one port", "ask for one, e.g. tcp/443")
        asked.append((one.transport, 0 if bare else one.first))
    return asked


def load_plan(
    database: Database, layout: Layout, plan: Draft, actor: Actor, *, replace: bool = False, since: int | None = None
) -> Imported:
    """Store a plan and publish it. Raises PlanError, and Conflict where the plan has moved on from revision ``since``."""
    with database.write() as session:
        done = service.import_plan(session, actor, plan, replace=replace, since=since)
    PlanPublisher(database, layout.zones)()
    return done


def _actor() -> Actor:
    return acting.actor()


def _done(done: Imported, would: str = "") -> str:
    return f"{done.made} {would}made, {done.changed} {would}changed, {done.removed} {would}removed"


def _list_changes(done: Imported) -> None:
    for change in done.changes[:MOST_LISTED]:
        click.echo(f"  {change.act} {told(change.kind, change.id, ', '.join(change.fields)).removesuffix(': ')}")
    more = done.made + done.changed + done.removed - MOST_LISTED
    if more > 0:
        click.echo(f"  and {more} more")


def _moved(file: Path, written: int | None, now: int) -> str:
    return f"{file}: was exported as revision {written}, the plan in force is revision {now}: somebody has changed it since"


def _counts(plan: ZonePlan) -> str:
    return f"{len(plan.zones)} zones, {len(plan.conduits)} conduits, {len(plan.assets)} registered assets"


def _layout(data: Path | None) -> Layout:
    return Layout(data if data is not None else load_config().data_dir).create()


@contextlib.contextmanager
def _database(layout: Layout) -> Iterator[Database]:
    database = open_database(layout.state_url)
    try:
        upgrade(database)
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def _reading(data: Path | None) -> Iterator[Session]:
    with _database(_layout(data)) as database, database.read() as session:
        yield session
