"""``/api/v1``: rules, sources, health, and who I am."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from marshmallow import RAISE

from operations.errors import NotFound
from soc_ui.api import catalogue_schemas as schemas
from soc_ui.api.guard import caller, permit
from soc_ui.services import services

catalogue = APIBlueprint("api_catalogue", __name__, url_prefix="/api/v1", tag="catalogue")
Body = dict[str, Any]


@catalogue.get("/me")
@catalogue.output(schemas.MeOut)
@catalogue.doc(security=["ApiKey", "Session"])
def me() -> Body:
    """Who this key or session is"""
    principal = caller()
    zones = None if principal.zones is None else sorted(principal.zones)
    granted = sorted(principal.permissions)
    return {"name": principal.name, "role": principal.role, "scope": principal.scope, "permissions": granted, "zones": zones}


@catalogue.get("/rules")
@permit(catalogue, "rules.read")
@catalogue.input(schemas.RuleListIn, location="query", unknown=RAISE)
@catalogue.output(schemas.RulePageOut)
def list_rules(query_data: Body) -> Body:
    """List the loaded rules

    In the order of their ids.
    """
    limit = query_data["limit"]
    wanted = [
        rule
        for rule in sorted(services().rules().rules, key=lambda rule: rule.id)
        if rule.id > query_data["cursor"] and query_data["engine"] in ("", rule.engine) and query_data["level"] in ("", rule.level)
    ]
    page = wanted[:limit]
    return {"rules": [asdict(rule) for rule in page], "next_cursor": page[-1].id if len(wanted) > limit else ""}


@catalogue.get("/rules/failures")
@permit(catalogue, "rules.read")
@catalogue.output(schemas.RuleFailuresOut)
def list_failures() -> Body:
    """List the rules that could not be loaded"""
    return {"failures": [asdict(failure) for failure in services().rules().failures]}


@catalogue.get("/rules/<path:rule_id>")
@permit(catalogue, "rules.read")
@catalogue.output(schemas.RuleOut)
@catalogue.doc(responses=[404])
def get_rule(rule_id: str) -> Body:
    """Read one rule"""
    rule = services().rules().find(rule_id)
    if rule is None:
        raise NotFound(f"there is no rule {rule_id[:160]}")
    return asdict(rule)


@catalogue.get("/sources")
@permit(catalogue, "sources.read")
@catalogue.output(schemas.SourcesOut)
def list_sources() -> Body:
    """List what comes in"""
    return {"sources": [asdict(source) for source in services().health()]}


@catalogue.get("/health")
@permit(catalogue, "sources.read")
@catalogue.output(schemas.HealthOut)
def health() -> Body:
    """Read the state of the platform

    ``received = stored + quarantined + dropped`` holds over the counters, apart from what is on its way.
    """
    sources = services().health()
    failing = [source.id for source in sources if source.error]
    return {
        "status": "degraded" if failing else "ok",
        "version": services().version,
        "sources": len(sources),
        "failing_sources": failing,
        "store": services().store.statistics(),
        "counters": services().store.counters(),
    }
