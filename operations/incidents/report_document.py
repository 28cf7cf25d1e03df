"""What an incident report says, as a document of operations.documents. Pure: everything comes in as records.

The parts are those that the reporting measures of 2025 ask for, as remembered (data/report.yaml, to be confirmed).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from kernel.event import SHANGHAI
from operations import clock
from operations.documents import Block, Bullets, Document, Facts, Heading, Paragraph, Table
from operations.incidents.catalogue import class_name, data, level_name
from operations.incidents.schema import Action, Affected, Entry, IncidentDetail, Indicator, Review, TaskRecord
from operations.incidents.tasks import title_of

MOST_ROWS = 200


class Material(msgspec.Struct, frozen=True):
    """Everything that a report is made of; ``zones`` are (id, name)."""

    detail: IncidentDetail
    tasks: Sequence[TaskRecord]
    entries: Sequence[Entry]
    indicators: Sequence[Indicator]
    assets: Sequence[Affected]
    review: Review
    actions: Sequence[Action]
    zones: Sequence[tuple[str, str]]


def document(material: Material, kind: str, number: str, issued_at: str, issuer: str, language: str) -> Document:
    """The report ``number`` of a kind (initial, progress, closing). Times are those of the city."""
    row, table = material.detail.incident, data("report")
    say = _Words(language)
    blocks: list[Block] = [Heading(say("basics")), _basics(material, number, say), Heading(say("known"))]
    blocks.append(Paragraph(material.detail.description or say("unknown")))
    blocks += [
        Heading(say("affected")),
        *_affected(material.assets, say),
        Heading(say("measures")),
        *_measures(material.tasks, say),
    ]
    blocks += [Heading(say("signs")), *_signs(material.indicators, say)]
    if kind != "initial":
        blocks += [Heading(say("course")), *_course(material.entries, say)]
    if kind == "closing":
        blocks += [Heading(say("review")), *_review(material, say)]
    blocks.append(Paragraph(f"※ {say('confirm')}: {table['source']}"))
    return Document(
        title=table["titles"][kind][language],
        subtitle=f"{number} · {row.title}",
        blocks=tuple(blocks),
        issuer=f"{say('issuer')} · {issuer}",
        issued=say.time(issued_at),
        marking=say("drill") if row.drill else "",
        language=language,
    )


class _Words:
    """Texts of the data file in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, group: str = "words") -> str:
        entry = data("report")[group].get(key)
        return str(entry[self.language]) if entry else key

    def time(self, moment: str) -> str:
        """As the city's clocks show it."""
        return f"{clock.moment(moment).astimezone(SHANGHAI):%Y-%m-%d %H:%M} (UTC+8)" if moment else self("unknown")


def _basics(material: Material, number: str, say: _Words) -> Facts:
    detail, row = material.detail, material.detail.incident
    code, level = row.class_code or row.suggested_class, row.level or row.suggested_level
    open_ = "" if row.level else say("suggested")
    recipient = data("deadlines")["recipients"][row.operator][say.language]
    decided = f"{detail.decided_by} {say.time(detail.decided_at)}" if row.level else say("unknown")
    return Facts(
        (
            (say("report"), number),
            (say("number"), row.number),
            (say("title"), row.title),
            (say("organisations"), "、".join(row.organisations) or say("unknown")),
            (say("operator"), say(row.operator, "operators")),
            (say("recipient"), recipient),
            (say("zones"), "、".join(name for _id, name in material.zones) or say("unknown")),
            (say("occurred"), say.time(row.occurred_at)),
            (say("detected"), say.time(row.detected_at)),
            (say("source"), say(detail.origin, "origins") + (f" · {detail.reporter}" if detail.reporter else "")),
            (say("class"), (class_name(code, say.language) or say("unknown")) + open_),
            (say("level"), level_name(level, say.language) + open_),
            (say("decided"), decided),
            (say("phase"), say(row.phase, "phases")),
        )
    )


def _affected(assets: Sequence[Affected], say: _Words) -> list[Block]:
    columns = tuple(say(name) for name in ("name", "layer", "organisation", "state", "impact"))
    rows = [(one.name, say(one.layer, "layers"), one.organisation, say(one.state, "states"), one.impact) for one in assets]
    return _table(columns, rows, (3, 2, 2, 2, 4), say)


def _measures(tasks: Sequence[TaskRecord], say: _Words) -> list[Block]:
    columns = tuple(say(name) for name in ("phase", "task", "state", "done", "result"))
    rows = [
        (
            say(task.phase, "phases"),
            title_of(task, say.language),
            say(task.status, "states"),
            say.time(task.done_at) if task.done_at else "",
            task.result,
        )
        for task in tasks
    ]
    return _table(columns, rows, (2, 4, 2, 3, 3), say)


def _signs(indicators: Sequence[Indicator], say: _Words) -> list[Block]:
    columns = tuple(say(name) for name in ("kind", "value", "note"))
    return _table(columns, [(one.kind, one.value, one.note) for one in indicators], (1, 4, 3), say)


def _course(entries: Sequence[Entry], say: _Words) -> list[Block]:
    """Oldest first: alerts, decisions, what people wrote down as having happened, phases. Notes of the war room stay inside."""
    rows = [(say.time(one.time), one.actor, told) for one in reversed(entries) if (told := _told(one, say))]
    return _table(tuple(say(name) for name in ("time", "who", "what")), rows, (3, 2, 6), say)


def _told(entry: Entry, say: _Words) -> str:
    if entry.kind in ("entry", "decision"):
        return f"{say(entry.kind)}: {entry.text}"
    if entry.kind == "alert":
        return f"{say('alert')}: {entry.detail.get('name', '')} {entry.detail.get('host', '')}".strip()
    if entry.act == "phase":
        before, after = (say(str(entry.detail.get(name, "")), "phases") for name in ("before", "after"))
        return f"{say('phase')}: {before} → {after}"
    if entry.act == "decided":
        after_: dict[str, Any] = entry.detail.get("after", {})
        code, level = str(after_.get("class_code", "")), int(after_.get("level", 0))
        return f"{say('level')}: {class_name(code, say.language)} · {level_name(level, say.language)}"
    return ""


def _review(material: Material, say: _Words) -> list[Block]:
    review = material.review
    names = {"root_cause": "root_cause", "measures": "review_measures", "harm": "harm", "responsibility": "responsibility",
             "lessons": "lessons"}  # fmt: skip
    facts = Facts(tuple((say(word), getattr(review, field) or say("none")) for field, word in names.items()))
    actions = [
        f"{one.title} · {say('owner')}: {one.owner or say('none')} · {say('due')}: "
        f"{say.time(one.due_at) if one.due_at else say('none')} · {say(one.status, 'states')}"
        for one in material.actions
    ]
    return [facts, Heading(say("actions"), 2), Bullets(tuple(actions), numbered=True) if actions else Paragraph(say("none"))]


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], widths: tuple[int, ...], say: _Words) -> list[Block]:
    if not rows:
        return [Paragraph(say("none"))]
    shown: list[Block] = [Table(columns, tuple(rows[:MOST_ROWS]), widths)]
    return [*shown, Paragraph(f"… {len(rows) - MOST_ROWS}")] if len(rows) > MOST_ROWS else shown
