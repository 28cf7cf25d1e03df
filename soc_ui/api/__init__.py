"""The REST API ``/api/v1`` (OpenAPI 3.1 at ``/api/v1/openapi.json``): alerts, warnings, incidents, events, rules and their tuning,
indicators, playbooks, sources, zones, assets, tickets, services, duty, reports,
compliance, webhooks, keys, accounts and proposals, audit.

    curl -H "Authorization: Bearer ldn_…" https://console/api/v1/alerts?status=new&level=critical

Errors are problem+json (RFC 9457); lists are keyset-paged: pass ``next_cursor`` back as ``cursor``.
"""

from __future__ import annotations

from apiflask import APIFlask

from soc_ui.api import (
    accounts,
    advisories,
    alert_views,
    alerts,
    assets,
    audit,
    catalogue,
    description,
    duty,
    events,
    guard,
    improvements,
    inbound,
    indicators,
    keys,
    live,
    problems,
    reports,
    risk,
    searches,
    service_desk,
    supervision,
    suppressions,
    tickets,
    tuning,
    warning_settings,
    warnings,
    webhooks,
    zones,
)
from soc_ui.api.alert_packets import alert_packets
from soc_ui.api.alert_surroundings import alert_surroundings
from soc_ui.api.compliance_assessment import compliance_assessment
from soc_ui.api.compliance_documents import compliance_documents
from soc_ui.api.compliance_findings import compliance_findings
from soc_ui.api.compliance_review import compliance_review
from soc_ui.api.compliance_systems import compliance_systems
from soc_ui.api.compliance_targets import compliance_targets
from soc_ui.api.inbound_sources import inbound_sources
from soc_ui.api.incident_evidence import incident_evidence
from soc_ui.api.incident_parts import incident_parts
from soc_ui.api.incident_reports import incident_reports
from soc_ui.api.incidents import incidents
from soc_ui.api.playbook_questions import playbook_questions
from soc_ui.api.playbook_runs import playbook_runs
from soc_ui.api.playbook_secrets import playbook_secrets
from soc_ui.api.playbook_triggers import playbook_triggers
from soc_ui.api.playbooks import playbooks

BLUEPRINTS = (
    *(alerts.alerts, alert_packets, alert_surroundings, alert_views.alert_views, suppressions.suppressions),
    *(warnings.warnings, warning_settings.warning_settings),
    *(incidents, incident_parts, incident_evidence, incident_reports),
    *(live.live, events.events, searches.searches, catalogue.catalogue, tuning.tuning, indicators.indicators),
    *(playbooks, playbook_runs, playbook_questions, playbook_triggers, playbook_secrets),
    *(zones.zones, assets.assets, advisories.advisories, advisories.software, risk.risks),
    *(compliance_systems, compliance_assessment, compliance_findings, compliance_documents, compliance_review, compliance_targets),
    *(tickets.tickets, improvements.improvements, service_desk.service_desk, supervision.supervision, duty.duty, reports.reports),
    *(webhooks.webhooks, inbound_sources, keys.keys, accounts.accounts, audit.audit),
)
for _blueprint in BLUEPRINTS:  # here, not in register(): a blueprint may be mounted on several apps, but is set up once
    guard.protect(_blueprint)
    problems.explain(_blueprint)
problems.explain(inbound.inbound)  # not protected: a signature stands in for key and session


def register(app: APIFlask) -> None:
    """Mount the API on ``app``; its services come from ``soc_ui.services``."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.register_blueprint(inbound.inbound)
    app.register_blueprint(description.description)
    problems.install(app)
    description.install(app)
