"""The six documents by name, each alone or all in one archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from compliance.reports.material import Material
from compliance.reports.oscal.catalog import catalog, profile
from compliance.reports.oscal.plan import assessment_plan, system_plan
from compliance.reports.oscal.results import action_plan, results
from operations.errors import Invalid

_Make = Callable[[Material, str], dict[str, Any] | None]
MODELS: Mapping[str, tuple[str, _Make]] = {
    "catalog": ("catalog.json", lambda _material, language: catalog(language)),
    "profile": ("profile.json", profile),
    "ssp": ("ssp.json", system_plan),
    "plan": ("assessment-plan.json", assessment_plan),
    "results": ("assessment-results.json", results),
    "poam": ("poam.json", action_plan),
}
"""Model → its file name, by which the others refer to it, and its maker."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def document(material: Material, model: str, language: str) -> bytes:
    """One of MODELS as JSON. Raises Invalid for a plan of action where there is no problem."""
    made = MODELS[model][1](material, language)
    if made is None:
        raise Invalid("there is no problem, and so no plan of action", "OSCAL has no empty one")
    return _json(made)


def files(material: Material, language: str) -> dict[str, bytes]:
    """File name → JSON of all that there are; without problems there is no plan of action."""
    made = ((name, make(material, language)) for name, make in MODELS.values())
    return {name: _json(told) for name, told in made if told is not None}


def bundle(material: Material, language: str) -> bytes:
    """All in one ZIP archive, the same bytes for the same material."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in files(material, language).items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), octets, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _json(told: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n"
