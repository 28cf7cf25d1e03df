"""What the assessment found (observations of pairs, findings of items, risks of problems), and the plan of action.

An item that does not apply, or that nothing was said about yet, has no finding: OSCAL knows only satisfied and not satisfied.
"""

from __future__ import annotations

from collections.abc import Iterable

from compliance.reports.material import Material, Problem
from compliance.reports.oscal.plan import component, reviewed
from compliance.reports.oscal.shape import NAMESPACE, Json, identify, line, metadata, plus, props, prose, statement_id
from compliance.reports.pairs import Pair
from compliance.reports.words import Words
from compliance.verdicts import Verdict


def results(material: Material, language: str) -> Json:
    """One result, from the first verdict to the last look."""
    system, say = material.system, Words(language)
    told = material.assessed
    moments = [one.at for one in told] or [material.changed_at]
    score = material.scored
    result: Json = {
        "uuid": identify("result", material.key, material.changed_at, language),
        "title": line(f"{system.name} · {say('self_assessment')}"),
        "description": prose(say("result_told")),
        "start": min(moments),
        "end": max([one.checked_at for one in told] or [material.changed_at]),
        "props": props(
            template=material.template,
            value=score.outcome.value if score else "",
            conclusion=(score.outcome.conclusion_zh if say.zh else score.outcome.conclusion) if score else "",
            formula=score.outcome.formula if score else "",
            provisional=str(score.provisional).lower() if score else "",
            major_hazards=score.outcome.hazards if score else "",
        ),
        "reviewed-controls": reviewed(material),
    }
    result = plus(
        result, observations=[_observation(material, one, say) for one in told], risks=_risks(material, say),
        findings=_findings(material, say),
    )  # fmt: skip
    whole: Json = {
        "uuid": identify("ar", material.key, material.changed_at, language),
        "metadata": metadata(f"{system.name} · {say('oscal_ar')}", material),
        "import-ap": {"href": "assessment-plan.json"},
        "results": [result],
    }
    return {"assessment-results": whole}


def action_plan(material: Material, language: str) -> Json | None:
    """What is to be done; None where there is no problem, as OSCAL has no empty plan of action."""
    say = Words(language)
    if not material.problems:
        return None
    items = [
        {
            "uuid": identify("poam-item", material.key, one.standing.item),
            "title": line(f"{one.standing.item} {say.of(one.standing)}"),
            "description": prose(_told(one, say)),
            "props": props(due=one.due_at, planned=str(one.planned).lower(), **_owner(one)),
            "related-observations": _related("observation", material, one.pairs),
            "related-risks": [{"risk-uuid": identify("risk", material.key, one.standing.item)}],
        }
        for one in material.problems
    ]
    weak = [pair for one in material.problems for pair in one.pairs]
    plan: Json = {
        "uuid": identify("poam", material.key, material.changed_at, language),
        "metadata": metadata(f"{material.system.name} · {say('oscal_poam')}", material),
        "import-ssp": {"href": "ssp.json"},
        "system-id": {"identifier-type": "urn:liandun:mlps:system", "id": line(material.key)},
        "observations": [_observation(material, one, say) for one in weak],
        "risks": _risks(material, say),
        "poam-items": items,
    }
    return {"plan-of-action-and-milestones": plan}


def _observation(material: Material, one: Pair, say: Words) -> Json:
    where = "this-system" if one.object is None else one.object.name
    otherwise = one.probed if one.probed != one.verdict else ""
    told: Json = {
        "uuid": identify("observation", material.key, one.item, one.object_id),
        "title": line(f"{one.item} · {where}"),
        "description": prose(one.reason or say(one.verdict)),
        "props": props(verdict=one.verdict, source=one.source, by=one.by, probe_says=otherwise),
        "methods": ["TEST" if one.source == "probe" else "EXAMINE"],
        "types": ["finding"],
        "subjects": [{"subject-uuid": component(material, one.object_id), "type": "component"}],
        "collected": one.checked_at,
    }
    evidence = {"description": prose(one.reproduce or say("evidence"))}
    if one.evidence:
        return told | {"relevant-evidence": [evidence | {"props": props(evidence=one.evidence)}]}
    return told | ({"relevant-evidence": [evidence]} if one.reproduce else {})


def _findings(material: Material, say: Words) -> list[Json]:
    by_item: dict[str, list[Pair]] = {}
    for pair in material.assessed:
        by_item.setdefault(pair.item, []).append(pair)
    problems = {one.standing.item for one in material.problems}
    found = []
    for one in material.standing.items:
        if one.verdict not in (Verdict.MET, Verdict.PARTLY, Verdict.NOT_MET):
            continue
        met = one.verdict == Verdict.MET
        status = {"state": "satisfied" if met else "not-satisfied", "reason": "pass" if met else "fail"}
        told: Json = {
            "uuid": identify("finding", material.key, one.item),
            "title": line(f"{one.item} {say.of(one)}"),
            "description": prose(say(one.verdict)),
            "props": props(verdict=one.verdict, unassessed_objects=one.tally.unassessed or ""),
            "target": {"type": "statement-id", "target-id": statement_id(one.item), "status": status},
        }
        risks = [{"risk-uuid": identify("risk", material.key, one.item)}] if one.item in problems else []
        seen = _related("observation", material, by_item.get(one.item, ()))
        found.append(plus(told, related_observations=seen, related_risks=risks))
    return found


def _risks(material: Material, say: Words) -> list[Json]:
    return [_risk(material, one, say) for one in material.problems]


def _risk(material: Material, one: Problem, say: Words) -> Json:
    grade = {"name": "grade", "system": NAMESPACE, "value": one.grade or "not-graded"}
    mend: Json = {
        "uuid": identify("response", material.key, one.standing.item),
        "lifecycle": "planned" if one.planned else "recommendation",
        "title": line(say("mend")),
        "description": prose(_told(one, say)),
    }
    return {
        "uuid": identify("risk", material.key, one.standing.item),
        "title": line(f"{one.standing.item} {say.of(one.standing)}"),
        "description": prose(_told(one, say)),
        "statement": prose(say("risk_told") + say("level_" + one.level)),
        "props": props(cases=" ".join(one.cases), level=one.level),
        "status": "open",
        "characterizations": [{"origin": {"actors": [{"type": "tool", "actor-uuid": identify("platform")}]}, "facets": [grade]}],
        "deadline": one.due_at,
        "remediations": [mend],
        "related-observations": _related("observation", material, one.pairs),
    }


def _related(kind: str, material: Material, found: Iterable[Pair]) -> list[Json]:
    return [{"observation-uuid": identify(kind, material.key, one.item, one.object_id)} for one in found]


def _told(one: Problem, say: Words) -> str:
    """What is wrong where; at most fifty objects by name."""
    lines = [f"{pair.object_name or say('whole')}: {say(pair.verdict)} {pair.reason}".strip() for pair in one.pairs[:50]]
    if len(one.pairs) > 50:
        lines.append(f"… {len(one.pairs) - 50}")
    return "\n".join(lines)


def _owner(one: Problem) -> dict[str, object]:
    if one.remedy is None:
        return {}
    return {"ticket": one.remedy.ticket, "ticket_state": one.remedy.state, "owner": one.remedy.assignee or one.remedy.bureau}
