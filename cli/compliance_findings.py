"""``./liandun compliance findings|waivers``: what is to be mended, by whom, until when (docs/compliance.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from cli.acting import who
from cli.compliance_systems import data_option, find, json_option, opened
from cli.moments import shown
from cli.terminal import print_lines, visible
from compliance.remediation import service, waivers
from compliance.remediation.following import follow
from compliance.remediation.models import WAIVER_STATES
from compliance.remediation.progress import MOST_MONTHS, progress
from compliance.remediation.schema import Assignment, FindingFilter, Waiver, WaiverDraft

MOST_PAGES = 1000


def pages(read: Callable[[str], tuple[list[Any], str]]) -> Iterator[Any]:
    """All rows of a list that comes in pages."""
    cursor = ""
    for _ in range(MOST_PAGES):
        rows, cursor = read(cursor)
        yield from rows
        if not cursor:
            return


def print_json(value: object) -> None:
    """To standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=1).decode())


@click.group("findings")
def findings_command() -> None:
    """What is not or partly met, who mends it, and how that goes on."""


@findings_command.command("list")
@click.argument("system")
@click.option("--state", type=click.Choice(service.SHOWN), help="Only these (default: all that are not closed).")
@click.option("--overdue", is_flag=True, help="Only those whose day has passed.")
@json_option
@data_option
def list_command(system: str, state: str | None, overdue: bool, as_json: bool, data: Path | None) -> None:
    """List the findings of SYSTEM (its number or name), brought up to date with verdicts and tickets."""
    where = FindingFilter(state or "", overdue=overdue)
    with opened(data) as database:
        number = find(database, system)
        with database.write() as session:
            follow(session, number)
        with database.read() as session:

            def read(cursor: str) -> tuple[list[Any], str]:
                page = service.list_findings(session, number, where, limit=service.MAX_PAGE, cursor=cursor)
                return list(page.findings), page.cursor

            found = list(pages(read))
    if as_json:
        print_json(found)
        return
    names = ("id", "clause", "object", "result", "state", "ticket", "owner", "due (UTC+8)", "waived until", "requirement")
    lines = [
        (
            str(one.id), one.item, one.object, one.verdict, one.state + (" !" if one.overdue else ""), str(one.ticket_id or ""),
            " ".join((one.bureau, one.assignee)).strip(), shown(one.due_at), shown(one.waived_until), one.zh,
        )
        for one in found
    ]  # fmt: skip
    print_lines(names, lines, right=("id", "ticket"))
    click.echo(f"{len(found)} findings", err=True)


@findings_command.command("assign")
@click.argument("finding", type=click.IntRange(1))
@click.option("--bureau", help='Organisation (default: the one of the system); "" = the operator.')
@click.option("--assignee", default="", help="User name (default: whoever takes it).")
@click.option("--due", default="", help="Until when, 2027-06-30T00:00:00+08:00 (default: by the weight of the item).")
@click.option("--note", default="", help="What is to be done.")
@json_option
@data_option
def assign_command(finding: int, bureau: str | None, assignee: str, due: str, note: str, as_json: bool, data: Path | None) -> None:
    """Give FINDING to somebody to mend, by a ticket; one that is not done stands."""
    with opened(data) as database, database.write() as session:
        done = service.assign(session, who(), finding, Assignment(bureau, assignee, due, note))
    if as_json:
        print_json(done)
    else:
        click.echo(
            visible(
                f"finding {done.id}: ticket {done.ticket_id} to {done.bureau or 'the operator'}, due {shown(done.due_at)} (UTC+8)"
            )
        )


@findings_command.command("progress")
@click.argument("system")
@click.option("--months", type=click.IntRange(1, MOST_MONTHS), default=12, show_default=True)
@json_option
@data_option
def progress_command(system: str, months: int, as_json: bool, data: Path | None) -> None:
    """Tell by month what was opened, closed, is open and overdue in SYSTEM, and what falls due."""
    with opened(data) as database:
        number = find(database, system)
        with database.write() as session:
            follow(session, number)
        with database.read() as session:
            found = progress(session, number, months)
    if as_json:
        print_json(found)
        return
    names = ("month", "opened", "closed", "open", "overdue")
    print_lines(names, [(one.month, *(str(getattr(one, name)) for name in names[1:])) for one in found.months], right=names[1:])
    print_lines(
        ("due", "owner", "findings"), [(one.month, one.bureau, str(one.findings)) for one in found.plan], right=("findings",)
    )
    click.echo(", ".join(f"{number} {state}" for state, number in found.states.items()), err=True)


@click.group("waivers")
def waivers_command() -> None:
    """Findings that are lived with until a day; neither verdict nor score changes."""


@waivers_command.command("list")
@click.argument("system")
@click.option("--state", type=click.Choice(WAIVER_STATES), default=None)
@json_option
@data_option
def list_waivers_command(system: str, state: str | None, as_json: bool, data: Path | None) -> None:
    """List the waivers of SYSTEM (its number or name)."""
    with opened(data) as database:
        number = find(database, system)
        with database.read() as session:

            def read(cursor: str) -> tuple[list[Any], str]:
                page = waivers.list_waivers(session, number, state or "", limit=waivers.MAX_PAGE, cursor=cursor)
                return list(page.waivers), page.cursor

            found = list(pages(read))
    if as_json:
        print_json(found)
        return
    names = ("id", "finding", "state", "until (UTC+8)", "asked by", "decided by", "reason", "measure")
    lines = [
        (str(one.id), str(one.finding_id), one.state, shown(one.expires_at), one.asked_by, one.decided_by, one.reason, one.measure)
        for one in found
    ]
    print_lines(names, lines, right=("id", "finding"))
    click.echo(f"{len(found)} waivers", err=True)


@waivers_command.command("ask")
@click.argument("finding", type=click.IntRange(1))
@click.option("--reason", required=True, help="Why it cannot be mended now.")
@click.option("--measure", required=True, help="What is done instead.")
@click.option("--until", required=True, help="When it ends, within a year: 2027-06-30T00:00:00+08:00.")
@json_option
@data_option
def ask_command(finding: int, reason: str, measure: str, until: str, as_json: bool, data: Path | None) -> None:
    """Ask for a waiver of FINDING; another person decides."""
    with opened(data) as database, database.write() as session:
        done = waivers.ask(session, who(), finding, WaiverDraft(reason, measure, until))
    _told(done, as_json)


@waivers_command.command("decide")
@click.argument("waiver", type=click.IntRange(1))
@click.option("--approve/--refuse", required=True, default=None)
@click.option("--note", default="", help="What is said about it; needed for a refusal.")
@json_option
@data_option
def decide_command(waiver: int, approve: bool, note: str, as_json: bool, data: Path | None) -> None:
    """Approve or refuse WAIVER, as another user than the one who asked."""
    with opened(data) as database, database.write() as session:
        done = waivers.decide(session, who(), waiver, approve, note)
    _told(done, as_json)


@waivers_command.command("end")
@click.argument("waiver", type=click.IntRange(1))
@click.option("--reason", required=True)
@json_option
@data_option
def end_command(waiver: int, reason: str, as_json: bool, data: Path | None) -> None:
    """End WAIVER before its day."""
    with opened(data) as database, database.write() as session:
        done = waivers.end(session, who(), waiver, reason)
    _told(done, as_json)


def _told(done: Waiver, as_json: bool) -> None:
    if as_json:
        print_json(done)
    else:
        click.echo(visible(f"waiver {done.id} of finding {done.finding_id}: {done.state}, until {shown(done.expires_at)} (UTC+8)"))
