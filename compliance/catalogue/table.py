"""The requirements as a flat table, for spreadsheets and other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from compliance.catalogue.applicable import Applicable
from compliance.catalogue.mappings import iso_controls, watching

COLUMNS = (
    "clause", "extension", "class", "class_zh", "class_en", "control_point", "control_point_zh", "control_point_en", "attribute",
    "holds", "zh", "en", "level3", "level2_ref", "modal", "objects", "evidence", "probes", "assessment_unit", "high_risk_2025",
    "major_hazard_2025", "to_be_confirmed", "iso27001_own_work", "tactics_own_work", "playbooks_own_work",
)  # fmt: skip


def row(one: Applicable) -> dict[str, Any]:
    """One item with where it stands; lists stay lists. What ends in own_work nobody has confirmed (mappings)."""
    placed = one.placed
    watched = watching(placed.control_point.id)
    item, point, security_class = placed.item, placed.control_point, placed.security_class
    return {
        "clause": item.id,
        "extension": placed.extension,
        "class": security_class.id,
        "class_zh": security_class.zh,
        "class_en": security_class.en,
        "control_point": point.id,
        "control_point_zh": point.zh,
        "control_point_en": point.en,
        "attribute": point.attribute,
        "holds": one.holds,
        "zh": item.zh,
        "en": item.en,
        "level3": item.level3,
        "level2_ref": item.level2_ref,
        "modal": item.modal,
        "objects": list(item.objects),
        "evidence": item.evidence,
        "probes": list(item.probes),
        "assessment_unit": item.assessment_unit,
        "high_risk_2025": list(item.high_risk_2025),
        "major_hazard_2025": list(item.major_hazard_2025),
        "to_be_confirmed": list(item.to_be_confirmed),
        "iso27001_own_work": [f"A.{control.id}" for control in iso_controls(point.id)],
        "tactics_own_work": list(watched.tactics),
        "playbooks_own_work": list(watched.playbooks),
    }


def as_csv(items: Iterable[Applicable]) -> str:
    """Comma-separated with a byte order mark, so that spreadsheet programs read it as UTF-8; lists are joined by a blank."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for one in items:
        writer.writerow({name: " ".join(value) if isinstance(value, list) else value for name, value in row(one).items()})
    return "\ufeff" + out.getvalue()
