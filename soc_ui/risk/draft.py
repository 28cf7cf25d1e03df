"""What a warning about a risk begins with: the reasons of its factors, so that nobody types them again. People write the rest."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations.risk import listing
from operations.risk.schema import FACTORS
from operations.warnings.levels import importance_of
from operations.warnings.schema import MAX_TITLE, Draft
from operations.zones import service as zones
from soc_ui.locale import _
from soc_ui.risk.words import factor_name, sentence
from soc_ui.zones.names import ZoneNames

_HARM = {"critical": "severe", "high": "large"}


def draft_of_risk(session: Session, kind: str, key: str) -> Draft:
    """A proposal in the language of the page. Raises NotFound."""
    detail = listing.get(session, kind, key)
    row = detail.row
    name = ZoneNames(record.zone for record in zones.list_zones(session))
    title = name(row.key) if kind == "zone" else (row.name or row.key)
    told = {factor: [sentence(one, name) for one in detail.reasons if one.factor == factor] for factor in FACTORS}
    lines = [f"{factor_name(factor)} {getattr(row, factor):.2f}: {' '.join(told[factor])}" for factor in FACTORS]
    return Draft(
        title=_("Risk of %(name)s has risen to %(score)d", name=title, score=round(row.score))[:MAX_TITLE],
        importance=importance_of(round(row.importance * 5)),
        harm=_HARM.get(row.band, "general"),
        threat="\n".join(lines),
        extent=name(row.zone) if row.zone else "",
        objects="" if kind == "zone" else f"{title} ({row.key})" if title != row.key else row.key,
        zones=(row.zone,) if row.zone in name.known else (),
    )
