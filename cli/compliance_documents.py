"""``./liandun compliance documents``: policies, procedures and records with their editions (docs/compliance.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.acting import who
from cli.compliance_findings import pages, print_json
from cli.compliance_systems import data_option, find, json_option, opened
from cli.data_directory import config_of
from cli.terminal import print_lines, visible
from compliance.documents import covering, editions, readers, service
from compliance.documents.media import MOST_BYTES
from compliance.documents.models import KINDS
from compliance.documents.schema import DocumentDraft, DocumentFilter, EditionDraft
from crypto.private_file import write_private
from kernel.errors import LiandunError
from kernel.master_key import open_master_key

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("documents")
def documents_command() -> None:
    """Management documents: editions with approval, review and readers, and the items that have none."""


@documents_command.command("list")
@click.option("--item", default="", help="About this item of the catalogue.")
@click.option("--review-by", default="", help="To be reviewed until this day: 2026-12-31.")
@json_option
@data_option
def list_command(item: str, review_by: str, as_json: bool, data: Path | None) -> None:
    """List the documents, last changed first."""
    where = DocumentFilter(item=item, review_by=review_by)
    with opened(data) as database, database.read() as session:

        def read(cursor: str) -> tuple[list[Any], str]:
            page = service.list_documents(session, where, limit=service.MAX_PAGE, cursor=cursor)
            return list(page.documents), page.cursor

        found = list(pages(read))
    if as_json:
        print_json(found)
        return
    names = ("id", "kind", "title", "organisation", "owner", "state", "edition", "review", "items")
    lines = [
        (
            str(one.id), one.kind, one.title, one.organisation, one.owner, one.state, str(one.in_force or ""),
            one.review_on + (" !" if one.review_overdue else ""), " ".join(one.items),
        )
        for one in found
    ]  # fmt: skip
    print_lines(names, lines, right=("id", "edition"))
    click.echo(f"{len(found)} documents", err=True)


@documents_command.command("show")
@click.argument("document", type=click.IntRange(1))
@json_option
@data_option
def show_command(document: int, as_json: bool, data: Path | None) -> None:
    """Show the editions of DOCUMENT, whether their files are in order, and who has read the one in force."""
    with opened(data) as database, database.read() as session:
        found = service.get_document(session, document)
        problems = {one.number: editions.verify(session, document, one.number) for one in found.editions}
        in_force = found.document.in_force
        read = readers.readers(session, document, in_force) if in_force else []
        reference = covering.cite(session, document) if in_force else ""
    if as_json:
        print_json({"document": found, "problems": problems, "readers": read, "reference": reference})
        return
    click.echo(visible(f"{found.document.id}  {found.document.title}  {found.document.state}  {' '.join(found.document.items)}"))
    names = ("edition", "label", "state", "file", "bytes", "SM3", "added by", "approved by", "seal")
    lines = [
        (
            str(one.number), one.label, one.state, one.file_name, str(one.size), one.sm3, one.added_by, one.approved_by,
            problems[one.number] or "in order",
        )
        for one in found.editions
    ]  # fmt: skip
    print_lines(names, lines, right=("edition", "bytes"))
    if in_force:
        click.echo(visible(f"evidence  {reference}"))
        print_lines(("reader", "read at"), [(one.name, one.at or "not yet") for one in read])


@documents_command.command("add")
@click.argument("title")
@click.option("--kind", type=click.Choice(KINDS), default="policy", show_default=True)
@click.option("--owner", required=True, help="Who keeps it up to date.")
@click.option("--organisation", default="", help="Whose it is (default: the operator).")
@click.option("--item", "items", multiple=True, help="Item of the catalogue that it is about; may be given again.")
@json_option
@data_option
def add_command(
    title: str, kind: str, owner: str, organisation: str, items: tuple[str, ...], as_json: bool, data: Path | None
) -> None:
    """Make a document TITLE; its text comes with its first edition."""
    with opened(data) as database, database.write() as session:
        done = service.create_document(session, who(), DocumentDraft(kind, title, owner, organisation, "", items))
    if as_json:
        print_json(done)
    else:
        click.echo(visible(f"document {done.id}: {done.title}"))


@documents_command.command("edition")
@click.argument("document", type=click.IntRange(1))
@click.argument("file", type=_FILE)
@click.option("--label", required=True, help="As the paper has it: V2.1.")
@click.option("--change", default="", help="What is new.")
@json_option
@data_option
def edition_command(document: int, file: Path, label: str, change: str, as_json: bool, data: Path | None) -> None:
    """Add FILE as a new edition of DOCUMENT, a draft. Files are kept sealed."""
    with file.open("rb") as handle:
        content = handle.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise LiandunError(f"{file} is larger than {MOST_BYTES >> 20} MiB (limit)")
    key = open_master_key(config_of(data))
    with opened(data) as database, database.write() as session:
        done = editions.add_edition(session, key, who(), document, EditionDraft(label, file.name, change), content)
    if as_json:
        print_json(done)
    else:
        click.echo(visible(f"document {document}: edition {done.number} ({done.media}, {done.size} bytes), SM3 {done.sm3}"))


@documents_command.command("act")
@click.argument("document", type=click.IntRange(1))
@click.argument("edition", type=click.IntRange(1))
@click.argument("what", type=click.Choice(editions.ACTS))
@click.option("--note", default="", help="Why; needed to withdraw.")
@click.option("--review-on", default="", help="Day of the next review, to enforce and to confirm: 2027-06-30.")
@json_option
@data_option
def act_command(document: int, edition: int, what: str, note: str, review_on: str, as_json: bool, data: Path | None) -> None:
    """Approve an EDITION (as another user than who added it), put it in force, review, confirm or withdraw it."""
    with opened(data) as database, database.write() as session:
        done = editions.act(session, who(), document, edition, what, note=note, review_on=review_on)
    if as_json:
        print_json(done)
    else:
        shown = next(one for one in done.editions if one.number == edition)
        click.echo(visible(f"document {document}: edition {edition} is {shown.state}, review {done.document.review_on or '-'}"))


@documents_command.command("open")
@click.argument("document", type=click.IntRange(1))
@click.argument("edition", type=click.IntRange(1))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@data_option
def open_command(document: int, edition: int, target: Path, data: Path | None) -> None:
    """Write the file of an EDITION to TARGET, which must not be there yet; this is audited."""
    if target.exists():
        raise LiandunError(f"{target} is there already", "name another file")
    key = open_master_key(config_of(data))
    with opened(data) as database, database.write() as session:
        shown, content = editions.open_file(session, key, who(), document, edition)
    write_private(target, content, new=True)
    click.echo(visible(f"{target}: {shown.file_name}, SM3 {shown.sm3}"))


@documents_command.command("lacking")
@click.argument("system")
@json_option
@data_option
def lacking_command(system: str, as_json: bool, data: Path | None) -> None:
    """List the management items of SYSTEM (its number or name) for which no document is in force."""
    with opened(data) as database:
        number = find(database, system)
        with database.read() as session:
            found = covering.coverage(session, number)
    lacking = [one for one in found if one.lacking]
    if as_json:
        print_json([{"item": one.item, "class": one.security_class, "zh": one.zh, "en": one.en} for one in lacking])
        return
    print_lines(("clause", "requirement"), [(one.item, one.zh) for one in lacking])
    click.echo(f"{len(lacking)} of {len(found)} management items have no document in force", err=True)
