"""Parts that several papers have: the system, the result, classes as a chart, problems, tables that know their measure."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.catalogue.load import requirements
from compliance.reports.material import Material, Problem
from compliance.reports.words import Words
from compliance.systems.kinds import name_of
from compliance.verdicts import Verdict
from operations.documents import Bar, Bars, Block, Facts, Paragraph, Table

MOST_ROWS = 400
_LEGEND = (("met", "green"), ("partly", "amber"), ("not_met", "red"), ("not_applicable", "grey"), ("none", "pale"))


def system(material: Material, say: Words) -> Facts:
    """What is recorded about it; what is not, is said to be missing."""
    one = material.system
    extensions = {extension.id: extension.zh if say.zh else extension.en for extension in requirements().extensions}
    filing = " · ".join(part for part in (one.filing.number, one.filing.date, one.filing.authority) if part)
    rows = (
        ("name", one.name),
        ("organisation", one.organisation or say("operator")),
        ("level", str(one.level)),
        ("filing", filing),
        ("state", say(f"state_{one.state}")),
        ("extensions", say.listed(extensions[name] for name in one.extensions) or say("no_extensions")),
        ("zones", say.listed(one.zones)),
        ("people", say.listed(f"{say('duty_' + who.duty)} {who.name} {who.contact}".strip() for who in one.people)),
        ("description", one.description),
    )
    return Facts(tuple((say(name), value or say("to_fill_in")) for name, value in rows))


def result(material: Material, say: Words) -> Facts:
    """Template, formula, number and conclusion, and what the text of the template leaves open."""
    scored = material.scored
    template = (say("template"), say(f"template_{material.template}"))
    if scored is None:
        return Facts((template, (say("conclusion"), say("not_scored"))))
    out = scored.outcome
    conclusion = (out.conclusion_zh if say.zh else out.conclusion) + (say("provisional") if scored.provisional else "")
    unit = " %" if material.template == "2025" else ""
    settings = say.listed(f"{say('set_' + name)}: {say('to_' + value)}" for name, value in out.settings.items())
    rows = [
        template,
        (say(f"value_{material.template}"), f"{out.value}{unit}"),
        (say("conclusion"), conclusion),
        (say("formula"), say(out.formula)),
        (say("settings"), settings),
        (say("confirm"), say.listed(say(f"confirm_{one}") for one in out.to_be_confirmed)),
    ]
    if material.template == "2025":
        rows.insert(3, (say("hazards"), out.hazards if say.zh else hazards_counted(material, say)))
    if scored.provisional:
        told = say("open_told").format(items=len(out.missing), pairs=scored.unassessed)
        rows.insert(3, (say("open"), told))
    return Facts(tuple(rows))


def classes(material: Material, say: Words, *, together: bool = False) -> Bars:
    """Items of each class by verdict; ``together``: one bar for all classes of an extension."""
    extensions = {one.id: one.zh if say.zh else one.en for one in requirements().extensions}
    rows: dict[str, list[int]] = {}
    for one in material.standing.classes:
        name = one.zh if say.zh else one.en
        if one.extension:
            name = extensions[one.extension] if together else f"{name} ({one.extension})"
        numbers = rows.setdefault(name, [0] * len(_LEGEND))
        for place, number in enumerate((one.met, one.partly, one.not_met, one.not_applicable, one.none)):
            numbers[place] += number
    bars = (Bar(name, tuple(told), f"{told[0]} / {sum(told[:3])}" if sum(told[:3]) else "—") for name, told in rows.items())
    return Bars(tuple((say(name), colour) for name, colour in _LEGEND), tuple(bars))


def where(one: Problem, say: Words, most: int = 6) -> str:
    """On which objects; the first ones by name."""
    names = [pair.object_name or say("whole") for pair in one.pairs]
    return say.listed(names[:most]) + (f" … (+{len(names) - most})" if len(names) > most else "")


def grade(one: Problem, say: Words) -> str:
    """What people decided about the risk."""
    return say(one.grade) if one.grade else say("not_graded")


def hazards(material: Material, say: Words) -> list[Block]:
    """重大风险隐患 as they stand."""
    columns = tuple(say(name) for name in ("trigger", "hazard", "clause", "standing", "decided"))
    rows = [
        (one.trigger, one.zh if say.zh else one.en, one.item, say(f"hazard_{one.state}"), f"{one.by} {one.reason}".strip() or "—")
        for one in material.standing.hazards
    ]
    return table(columns, rows, (2, 6, 3, 3, 5), say)


def hazards_counted(material: Material, say: Words) -> str:
    """How many count, and how many of them are mended."""
    counted = [one for one in material.standing.hazards if one.counts]
    return say("hazards_counted").format(number=len(counted), fixed=sum(one.state == "fixed" for one in counted))


def people_decided(material: Material, say: Words) -> list[Block]:
    """Compensations and risks as people decided them."""
    names = {one.id: one.name for one in material.objects}
    columns = tuple(say(name) for name in ("clause", "kind", "value", "reason", "decided"))
    rows = [
        (one.subject, say(f"decision_{one.kind}") + (f" ({names.get(one.object_id, one.object_id)})" if one.object_id else ""),
         say(one.value) if one.kind == "risk" else one.value, one.reason, f"{one.by} {say.day(one.at)}")
        for one in material.standing.decisions
        if one.kind in ("compensation", "risk")
    ]  # fmt: skip
    return table(columns, rows, (3, 3, 2, 6, 4), say)


def kinds(material: Material, say: Words) -> str:
    """How many objects of which kind."""
    numbers: dict[str, int] = {}
    for one in material.objects:
        numbers[one.kind] = numbers.get(one.kind, 0) + 1
    return say.listed(f"{name_of(kind, chinese=say.zh)} {number}" for kind, number in numbers.items())


def counted(material: Material, verdict: Verdict | str) -> int:
    """Items with this result; "" = without any."""
    return sum(one.verdict == verdict for one in material.standing.items)


def table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], widths: tuple[int, ...], say: Words) -> list[Block]:
    """At most MOST_ROWS; it says how many there are more, and where they stand."""
    if not rows:
        return [Paragraph(say("nothing"))]
    shown: list[Block] = [Table(columns, tuple(rows[:MOST_ROWS]), widths)]
    if len(rows) > MOST_ROWS:
        shown.append(Paragraph(say("more").format(number=len(rows) - MOST_ROWS)))
    return shown
