"""``./liandun compliance systems|objects|assess|score SYSTEM``: what is recorded about systems (docs/compliance.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from cli.acting import who
from cli.terminal import print_lines, visible
from compliance.assessment import scoring
from compliance.assessment.record import record_many
from compliance.assessment.schema import Batch, Finding
from compliance.assessment.standing import Standing, standing
from compliance.systems import objects, service
from compliance.systems.schema import ObjectFilter, SystemDraft
from kernel.config import load_config
from kernel.db import Database, open_database, upgrade
from kernel.errors import LiandunError
from kernel.layout import Layout

MOST_OCTETS = 64 << 20
MOST_PAGES = 1000
Print = Callable[[object], None]

data_option = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory (default: LIANDUN_DATA, else var)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def show_systems(data: Path | None, add: Path | None, as_json: bool, print_json: Print) -> None:
    """Every system, after adding those of a file."""
    with opened(data) as database:
        if add is not None:
            drafts = _decoded(add, list[SystemDraft])
            with database.write() as session:
                for draft in drafts:
                    service.create_system(session, who(), draft)
        found, cursor = [], ""
        with database.read() as session:
            for _ in range(MOST_PAGES):
                page = service.list_systems(session, limit=service.MAX_PAGE, cursor=cursor)
                found, cursor = found + page.systems, page.cursor
                if not cursor:
                    break
    if as_json:
        print_json([msgspec.to_builtins(one) | {"level": str(one.level)} for one in found])
        return
    names = ("id", "name", "level", "organisation", "state", "filing", "extensions")
    print_lines(
        names,
        [
            (str(one.id), one.name, str(one.level), one.organisation, one.state, one.filing.number, " ".join(one.extensions))
            for one in found
        ],
        right=("id",),
    )
    click.echo(f"{len(found)} systems", err=True)


def show_objects(data: Path | None, system: str, take_over: bool, as_json: bool, print_json: Print) -> None:
    """The objects of a system, after taking over the inventory of its zones."""
    with opened(data) as database:
        number = find(database, system)
        if take_over:
            with database.write() as session:
                done = objects.take_over_assets(session, who(), number)
            click.echo(f"{done.made} objects made, {done.known} were there", err=True)
            for key, kind in done.unknown.items():
                click.echo(visible(f"asset {key}: what object the kind {kind or '(none)'} is, a person has to say"), err=True)
        found, cursor = [], ""
        with database.read() as session:
            for _ in range(MOST_PAGES):
                page = objects.list_objects(session, number, ObjectFilter(), limit=objects.MAX_PAGE, cursor=cursor)
                found, cursor = found + page.objects, page.cursor
                if not cursor:
                    break
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    lines = [(str(one.id), one.kind, one.name, one.asset, str(one.importance or ""), one.reason) for one in found]
    print_lines(("id", "kind", "name", "asset", "importance", "why"), lines, right=("id",))
    click.echo(f"{len(found)} objects", err=True)


def assess(data: Path | None, system: str, findings: Path | None, as_json: bool, print_json: Print) -> None:
    """Record what probes found, and tell what is left to do."""
    with opened(data) as database:
        number, batch = find(database, system), None
        if findings is not None:
            read = _decoded(findings, list[Finding])
            with database.write() as session:
                batch = record_many(session, who().actor, number, read, source="probe")
        with database.read() as session:
            found = standing(session, number)
    if as_json:
        gaps = [{**msgspec.to_builtins(one), "verdict": one.verdict} for one in found.gaps]
        told = {"system": found.system.name, "classes": found.classes, "gaps": gaps, "hazards": found.hazards}
        print_json(msgspec.to_builtins(told | ({"recorded": batch} if batch else {})))
        return
    _show(found, batch)


def score(data: Path | None, system: str, template: str, keep: bool) -> scoring.Scored:
    """By what is recorded now; kept for the trend where asked."""
    with opened(data) as database:
        number = find(database, system)
        with database.read() as session:
            found = scoring.score(session, number, template)
        if keep:
            with database.write() as session:
                scoring.keep(session, who(), number, template)
        return found


def find(database: Database, system: str) -> int:
    """The id of a system by its name, else its number: a name can have digits only. Raises LiandunError."""
    with database.read() as session:
        named = service.find_named(session, system)
    if named is not None:
        return named.id
    if system.isdecimal() and len(system) <= 18:
        return int(system)
    raise LiandunError(f"there is no system {system[:60]!r}", "`./liandun compliance systems` lists them")


@contextlib.contextmanager
def opened(data: Path | None) -> Iterator[Database]:
    """The state database of a data directory, brought up to date."""
    layout = Layout(data if data is not None else load_config().data_dir).create()
    database = open_database(layout.state_url)
    try:
        upgrade(database)
        yield database
    finally:
        database.close()


def _show(found: Standing, batch: Batch | None) -> None:
    if batch is not None:
        told = f"{batch.recorded} findings recorded, {batch.changed} changed something, {len(batch.drifts)} controls drifted"
        click.echo(told, err=True)
        for place, why in batch.refused.items():
            click.echo(visible(f"finding {place} refused: {why}"), err=True)
    lines = [
        (
            one.item, one.verdict or "none", f"{one.tally.met}/{one.tally.partly}/{one.tally.not_met}/{one.tally.not_applicable}",
            str(one.tally.unassessed), "隐患" if one.hazard else "高风险" if one.high_risk else "", one.zh,
        )
        for one in found.gaps
    ]  # fmt: skip
    print_lines(("clause", "result", "met/partly/not/n.a.", "open", "risk", "requirement"), lines, right=("open",))
    for hazard in found.hazards:
        click.echo(visible(f"重大风险隐患 {hazard.trigger} {hazard.state}  {hazard.zh} {hazard.en}  {hazard.by}"))
    click.echo(f"{len(found.gaps)} of {len(found.items)} items are open or not met", err=True)


def _decoded(file: Path, kind: Any) -> Any:
    with file.open("rb") as handle:
        octets = handle.read(MOST_OCTETS + 1)
    if len(octets) > MOST_OCTETS:
        raise LiandunError(f"{file} is larger than {MOST_OCTETS >> 20} MiB (limit)")
    try:
        return msgspec.json.decode(octets, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LiandunError(f"{file}: {str(error)[:300]}", "docs/compliance.md shows the form") from error
