"""One page for those who decide: where the system stands, a chart, what is worst, what they are asked for."""

from __future__ import annotations

from compliance.reports.material import Material
from compliance.reports.papers import parts
from compliance.reports.words import Words
from operations.documents import Block, Bullets, Facts, Heading, Paragraph, Table

_MOST = 5
_MOST_LETTERS = 60


def blocks(material: Material, say: Words) -> list[Block]:
    """Kept so short that it fits one page with four extensions too."""
    scored = material.scored
    if scored is None:
        standing = say("not_scored")
    else:
        out, unit = scored.outcome, " %" if material.template == "2025" else ""
        conclusion = out.conclusion_zh if say.zh else out.conclusion
        standing = f"{conclusion} · {out.value}{unit}" + (say("provisional") if scored.provisional else "")
    hazards = [one for one in material.standing.hazards if one.counts]
    high = sum(one.level == "high" for one in material.problems)
    late = sum(one.due_at < material.gathered_at for one in material.problems)
    facts = Facts(
        (
            (say("conclusion"), standing),
            (say("before"), _before(material, say)),
            (say("hazards"), parts.hazards_counted(material, say)),
            (say("problems"), say("board_problems").format(all=len(material.problems), high=high, late=late)),
        )
    )
    chart = parts.classes(material, say, together=True)
    return [
        facts, Heading(say("by_class"), 2), chart, Heading(say("worst"), 2), _worst(material, say),
        Heading(say("asked"), 2), Bullets(_asked(material, len(hazards), high, late, say)),
    ]  # fmt: skip


def _worst(material: Material, say: Words) -> Block:
    if not material.problems:
        return Paragraph(say("nothing"))
    columns = tuple(say(name) for name in ("clause", "requirement", "objects", "pointer", "due"))
    rows = [
        (one.standing.item, _short(say.of(one.standing)), str(len(one.pairs)), say(f"short_{one.level}"), say.day(one.due_at))
        for one in material.problems[:_MOST]
    ]
    return Table(columns, tuple(rows), (3, 8, 3, 4, 3))


def _asked(material: Material, hazards: int, high: int, late: int, say: Words) -> tuple[str, ...]:
    asked = []
    if hazards:
        asked.append(say("ask_hazards").format(number=hazards))
    if high:
        asked.append(say("ask_high").format(number=high))
    if late:
        asked.append(say("ask_late").format(number=late))
    if material.scored is None or material.scored.provisional:
        asked.append(say("ask_open").format(number=sum(not one.verdict for one in material.pairs)))
    return tuple(asked) or (say("ask_nothing"),)


def _before(material: Material, say: Words) -> str:
    """The last kept scores, newest first."""
    return say.listed(f"{say.day(one.at)}: {one.value}" for one in material.trend[:4]) or say("no_trend")


def _short(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + "…"
