"""Forms of tickets: what a person typed."""

from __future__ import annotations

from werkzeug.datastructures import FileStorage, MultiDict

from operations.errors import Invalid
from operations.tickets.models import KINDS, LEVELS, STATES
from operations.tickets.schema import Act, Draft, Link, TicketFilter
from operations.tickets.service import MAX_ATTACHMENT
from soc_ui import times

MAX_TEXT = 200


def filter_from(args: MultiDict[str, str], my_name: str) -> TicketFilter:
    """The filter that the URL asks for."""
    kind, value = args.get("about", "").partition(":")[::2]
    return TicketFilter(
        state=_known(args.get("state", ""), STATES),
        kind=_known(args.get("kind", ""), KINDS),
        level=_known(args.get("level", ""), LEVELS),
        bureau=args.get("bureau", "")[:128],
        mine=my_name if args.get("mine") else "",
        overdue=bool(args.get("overdue")),
        text=args.get("q", "")[:MAX_TEXT],
        link=Link(kind[:16], value[:128]) if value else None,
    )


def draft_from(form: MultiDict[str, str]) -> Draft:
    """The new ticket of a form. Raises Invalid for a moment or a link that is none."""
    return Draft(
        kind=form.get("kind", ""),
        title=form.get("title", ""),
        body=form.get("body", ""),
        level=form.get("level", ""),
        bureau=form.get("bureau", ""),
        assignee=form.get("assignee", "").strip(),
        due_at=_moment(form.get("due_at", ""), "due_at"),
        zones=tuple(form.getlist("zones")),
        links=tuple(_link(line) for line in form.get("links", "").split()),
    )


def act_from(form: MultiDict[str, str]) -> Act:
    """The act of a button, with the fields that belong to it."""
    act = form.get("act", "")
    given = Act(act=act, note=form.get("note", ""))
    if act == "transfer":
        bureau = form.get("bureau")
        return Act(act=act, note=given.note, assignee=form.get("assignee", "").strip(), bureau=bureau)
    if act == "delegate":
        until = _moment(form.get("until", ""), "until")
        return Act(act=act, note=given.note, assignee=form.get("assignee", "").strip(), until=until)
    if act == "edit":
        until = _moment(form.get("until", ""), "until")
        return Act(act=act, note=given.note, until=until, title=form.get("title"), body=form.get("body"), level=form.get("level"))
    return given


def attachment_from(form: MultiDict[str, str], file: FileStorage | None) -> tuple[str, str]:
    """Name and text of an attachment: a file of text, or what was pasted. Raises Invalid for a file that is no text."""
    if file is None or not file.filename:
        return form.get("name", ""), form.get("text", "")
    content = file.stream.read(MAX_ATTACHMENT + 1)
    for encoding in ("utf-8", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text and len(content) <= MAX_ATTACHMENT:
            return form.get("name", "").strip() or file.filename, text
    raise Invalid(f"an attachment is a text of 1 to {MAX_ATTACHMENT} bytes", field="text")


def _link(line: str) -> Link:
    kind, _, value = line.partition(":")
    return Link(kind, value)


def _moment(text: str, field: str) -> str:
    try:
        return times.typed(text.strip())
    except times.TimeRangeError as error:
        raise Invalid(f"{field}: {text[:40]!r} is no moment", field=field) from error


def _known(value: str, among: tuple[str, ...]) -> str:
    return value if value in among else ""
