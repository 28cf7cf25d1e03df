"""The papers by name, and the languages that each one has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from compliance.reports.material import Material
from compliance.reports.papers import board, crypto, gap, protection_plan, remediation, self_assessment
from compliance.reports.words import Words
from operations.documents import Block, Document
from operations.errors import Invalid

_Blocks = Callable[[Material, Words], list[Block]]
PAPERS: Mapping[str, tuple[_Blocks, tuple[str, ...]]] = {
    "self-assessment": (self_assessment.blocks, ("zh", "en")),
    "gap": (gap.blocks, ("zh", "en")),
    "remediation": (remediation.blocks, ("zh", "en")),
    "board": (board.blocks, ("zh", "en")),
    "crypto": (crypto.blocks, ("zh", "en")),
    "protection-plan": (protection_plan.blocks, ("zh",)),
}


def paper(material: Material, kind: str, language: str, issuer: str) -> Document:
    """One of PAPERS. Raises Invalid for a language that it is not written in."""
    make, languages = PAPERS[kind]
    say = Words(language)
    if language not in languages:
        raise Invalid(f"{kind} is written in {', '.join(languages)} only", field="language")
    subtitle = f"{material.system.name} · {material.system.level}"
    foot = (issuer, say.time(material.gathered_at), say(f"mark_{kind}"), language)
    return Document(say(f"title_{kind}"), tuple(make(material, say)), subtitle, *foot)
