"""``./liandun zones``: the zone plan as a file, in and out of the platform."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.orm import Session

from kernel.config import load_config
from kernel.db import Database, open_database, upgrade
from kernel.errors import LiandunError
from kernel.layout import Layout
from kernel.zones.plan import ZonePlan, read_plan_file, write_plan
from kernel.zones.table import ZoneTable
from operations import clock
from operations.audit.schema import Actor
from operations.zones import service
from operations.zones.publish import PlanPublisher

data_option = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory (default: LIANDUN_DATA, else var)."
)


@click.group()
def command() -> None:
    """Security zones, conduits and registered assets (docs/zones.md)."""


@command.command("check")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Explain every mistake of a zone plan FILE; changes nothing."""
    plan = read_plan_file(file)
    click.echo(f"{file}: sound: {_counts(plan)}")


@command.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Remove zones and conduits that FILE does not name.")
@data_option
def import_plan(file: Path, replace: bool, data: Path | None) -> None:
    """Take in a zone plan FILE: what it names is made or changed. Workers use it within two seconds."""
    plan = read_plan_file(file)
    layout = _layout(data)
    with _database(layout) as database:
        done = load_plan(database, layout, plan, Actor(f"cli:{getpass.getuser()}"), replace=replace)
    click.echo(f"{done.zones} zones, {done.conduits} conduits, {done.assets} assets taken in, {done.removed} removed")


@command.command("export")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of to the screen.")
@data_option
def export(out: Path | None, data: Path | None) -> None:
    """The plan in force, as a file that import reads."""
    with _reading(data) as session:
        text = write_plan(service.read(session))
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")


@command.command("list")
@data_option
def list_zones(data: Path | None) -> None:
    """The zones as a table."""
    with _reading(data) as session:
        plan = service.read(session)
    table = Table("id", "name", "layer", "owner", "importance", "ranges", "internet", "admission")
    for zone in plan.zones:
        ranges = "\n".join(zone.ranges)
        cells = (zone.id, zone.name, zone.layer, zone.owner, str(zone.importance), ranges, zone.internet, zone.admission)
        table.add_row(*map(escape, cells))
    Console().print(table)
    click.echo(_counts(plan))


@command.command("ask")
@click.argument("source")
@click.argument("destination")
@click.argument("service_name", metavar="SERVICE")
@data_option
def ask(source: str, destination: str, service_name: str, data: Path | None) -> None:
    """What the plan says of traffic from SOURCE to DESTINATION (addresses) with SERVICE (tcp/443)."""
    from_transport, _, port = service_name.partition("/")
    if port and not port.isdecimal():
        raise click.BadParameter("write e.g. tcp/443", param_hint="SERVICE")
    with _reading(data) as session:
        table = ZoneTable(service.read(session))
    zones = table.zone_of(source), table.zone_of(destination)
    for text, zone in zip((source, destination), zones, strict=True):
        if not zone:
            raise LiandunError(f"{text} is no address of a host")
    if zones[0] == zones[1]:
        click.echo(f"{zones[0]}: inside one zone, no boundary is crossed")
        return
    verdict = table.verdict(*zones, from_transport, int(port or 0), clock.now())
    click.echo(
        f"{zones[0]} > {zones[1]} {verdict.service}: {verdict.verdict}" + (f" by {verdict.conduit}" if verdict.conduit else "")
    )


def load_plan(database: Database, layout: Layout, plan: ZonePlan, actor: Actor, *, replace: bool = False) -> service.Imported:
    """Store a plan and publish it. Raises Invalid."""
    with database.write() as session:
        done = service.import_plan(session, actor, plan, replace=replace)
    PlanPublisher(database, layout.zones)()
    return done


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
