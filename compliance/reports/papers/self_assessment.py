"""The self-assessment report, with the parts that the report templates of 2021 and 2025 ask for, as far as they are known.

It is no report of an assessment body, and says so on every page; which template, formula and settings were used stands in it.
"""

from __future__ import annotations

from compliance.reports.material import Material
from compliance.reports.papers import parts
from compliance.reports.words import Words
from compliance.systems.kinds import name_of
from operations.documents import Block, Facts, Heading, Paragraph


def blocks(material: Material, say: Words) -> list[Block]:
    """System, scope, objects, results by class, problems and risk, hazards, conclusion, and every item."""
    return [
        Paragraph(say("self_intro").format(template=say(f"template_{material.template}"))),
        Heading(f"1 {say('system')}"), parts.system(material, say),
        Heading(f"2 {say('scope')}"), *_scope(material, say),
        Heading(f"3 {say('objects')}"), *_objects(material, say),
        Heading(f"4 {say('by_class')}"), parts.classes(material, say), *_classes(material, say),
        Heading(f"5 {say('problems')}"), *_problems(material, say),
        Heading(say("whole_and_risk"), 2), *parts.people_decided(material, say),
        Heading(f"6 {say('hazards')}"), Paragraph(say("hazards_told")), *parts.hazards(material, say),
        Heading(f"7 {say('score_and_conclusion')}"), parts.result(material, say), Paragraph(say("conclusion_told")),
        Heading(f"8 {say('not_applicable_items')}"), *_not_applicable(material, say),
        Heading(f"9 {say('every_item')}"), *_items(material, say),
    ]  # fmt: skip


def _scope(material: Material, say: Words) -> list[Block]:
    told = len(material.assessed)
    people = sum(one.source == "person" for one in material.assessed)
    general = sum(not one.placed.extension for one in material.items.values())
    rows = (
        (say("standard"), "GB/T 22239-2019, GB/T 28448-2019, GB/T 28449-2018"),
        (say("items"), say("items_told").format(number=len(material.items), general=general)),
        (say("objects"), f"{len(material.objects)} · {parts.kinds(material, say)}"),
        (say("pairs"), say("pairs_told").format(all=len(material.pairs), judged=told, open=len(material.pairs) - told)),
        (say("methods"), say("methods_told").format(probe=told - people, person=people)),
        (say("catalogue"), f"SM3 {material.scored.outcome.catalogue if material.scored else '—'}"),
        (say("as_of"), say.time(material.changed_at)),
    )  # fmt: skip
    return [Facts(rows)]


def _objects(material: Material, say: Words) -> list[Block]:
    columns = tuple(say(name) for name in ("object", "kind", "asset", "importance", "note"))
    rows = [
        (one.name, name_of(one.kind, chinese=say.zh), one.asset or "—", str(one.importance or "—"), one.note)
        for one in material.objects
    ]  # fmt: skip
    return parts.table(columns, rows, (4, 4, 4, 3, 4), say)


def _classes(material: Material, say: Words) -> list[Block]:
    values = {one.id: one.value for one in material.scored.outcome.classes} if material.scored else {}
    names = ("class", "met", "partly", "not_met", "not_applicable", "none", f"share_{material.template}")
    columns = tuple(say(name) for name in names)
    rows = [
        (f"{one.id} {one.zh if say.zh else one.en}",
         *map(str, (one.met, one.partly, one.not_met, one.not_applicable, one.none)), values.get(one.id) or "—")
        for one in material.standing.classes
    ]  # fmt: skip
    return parts.table(columns, rows, (7, 2, 2, 2, 3, 3, 2), say)


def _problems(material: Material, say: Words) -> list[Block]:
    columns = tuple(say(name) for name in ("clause", "requirement", "verdict", "objects", "risk_grade", "pointer"))
    rows = [
        (one.standing.item, say.of(one.standing), say(one.standing.verdict), parts.where(one, say), parts.grade(one, say),
         say(f"level_{one.level}") + (f" ({', '.join(one.cases)})" if one.cases else ""))
        for one in material.problems
    ]  # fmt: skip
    return [Paragraph(say("problems_told")), *parts.table(columns, rows, (3, 6, 3, 4, 3, 4), say)]


def _not_applicable(material: Material, say: Words) -> list[Block]:
    columns = tuple(say(name) for name in ("clause", "object", "reason", "decided"))
    rows = [
        (one.item, one.object_name or say("whole"), one.reason, f"{one.by} {say.day(one.at)}")
        for one in material.pairs
        if one.verdict == "not_applicable"
    ]  # fmt: skip
    return parts.table(columns, rows, (3, 4, 7, 4), say)


def _items(material: Material, say: Words) -> list[Block]:
    columns = tuple(say(name) for name in ("clause", "requirement", "result", "tally"))
    rows = []
    for one in material.standing.items:
        told = one.tally
        numbers = (told.met, told.partly, told.not_met, told.not_applicable, told.unassessed)
        rows.append((one.item, say.of(one), say(one.verdict or "none"), " / ".join(map(str, numbers))))
    return [Paragraph(say("tally_told")), *parts.table(columns, rows, (3, 9, 3, 4), say)]
