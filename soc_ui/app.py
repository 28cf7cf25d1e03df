"""The application factory: one Flask app with the console's pages and the REST API."""

from __future__ import annotations

from apiflask import APIFlask

import soc_ui.api
from soc_ui import (
    access,
    assets,
    badges,
    event_view,
    frame,
    frame_session,
    headers,
    locale,
    numbers,
    problem_pages,
    rule_titles,
    searching,
    times,
    uploads,
    visible,
)
from soc_ui.accounts.account import account
from soc_ui.accounts.directory import directory
from soc_ui.accounts.people import people
from soc_ui.accounts.proposals import proposals
from soc_ui.accounts.second import second
from soc_ui.accounts.views import accounts
from soc_ui.admin.audit import audit
from soc_ui.admin.health import health
from soc_ui.admin.inbound import inbound
from soc_ui.admin.keys import keys
from soc_ui.admin.routing import webhook_routing
from soc_ui.admin.webhooks import webhooks
from soc_ui.advisories import words as advisory_words
from soc_ui.advisories.views import advisories
from soc_ui.alerts.around import alert_surroundings
from soc_ui.alerts.flyout import alert_flyout
from soc_ui.alerts.group_pages import alert_groups
from soc_ui.alerts.merge_pages import alert_merge
from soc_ui.alerts.packet_views import alert_packets
from soc_ui.alerts.suppression_pages import alert_suppressions
from soc_ui.alerts.view_pages import alert_views
from soc_ui.alerts.views import alerts
from soc_ui.attack.views import attack
from soc_ui.compliance import words as compliance_words
from soc_ui.compliance.confirming import compliance_confirming
from soc_ui.compliance.controls import compliance_controls
from soc_ui.compliance.crypto import compliance_crypto
from soc_ui.compliance.documents import compliance_documents
from soc_ui.compliance.editions import compliance_editions
from soc_ui.compliance.evidence import compliance_evidence
from soc_ui.compliance.findings import compliance_findings
from soc_ui.compliance.handout import handout
from soc_ui.compliance.handouts import compliance_handouts
from soc_ui.compliance.onsite import compliance_onsite
from soc_ui.compliance.overview import compliance_overview
from soc_ui.compliance.progress import compliance_progress
from soc_ui.compliance.reports import compliance_reports
from soc_ui.compliance.review import compliance_review
from soc_ui.compliance.views import compliance
from soc_ui.compliance.waivers import compliance_waivers
from soc_ui.duty import words as duty_words
from soc_ui.duty.roster import duty_roster
from soc_ui.duty.views import duty
from soc_ui.hunt.searches import hunt_searches
from soc_ui.hunt.views import hunt
from soc_ui.improvements import views as improvement_views
from soc_ui.incidents.acts import incident_acts
from soc_ui.incidents.deadlines import incident_deadlines
from soc_ui.incidents.evidence import incident_evidence
from soc_ui.incidents.parts import incident_parts
from soc_ui.incidents.reports import incident_reports
from soc_ui.incidents.views import incidents
from soc_ui.intel import words as intel_words
from soc_ui.intel.views import intel
from soc_ui.inventory import addresses, kinds
from soc_ui.inventory.software import asset_software
from soc_ui.inventory.views import inventory
from soc_ui.live import views as live_views
from soc_ui.overview.views import overview
from soc_ui.playbooks import words as playbook_words
from soc_ui.playbooks.editor import playbook_editor
from soc_ui.playbooks.library import playbooks
from soc_ui.playbooks.questions import playbook_questions
from soc_ui.playbooks.release import playbook_release
from soc_ui.playbooks.runs import playbook_runs
from soc_ui.playbooks.secrets import playbook_secrets
from soc_ui.playbooks.start import playbook_start
from soc_ui.playbooks.statistics import playbook_statistics
from soc_ui.playbooks.triggers import playbook_triggers
from soc_ui.preferences import preferences
from soc_ui.reports import words as report_words
from soc_ui.reports.views import reports
from soc_ui.risk import views as risk_views
from soc_ui.rules.exceptions import exceptions
from soc_ui.rules.tuning import tuning
from soc_ui.rules.views import rules
from soc_ui.service_desk import words as service_words
from soc_ui.service_desk.supervision import supervision
from soc_ui.service_desk.views import service_desk
from soc_ui.services import Services
from soc_ui.sources.views import sources
from soc_ui.tickets import words as ticket_words
from soc_ui.tickets.views import tickets
from soc_ui.wall.views import wall
from soc_ui.warnings import words as warning_words
from soc_ui.warnings.acts import warning_acts
from soc_ui.warnings.tables import warning_tables
from soc_ui.warnings.views import warnings
from soc_ui.zones import names
from soc_ui.zones.conduits import conduits
from soc_ui.zones.plan import zone_plan
from soc_ui.zones.views import zones

MAX_REQUEST_BYTES = 4 * 1024 * 1024


def create_app(services: Services) -> APIFlask:
    """The WSGI application over ``services``. No page loads anything from another origin, the API's documents included."""
    own = {"docs_path": None, "spec_path": None}  # the description stands with the API (soc_ui.api.description)
    app = APIFlask("soc_ui", title="Liandun", version=services.version, static_folder=None, json_errors=False, **own)
    app.config.update(MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES, MAX_FORM_PARTS=5000, MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024)
    app.extensions["liandun"] = services
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    visible.install(app)
    numbers.install(app)
    locale.install(app)
    times.install(app)
    assets.install(app)
    badges.install(app)
    uploads.install(app)
    access.install(app)
    headers.install(app)
    frame.install(app)
    frame_session.install(app)
    event_view.install(app)
    searching.install(app)
    rule_titles.install(app)
    names.install(app)
    live_views.install(app, services.database)
    addresses.install(app)
    kinds.install(app)
    intel_words.install(app)
    for told in (
        warning_words,
        advisory_words,
        ticket_words,
        service_words,
        duty_words,
        report_words,
        risk_views,
        improvement_views,
        compliance_words,
        playbook_words,
    ):
        told.install(app)
    who = (accounts, directory, second, account, proposals, people)
    early = (warnings, warning_acts, warning_tables)
    cases = (incidents, incident_acts, incident_parts, incident_evidence, incident_reports, incident_deadlines)
    work = (tickets, improvement_views.improvements, service_desk, supervision, duty, duty_roster, reports)
    shelf = (playbooks, playbook_start, playbook_release, playbook_editor, playbook_triggers, playbook_secrets)
    response = (*shelf, playbook_runs, playbook_questions, playbook_statistics)
    watch = (live_views.live, overview, wall, risk_views.risk, attack)
    estate = (zones, conduits, zone_plan, inventory, asset_software, advisories, sources, rules, tuning, exceptions, intel)
    proof = (compliance, compliance_controls, compliance_crypto, compliance_onsite, compliance_reports, compliance_confirming)
    mending = (compliance_overview, compliance_findings, compliance_waivers, compliance_progress)
    papers = (compliance_documents, compliance_editions, compliance_evidence, compliance_review, compliance_handouts, handout)
    admin = (keys, webhooks, webhook_routing, inbound, audit, health)
    queue = (alerts, alert_packets, alert_flyout, alert_groups, alert_merge, alert_surroundings, alert_views, alert_suppressions)
    pages = (
        *who,
        *watch,
        *queue,
        *early,
        *cases,
        hunt,
        hunt_searches,
        *response,
        *work,
        *proof,
        *mending,
        *papers,
        *estate,
        *admin,
    )
    for blueprint in (*pages, preferences):
        app.register_blueprint(blueprint)
    soc_ui.api.register(app)
    problem_pages.install(app)
    return app
