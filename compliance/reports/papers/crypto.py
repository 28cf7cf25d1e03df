"""The cryptography self-assessment by GB/T 39786 (密评): scope, total, layers, units, objects with D, A and K, high risks.

It is no report of an assessment body, and says so on every page.
"""

from __future__ import annotations

from compliance.assessment.crypto_reading import CryptoRow
from compliance.assessment.crypto_standing import UnitStanding
from compliance.reports.material import Material
from compliance.reports.papers import parts
from compliance.reports.words import Words
from compliance.scoring.outcome import Outcome
from compliance.verdicts import Verdict
from operations.documents import Block, Bullets, Facts, Heading, Paragraph

_MOST_ADVICE = 100


def blocks(material: Material, say: Words) -> list[Block]:
    """In the order of an assessment report."""
    return [
        Paragraph(say("crypto_intro")),
        Heading(f"1 {say('system')}"), parts.system(material, say),
        Heading(f"2 {say('crypto_scope')}"), _scope(material, say),
        Heading(f"3 {say('crypto_total')}"), _total(material, say), Paragraph(say("crypto_confirm_told")),
        Heading(f"4 {say('crypto_layers')}"), *_layers(material, say),
        Heading(f"5 {say('crypto_every_unit')}"), *_units(material, say),
        Heading(f"6 {say('crypto_measured')}"), Paragraph(say("crypto_measured_told")), *_measured(material, say),
        Heading(f"7 {say('crypto_management')}"), *_management(material, say),
        Heading(f"8 {say('crypto_high')}"), Paragraph(say("crypto_high_told")), *_high(material, say),
        Heading(f"9 {say('crypto_improve')}"), *_improve(material, say),
    ]  # fmt: skip


def _scope(material: Material, say: Words) -> Facts:
    found = material.crypto
    technical = sum(one.technical for one in found.units)
    told = say("crypto_units_told").format(
        all=len(found.units), technical=technical, management=len(found.units) - technical, judged=found.assessed
    )
    rows = [row for one in found.units for row in one.rows]
    objects = say("crypto_objects_told").format(number=len({row.object_id for row in rows}), pairs=len(rows))
    return Facts(
        (
            (say("standard"), "GB/T 39786-2021"),
            (say("crypto_units"), told),
            (say("objects"), objects),
            (say("as_of"), say.time(max((row.checked_at for row in rows), default=""))),
        )
    )


def _total(material: Material, say: Words) -> Facts:
    out = material.crypto.outcome
    if out is None:
        return Facts(((say("conclusion"), say("crypto_no_total")),))
    conclusion = (out.conclusion_zh if say.zh else out.conclusion) + (say("provisional") if out.provisional else "")
    rows = [(say("crypto_value"), out.value), (say("conclusion"), conclusion), (say("formula"), say(out.formula))]
    if out.missing:
        rows.append((say("crypto_missing"), say.listed(out.missing)))
    return Facts(tuple(rows))


def _layers(material: Material, say: Words) -> list[Block]:
    values = _by_layer(material.crypto.outcome)
    layers = {one.layer.id: one.layer for one in material.crypto.units}
    columns = tuple(say(name) for name in ("crypto_layer", "crypto_points", "crypto_score"))
    rows = [
        (f"{name} {layer.zh if say.zh else layer.en}", str(layer.points), values.get(name) or "—") for name, layer in layers.items()
    ]
    return parts.table(columns, rows, (6, 2, 2), say)


def _by_layer(out: Outcome | None) -> dict[str, str]:
    return {one.id: one.value for one in out.classes} if out else {}


def _units(material: Material, say: Words) -> list[Block]:
    names = ("crypto_unit", "requirement", "crypto_modal", "crypto_weight", "objects", "crypto_score", "result")
    rows = [
        (one.unit.id, _name(one, say), say(one.unit.modal), f"{one.unit.weight:g}", str(len(one.rows) or "—"), one.score or "—",
         say(one.verdict or "none"))
        for one in material.crypto.units
    ]  # fmt: skip
    return parts.table(tuple(map(say, names)), rows, (2, 6, 2, 2, 3, 2, 3), say)


def _measured(material: Material, say: Words) -> list[Block]:
    scores = material.crypto.scores
    columns = (say("crypto_unit"), say("object"), "D", "A", "K", say("crypto_score"), say("reason"))
    rows = [
        (row.unit, row.name or say("whole"), *_marks(row), scores.get((row.unit, row.object_id), "—"), _reason(row, say))
        for one in material.crypto.units
        if one.technical
        for row in one.rows
    ]
    return parts.table(columns, rows, (2, 4, 1, 2, 1, 2, 6), say)


def _marks(row: CryptoRow) -> tuple[str, str, str]:
    if row.verdict == Verdict.NOT_APPLICABLE:
        return "—", "—", "—"
    found = row.found
    strength = f" ({found.bits})" if found.D and not found.A and found.bits else ""
    return ("√" if found.D else "×"), ("√" if found.A else "×") + strength, "√" if found.K else "×"


def _reason(row: CryptoRow, say: Words) -> str:
    if row.verdict == Verdict.NOT_APPLICABLE:
        return f"{say('not_applicable')}: {row.reason}"
    return f"← {row.found.made_up_unit}; {row.reason}" if row.found.made_up_unit else row.reason


def _management(material: Material, say: Words) -> list[Block]:
    columns = tuple(say(name) for name in ("crypto_unit", "requirement", "verdict", "reason", "decided"))
    rows = [
        (row.unit, _name(one, say), say(row.verdict), row.reason, f"{row.by} {say.day(row.at)}")
        for one in material.crypto.units
        if not one.technical
        for row in one.rows
    ]
    return parts.table(columns, rows, (2, 5, 3, 4, 5), say)


def _high(material: Material, say: Words) -> list[Block]:
    columns = tuple(say(name) for name in ("crypto_high", "kind", "reason", "decided"))
    rows = []
    for one in material.crypto.units:
        told = f"{one.unit.id} {_name(one, say)}"
        if one.high_risk == "found":
            rows.append((told, say("crypto_failed"), say.listed(dict.fromkeys(row.reason for row in one.rows)), "—"))
        elif one.high_risk and one.lowered:
            rows.append((told, say("crypto_lowered"), one.lowered.reason, f"{one.lowered.by} {say.day(one.lowered.at)}"))
    rows += [(risk.subject, say("crypto_found"), risk.reason, f"{risk.by} {say.day(risk.at)}") for risk in material.crypto.risks]
    return parts.table(columns, rows, (5, 3, 6, 4), say)


def _improve(material: Material, say: Words) -> list[Block]:
    told = []
    for one in material.crypto.units:
        if one.verdict not in (Verdict.PARTLY, Verdict.NOT_MET):
            continue
        lacking = [say("crypto_need_management")] if not one.technical else [say(f"crypto_need_{name}") for name in _lacking(one)]
        if lacking:
            told.append(f"{one.unit.id} {_name(one, say)}: {say.listed(lacking)}")
    return [Bullets(tuple(told[:_MOST_ADVICE]))] if told else [Paragraph(say("nothing"))]


def _lacking(one: UnitStanding) -> list[str]:
    """Which of D, A and K is missing on some object; where D is, that comes first and alone."""
    found = [row.found for row in one.rows if row.verdict != Verdict.NOT_APPLICABLE]
    missing = [("D", any(not told.D for told in found))]
    missing += [("A", any(told.D and not told.A for told in found)), ("K", any(told.D and not told.K for told in found))]
    return [name for name, lacks in missing if lacks]


def _name(one: UnitStanding, say: Words) -> str:
    return one.unit.zh if say.zh else one.unit.en
