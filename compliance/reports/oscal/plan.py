"""The system security plan (what is there and how far each item is met on it), and the plan of the assessment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compliance.reports.material import Material
from compliance.reports.oscal.shape import Json, control_id, identify, line, metadata, plus, props, prose, statement_id
from compliance.reports.pairs import Pair
from compliance.reports.words import Words
from compliance.systems.kinds import name_of
from compliance.verdicts import Verdict

_STATES: Mapping[str, str] = {
    "planned": "other",
    "building": "under-development",
    "running": "operational",
    "changing": "under-major-modification",
    "retired": "disposition",
}
_IMPLEMENTED: Mapping[str, str] = {
    Verdict.MET: "implemented",
    Verdict.PARTLY: "partial",
    Verdict.NOT_MET: "planned",
    Verdict.NOT_APPLICABLE: "not-applicable",
}


def component(material: Material, object_id: int) -> str:
    """UUID of an object; 0 is the system as a whole."""
    return identify("component", material.key, object_id)


def system_plan(material: Material, language: str) -> Json:
    """How far an item is met stands at each object; one without a verdict has no status."""
    system, say = material.system, Words(language)
    names: Json = {"uuid": component(material, 0), "type": "this-system", "title": line(system.name)}
    components = [{**names, "description": prose(system.description or system.name), "status": {"state": "operational"}}]
    for one in material.objects:
        told = {
            "uuid": component(material, one.id), "type": one.kind.replace("_", "-"), "title": line(one.name),
            "description": prose(one.note or name_of(one.kind, chinese=say.zh)), "status": {"state": "operational"},
        }  # fmt: skip
        components.append(plus(told, props=props(kind=one.kind, asset=one.asset, importance=one.importance or "")))
    characteristics = {
        "system-ids": [{"identifier-type": "urn:liandun:mlps:system", "id": line(material.key)}],
        "system-name": line(system.name),
        "description": prose(system.description or system.name),
        "props": props(
            level=system.level,
            extensions=" ".join(system.extensions),
            filing_number=system.filing.number,
            filing_date=system.filing.date,
            filing_authority=system.filing.authority,
            zones=" ".join(system.zones),
        ),
        "security-sensitivity-level": f"level-{system.level.overall}",
        "system-information": {
            "information-types": [{"title": line(system.name), "description": prose(say("information_unsaid"))}]
        },
        "status": _state(system.state),
        "authorization-boundary": {"description": prose(say("boundary") + "、".join(system.zones))},
    }
    plan: Json = {
        "uuid": identify("ssp", material.key, material.changed_at, language),
        "metadata": metadata(f"{system.name} · {say('oscal_ssp')}", material),
        "import-profile": {"href": "profile.json"},
        "system-characteristics": characteristics,
        "system-implementation": {"components": components},
        "control-implementation": {
            "description": prose(say("implementation")),
            "implemented-requirements": _requirements(material, say),
        },
    }
    return {"system-security-plan": plan}


def assessment_plan(material: Material, language: str) -> Json:
    """Every item that holds, on every object that is in."""
    system, say = material.system, Words(language)
    tasks = [
        {"uuid": identify("task", material.key, name), "type": "action", "title": line(say(name)), "description": prose(say(name))}
        for name in ("task_probes", "task_documents", "task_interview", "task_whole", "task_risk")
    ]
    plan: Json = {
        "uuid": identify("ap", material.key, material.changed_at, language),
        "metadata": metadata(f"{system.name} · {say('oscal_ap')}", material),
        "import-ssp": {"href": "ssp.json"},
        "reviewed-controls": reviewed(material),
        "assessment-subjects": [{"type": "component", "include-all": {}}],
        "assessment-assets": {"assessment-platforms": [{"uuid": identify("platform"), "title": "Liandun"}]},
        "tasks": tasks,
    }
    return {"assessment-plan": plan}


def reviewed(material: Material) -> Json:
    """The items that hold and were not taken away."""
    taken = {one.item for one in material.pairs if one.decided and one.object is None}
    held = [{"control-id": control_id(item)} for item in material.items if item not in taken]
    return {"control-selections": [{"include-controls": held}]}


def _state(state: str) -> Json:
    told: Json = {"state": _STATES[state]}
    return told | ({"remarks": "planned"} if told["state"] == "other" else {})


def _requirements(material: Material, say: Words) -> list[Json]:
    by_item: dict[str, list[Pair]] = {}
    for one in material.pairs:
        by_item.setdefault(one.item, []).append(one)
    taken = {one.item for one in material.pairs if one.decided and one.object is None}
    return [_requirement(material, item, found, say) for item, found in by_item.items() if item not in taken]


def _requirement(material: Material, item: str, found: Sequence[Pair], say: Words) -> Json:
    where = [_by_component(material, one, say) for one in found]
    statement = {
        "statement-id": statement_id(item),
        "uuid": identify("statement", material.key, item),
        "by-components": where,
    }
    return {"uuid": identify("requirement", material.key, item), "control-id": control_id(item), "statements": [statement]}


def _by_component(material: Material, one: Pair, say: Words) -> Json:
    told: Json = {
        "component-uuid": component(material, one.object_id),
        "uuid": identify("by-component", material.key, one.item, one.object_id),
        "description": prose(one.reason or say(one.verdict or "none")),
    }
    if one.verdict:
        told["implementation-status"] = {"state": _IMPLEMENTED[one.verdict]}
    return plus(told, props=props(verdict=one.verdict))
