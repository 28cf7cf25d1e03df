"""The remediation plan: what, where, by whom, until when, and what the high-risk guide says may lower a risk meanwhile."""

from __future__ import annotations

from compliance.reports.material import Material, Problem, advice
from compliance.reports.papers import parts
from compliance.reports.words import Words
from operations.documents import Block, Bullets, Facts, Heading, Paragraph


def blocks(material: Material, say: Words) -> list[Block]:
    """Numbers, the plan by due day, and the situations of the guide that the problems may be."""
    found = sorted(material.problems, key=lambda one: one.due_at)
    late = sum(one.due_at < material.gathered_at for one in found)
    numbers = Facts(
        (
            (say("problems_number"), str(len(found))),
            (say("with_ticket"), str(sum(one.remedy is not None for one in found))),
            (say("overdue"), str(late)),
        )
    )
    return [
        Heading(f"1 {say('overview')}"), numbers, Paragraph(say("remediation_told")),
        Heading(f"2 {say('measures_plan')}"), *_plan(found, material, say),
        Heading(f"3 {say('interim')}"), Paragraph(say("interim_told")), *_interim(found, say),
    ]  # fmt: skip


def _plan(found: list[Problem], material: Material, say: Words) -> list[Block]:
    columns = tuple(say(name) for name in ("clause", "to_do", "objects", "pointer", "owner", "due", "standing"))
    rows = [
        (one.standing.item, say.of(one.standing), parts.where(one, say, 4), say(f"short_{one.level}"), owner(one, material, say),
         say.day(one.due_at) + (say("proposed") if one.planned else ""), standing(one, say))
        for one in found
    ]  # fmt: skip
    return parts.table(columns, rows, (3, 6, 3, 3, 3, 4, 3), say)


def owner(one: Problem, material: Material, say: Words) -> str:
    """Who the ticket says; else the organisation, to be named."""
    if one.remedy is not None and (one.remedy.assignee or one.remedy.bureau):
        return one.remedy.assignee or one.remedy.bureau
    return material.system.organisation or say("to_fill_in")


def standing(one: Problem, say: Words) -> str:
    """Of its ticket; a waiver that holds comes first."""
    if one.waived_until:
        return say("waived").format(day=say.day(one.waived_until))
    return f"#{one.remedy.ticket} {say('ticket_' + one.remedy.state)}" if one.remedy is not None else say("no_ticket")


def _interim(found: list[Problem], say: Words) -> list[Block]:
    told = []
    for one in found:
        for name, mitigation in advice(one.cases):
            told.append(f"{one.standing.item} {name}: {mitigation or say('no_mitigation')}")
    return [Bullets(tuple(dict.fromkeys(told)))] if told else [Paragraph(say("nothing"))]
