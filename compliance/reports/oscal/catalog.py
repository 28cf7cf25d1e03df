"""The requirements that ship, as a catalogue: our own words, one control an item, and the profile of the items of one system."""

from __future__ import annotations

from compliance.catalogue.load import requirements
from compliance.catalogue.model import ControlPoint, Item, SecurityClass
from compliance.reports.material import Material
from compliance.reports.oscal.shape import VERSION, Json, control_id, identify, line, metadata, plus, props, prose, statement_id

AS_OF = "2026-11-22T00:00:00Z"
"""When the data of the catalogue was compared with its sources last."""


def catalog(language: str) -> Json:
    """Every item of level 3, the extensions too."""
    whole = requirements()
    zh = language == "zh"
    groups = [_class(one, "", zh) for one in whole.classes]
    for extension in whole.extensions:
        classes = [_class(one, extension.id, zh) for one in extension.classes]
        title = line(extension.zh if zh else extension.en)
        groups.append({"id": control_id(extension.id), "class": "extension", "title": title, "groups": classes})
    told: Json = {
        "title": line(f"{whole.standard} {whole.title_zh if zh else whole.title_en}"),
        "last-modified": AS_OF,
        "version": whole.digest[:16],
        "oscal-version": VERSION,
        "props": props(level=whole.level, sm3=whole.digest, language=language),
        "remarks": "以平台自己的语言复述，以标准原文为准。" if zh else "Restated in our own words; the standard is the authority.",
    }
    return {"catalog": {"uuid": identify("catalog", whole.digest, language), "metadata": told, "groups": groups}}


def profile(material: Material, language: str) -> Json:
    """The items that hold for the system by level and extensions, without those that people took from it."""
    taken = {one.item for one in material.pairs if one.decided and one.object is None}
    held = [control_id(item) for item in material.items if item not in taken]
    title = f"{material.system.name}: {material.system.level}"
    told = metadata(title, material)
    told["props"] = props(levels=material.system.level, extensions=" ".join(material.system.extensions), language=language)
    chosen = {"href": "catalog.json", "include-controls": [{"with-ids": held}]}
    number = identify("profile", material.key, material.changed_at, language)
    return {"profile": {"uuid": number, "metadata": told, "imports": [chosen], "merge": {"as-is": True}}}


def _class(one: SecurityClass, extension: str, zh: bool) -> Json:
    points = [_point(point, zh) for point in one.control_points]
    title = line(one.zh if zh else one.en)
    told = props(code=one.code, group=one.group, extension=extension)
    return {"id": control_id(one.id) + "_class", "class": "class", "title": title, "props": told, "groups": points}


def _point(one: ControlPoint, zh: bool) -> Json:
    controls = [_control(one, item, zh) for item in one.items]
    title = line(one.zh if zh else one.en)
    return {
        "id": control_id(one.id) + "_point", "class": "control-point", "title": title, "props": props(attribute=one.attribute),
        "controls": controls,
    }  # fmt: skip


def _control(point: ControlPoint, item: Item, zh: bool) -> Json:
    told = props(
        clause=item.id, attribute=point.attribute, level_3=item.level3, level_2_clause=item.level2_ref, modal=item.modal,
        evidence=item.evidence, assessment_unit=item.assessment_unit, objects=" ".join(item.objects),
        high_risk_2025=" ".join(item.high_risk_2025), major_hazard_2025=" ".join(item.major_hazard_2025),
        to_be_confirmed=" ".join(item.to_be_confirmed),
    )  # fmt: skip
    statement: Json = {"id": statement_id(item.id), "name": "statement", "prose": prose(item.zh if zh else item.en)}
    title = line(f"{item.id} {point.zh if zh else point.en}")
    return plus({"id": control_id(item.id), "class": "requirement", "title": title, "parts": [statement]}, props=told)
