"""What the forms of the compliance pages say, as drafts."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from compliance.systems.schema import Filing, ObjectDraft, Responsible, SystemDraft, SystemRecord
from operations.errors import Invalid
from soc_ui import times
from soc_ui.numbers import row_id

_MOST_LINES = 100


def system_draft(form: MultiDict[str, str]) -> SystemDraft:
    """A system. Raises Invalid for a line of people that cannot be read."""
    plain = {name: form.get(name, "") for name in ("name", "level", "organisation", "description")}
    return SystemDraft(
        **plain, extensions=tuple(form.getlist("extensions")[:16]), zones=tuple(form.getlist("zones")[:200]),
        people=_people(form.get("people", "")), state=form.get("state", "running"),
        filing=Filing(*(form.get(f"filing_{name}", "") for name in ("number", "date", "authority", "organisation"))),
    )  # fmt: skip


def people_lines(system: SystemRecord) -> str:
    """The people of a system as the form shows them."""
    return "\n".join("; ".join(filter(None, (one.duty, one.name, one.contact))) for one in system.people)


def object_draft(form: MultiDict[str, str]) -> ObjectDraft:
    """An object."""
    plain = {name: form.get(name, "") for name in ("kind", "name", "asset", "note")}
    return ObjectDraft(**plain, importance=form.get("importance", 0, row_id))


def moment(text: str, field: str) -> str:
    """@timestamp text of a field of the form, "" for nothing. Raises Invalid."""
    try:
        return times.typed(text.strip())
    except times.TimeRangeError as error:
        raise Invalid(f"{field}: {text[:40]!r} is no moment", field=field) from error


def _people(text: str) -> tuple[Responsible, ...]:
    found = []
    for line in text.replace("；", ";").splitlines()[:_MOST_LINES]:
        if not line.strip():
            continue
        duty, _sign, rest = line.partition(";")
        name, _sign, contact = rest.partition(";")
        if not name.strip():
            raise Invalid(f"{line[:60]!r} names nobody", "write leader; name; telephone", field="people")
        found.append(Responsible(duty.strip(), name.strip(), contact.strip()))
    return tuple(found)
