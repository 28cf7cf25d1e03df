"""Gap analysis: what is not met, the worst first, with the reasons that were given, and what nobody has looked at yet."""

from __future__ import annotations

from compliance.reports.material import Material, Problem
from compliance.reports.pairs import Pair
from compliance.reports.papers import parts
from compliance.reports.words import Words
from compliance.systems.kinds import name_of
from operations.documents import Block, Facts, Heading, Paragraph

_MOST_REASONS = 4
LEVELS = ("critical", "high", "medium")


def blocks(material: Material, say: Words) -> list[Block]:
    """Numbers, classes, gaps by what they may be, open items."""
    made: list[Block] = [Heading(f"1 {say('overview')}"), _numbers(material, say), parts.classes(material, say)]
    for number, level in enumerate(LEVELS, 2):
        made += [
            Heading(f"{number} {_first_large(say('level_' + level))}"),
            *_gaps([one for one in material.problems if one.level == level], say),
        ]
    return [*made, Heading(f"5 {say('not_looked_at')}"), Paragraph(say("not_looked_told")), *_open(material, say)]


def _numbers(material: Material, say: Words) -> Facts:
    rows = [(say(name), str(parts.counted(material, name))) for name in ("met", "partly", "not_met", "not_applicable")]
    rows.append((say("none"), str(parts.counted(material, ""))))
    rows += [(say(f"level_{level}"), str(sum(one.level == level for one in material.problems))) for level in LEVELS]
    return Facts(tuple(rows))


def _gaps(found: list[Problem], say: Words) -> list[Block]:
    columns = tuple(say(name) for name in ("clause", "requirement", "verdict", "found_where", "risk_grade"))
    rows = [
        (one.standing.item, say.of(one.standing), say(one.standing.verdict), _reasons(one, say), parts.grade(one, say))
        for one in found
    ]  # fmt: skip
    return parts.table(columns, rows, (3, 6, 3, 8, 3), say)


def _reasons(one: Problem, say: Words) -> str:
    """The first objects with what was found on them; the check-list has all."""
    told = [_said(pair, say) for pair in one.pairs[:_MOST_REASONS]]
    more = len(one.pairs) - _MOST_REASONS
    return "\n".join(told) + (f"\n… +{more}" if more > 0 else "")


def _open(material: Material, say: Words) -> list[Block]:
    by_item: dict[str, list[Pair]] = {}
    for one in material.pairs:
        if not one.verdict:
            by_item.setdefault(one.item, []).append(one)
    columns = tuple(say(name) for name in ("clause", "requirement", "evidence_by", "objects"))
    rows = []
    for item, found in by_item.items():
        placed = material.items[item].placed.item
        kinds = dict.fromkeys(name_of(one.object.kind, chinese=say.zh) if one.object else say("whole") for one in found)
        rows.append((item, placed.zh if say.zh else placed.en, say(f"by_{placed.evidence}"), f"{len(found)} · {say.listed(kinds)}"))
    return parts.table(columns, rows, (3, 8, 3, 5), say)


def _said(pair: Pair, say: Words) -> str:
    where, verdict = pair.object_name or say("whole"), say(pair.verdict)
    return f"{where}（{verdict}）：{_short(pair.reason)}" if say.zh else f"{where} ({verdict}): {_short(pair.reason)}"


def _first_large(told: str) -> str:
    return told[:1].upper() + told[1:]


def _short(reason: str) -> str:
    told = " ".join(reason.split())
    return told if len(told) <= 160 else told[:159] + "…"
