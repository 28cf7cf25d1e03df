"""What every page shows around its content: menu, who is logged in, state of the sources, a message after an act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Flask, g, request, url_for

from operations.alerts.suppressions import count_asked
from operations.duty.escalation import list_escalations
from operations.duty.roster import first_on_duty
from operations.services.listing import count_open
from operations.tickets.listing import count_waiting
from operations.tuning.listing import count_proposed
from playbooks.run import listing as runs
from soc_ui import access, csrf, preferences
from soc_ui.accounts.words import role_names
from soc_ui.compliance import waiting as compliance_waiting
from soc_ui.frame_session import frame_session
from soc_ui.locale import _, ngettext
from soc_ui.preferences import local_path
from soc_ui.services import SourceHealth, services, source_health
from soc_ui.warnings.waiting import waiting_now


@dataclass(frozen=True)
class SourcesState:
    """How many sources work; ``led`` is the class of the lamp: "", warn, bad, off."""

    good: int
    total: int
    led: str


@dataclass(frozen=True)
class Notice:
    """A message after an act; ``undo`` is the batch that takes it back, ``next`` where to go after that."""

    text: str
    undo: str = ""
    next: str = "/"
    bad: bool = False


def sources_state() -> SourcesState:
    """One lamp for all sources: red as soon as one has an error or drops records."""
    if "sources_state" not in g:
        found = source_health()
        failed = [source for source in found if source.error]
        losing = [source for source in found if source.dropped]
        led = "off" if not found else "bad" if failed else "warn" if losing else ""
        g.sources_state = SourcesState(len(found) - len(failed), len(found), led)
    state = g.sources_state
    assert isinstance(state, SourcesState)
    return state


def source_led(source: SourceHealth) -> str:
    """Lamp of one source."""
    if source.error:
        return "bad"
    if source.dropped or source.lag_seconds > 60:
        return "warn"
    return "" if source.received else "off"


def source_kind(kind: str) -> str:
    """What the kind of a source is called; the programs that read sources speak English (cli.roles.ingest)."""
    names = {
        "syslog UDP": _("syslog UDP"),
        "syslog TCP": _("syslog TCP"),
        "pcap folder": _("pcap folder"),
        "audit trail": _("audit trail"),
    }
    word, _space, rest = kind.partition(" ")
    if word == "file" and rest:
        return _("file %(format)s", format=rest)
    return _("interface %(name)s", name=rest) if word == "interface" and rest else names.get(kind, kind)


def navigation() -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Menu groups: heading, then endpoint, icon and name of each page that this person may open."""
    me = access.me()
    groups = [
        (
            _("Monitoring"),
            [
                ("alerts.read", ("overview.page", "layout-dashboard", _("Overview"))),
                ("alerts.read", ("wall.page", "chart-bar", _("Situation wall"))),
                ("alerts.read", ("alerts.queue", "alert-triangle", _("Alerts"))),
                ("incidents.read", ("incidents.page", "file-alert", _("Incidents"))),
                ("warnings.read", ("warnings.board", "speakerphone", _("Warnings"))),
                ("risk.read", ("risk.page", "activity", _("Risk"))),
                ("events.read", ("hunt.page", "list-search", _("Hunt"))),
                ("searches.supervise", ("hunt_searches.page", "list-search", _("Scheduled searches"))),
            ],
        ),
        (
            _("Operations"),
            [
                ("playbooks.read", ("playbooks.page", "player-play", _("Playbooks"))),
                ("tickets.read", ("tickets.page", "inbox", _("Tickets"))),
                ("tickets.read", ("improvements.page", "bolt", _("Improvements"))),
                ("services.read", ("service_desk.page", "id-badge-2", _("Services"))),
                ("duty.read", ("duty.page", "calendar", _("Duty"))),
                ("reports.read", ("reports.page", "file-text", _("Reports"))),
                ("compliance.read", ("compliance.page", "shield-check", _("Compliance"))),
            ],
        ),
        (
            _("Zones and assets"),
            [
                ("zones.read", ("zones.page", "map-2", _("Zone map"))),
                ("zones.read", ("conduits.page", "plug-connected", _("Conduits"))),
                ("assets.read", ("inventory.page", "devices", _("Assets"))),
                ("advisories.read", ("advisories.page", "bug", _("Advisories"))),
            ],
        ),
        (
            _("Platform"),
            [
                ("sources.read", ("sources.page", "database-import", _("Sources"))),
                ("rules.read", ("rules.page", "book-2", _("Rules"))),
                ("intel.read", ("intel.page", "hash", _("Indicators"))),
                ("tuning.read", ("tuning.page", "target-arrow", _("Rule tuning"))),
                ("rules.read", ("attack.page", "baseline-density-small", _("ATT&CK matrix"))),
                ("platform.read", ("health.page", "heart-rate-monitor", _("System health"))),
            ],
        ),
        (
            _("Administration"),
            [
                ("accounts.read", ("people.page", "user-check", _("Accounts"))),
                ("accounts.read", ("proposals.page", "circle-check", _("Proposals"))),
                ("keys.all" if me.may("keys.all") else "keys.own", ("keys.page", "key", _("API keys"))),
                ("risk.settings", ("risk.numbers", "activity", _("Numbers of risk"))),
                ("suppressions.release", ("alert_suppressions.page", "ban", _("Suppressions"))),
                ("warnings.settings", ("warning_tables.page", "speakerphone", _("Tables of warnings"))),
                ("playbooks.secrets", ("playbook_secrets.page", "lock", _("Secrets of playbooks"))),
                ("webhooks.manage", ("webhooks.page", "bell", _("Webhooks"))),
                ("audit.read", ("audit.page", "history", _("Audit trail"))),
            ],
        ),
    ]
    allowed = [(heading, [entry for permission, entry in entries if me.may(permission)]) for heading, entries in groups]
    return [(heading, entries) for heading, entries in allowed if entries]


def tickets_waiting() -> int:
    """Open tickets in which it is this person's turn; counted once a request."""
    if "tickets_waiting" not in g:
        with frame_session() as session:
            g.tickets_waiting = count_waiting(session, access.me().name)
    return int(g.tickets_waiting)


def menu_count(endpoint: str) -> int:
    """How much waits on a page of the menu for this person: warnings, tickets, applications, escalations, exceptions, waivers."""
    me = access.me()
    if endpoint == "warnings.board":
        return waiting_now().total
    if endpoint == "compliance.page":
        return sum(compliance_waiting.waiting_now().values())
    if endpoint == "tickets.page":
        return tickets_waiting()
    if endpoint == "service_desk.page" and me.may("services.handle"):
        with frame_session() as session:
            return count_open(session)
    if endpoint == "alert_suppressions.page":
        with frame_session() as session:
            return count_asked(session)
    if endpoint == "playbooks.page":
        kinds = [("playbooks.approve", ("approval",)), ("playbooks.run", ("manual", "unknown"))]
        with frame_session() as session:
            return runs.count_asked(session, tuple(kind for permission, those in kinds if me.may(permission) for kind in those))
    if endpoint == "tuning.page" and me.may("tuning.decide"):
        with frame_session() as session:
            return count_proposed(session)
    if endpoint == "duty.page":
        with frame_session() as session:
            return len(list_escalations(session, waiting=True, limit=100))
    return 0


def on_duty_now() -> str:
    """Who is on duty now, for the top bar; "" where nobody is."""
    with frame_session() as session:
        return first_on_duty(session)


def preference_url(**choice: str) -> str:
    """Link that changes a preference and comes back to this page."""
    here = request.full_path.rstrip("?") if request.method == "GET" else request.path
    return f"{url_for('preferences.choose')}?{urlencode({'next': here, **choice})}"


def _notice() -> Notice | None:
    """The message that the redirect after an act asks for (``done=``, ``n=``, ``batch=``). Its words never come from the URL."""
    done, count = request.args.get("done", ""), request.args.get("n", 0, int)
    texts = {
        "change": ngettext("%(num)d alert changed.", "%(num)d alerts changed.", count),
        "undo": ngettext("Taken back for %(num)d alert.", "Taken back for %(num)d alerts.", count),
        "merged": ngettext("%(num)d alert merged.", "%(num)d alerts merged.", count),
        "merged_some": _("%(n)d merged; alerts that somebody else changed in the meantime stay as they are.", n=count),
        "two": _("Select two alerts or more."),
        "note": _("Note added."),
        "view": _("View saved."),
        "indicator": _("Saved. The workers follow within seconds."),
        "improvement": _("Written into the register."),
        "mlps": _("Saved."),
        "mlps_objects": ngettext("%(num)d object added.", "%(num)d objects added.", count),
        "mlps_score": _("Scored and kept."),
        "mlps_decided": _("Decided."),
        "mlps_verdict": _("Verdict recorded."),
        "mlps_confirmed": _("Confirmed by name and source."),
        "mlps_finding": _("Written down."),
        "mlps_request": _("Asked. The organisation of the system is told by a ticket."),
        "mlps_revoked": _("Revoked: the link opens nothing any more."),
        "mlps_evidence": _("Evidence sealed."),
        "search": _("Search saved."),
        "search_deleted": _("Search deleted."),
        "search_stopped": _("Search stopped."),
        "suppressed": _("Suppression in force."),
        "lifted": _("Suppression lifted: what comes now shows again."),
        "question": _("Answer given; the run goes on within a second."),
        "run_started": _("Started."),
        "playbook_saved": _("Saved as a new version; nothing has come into force."),
        "playbook_released": _("In force: every start from now on runs this version."),
        "playbook_switched": _("Playbook changed."),
        "trigger": _("Trigger changed."),
        "trigger_made": _("Trigger made; a second person switches it on."),
        "trigger_removed": _("Trigger removed."),
        "secret": _("Secret kept; runs use it from their next command on."),
        "secret_removed": _("Secret removed."),
        "run_cancel": _("The run is being cancelled."),
        "run_undo": _("What it did is being taken back."),
        "run_settled": _("It counts as taken back in a moment."),
        "account": _("Account changed."),
        "proposed": _("Proposed. It takes effect when a second person confirms it."),
        "decided": _("Decided."),
        "sessions": _("Session ended."),
        "factor": _("Second factors changed."),
        "password": _("Password changed; all other sessions have ended."),
        "key": _("Key revoked."),
        "key_changed": _("Key narrowed."),
        "webhook": _("Webhook changed."),
        "webhook_deleted": _("Webhook deleted."),
        "inbound": _("Source changed."),
        "inbound_removed": _("Source removed."),
        "test": _("Test message queued; its attempts appear here in a few seconds."),
        "replay": _("Message queued again."),
        "zone": _("Zone saved."),
        "zone_deleted": _("Zone deleted."),
        "conduit": _("Conduit saved."),
        "conduit_deleted": _("Conduit deleted."),
        "plan": ngettext("%(num)d entry of the plan taken in.", "%(num)d entries of the plan taken in.", count),
        "asset": _("Asset saved."),
        "registered": ngettext("%(num)d device registered.", "%(num)d devices registered.", count),
        "software": _("Software saved."),
        "software_import": ngettext("%(num)d entry of software taken in.", "%(num)d entries of software taken in.", count),
        "forgotten": _("Device taken off the list."),
        "incident": _("Incident changed."),
        "incident_made": _("Incident made."),
        "deadline": _("Deadline set; running clocks follow it."),
        "incident_conflict": _("Somebody else changed this in the meantime; here is how it stands now."),
        "warning": _("Warning saved."),
        "warning_submit": _("Submitted. A second person approves it."),
        "warning_discard": _("Draft thrown away."),
        "warning_approve": _("Approved. It can be published now."),
        "warning_return": _("Sent back to its writers."),
        "warning_publish": _("Published."),
        "warning_adjust": _("Adjusted: a new edition went to every receiver."),
        "warning_lift": _("Warning lifted."),
        "warning_receive": _("Signed. Feedback is still due."),
        "warning_feedback": _("Feedback given."),
        "warning_table": _("Table saved."),
        "risk_numbers": _("Numbers saved; the risks are computed anew within a minute."),
        "exception": _("Proposed. It takes effect when a security administrator approves it."),
        "exception_approved": _("Approved. The workers follow within seconds."),
        "exception_refused": _("Decided."),
        "exception_lifted": _("Ended. The workers follow within seconds."),
        "rule_off": _("Rule switched off. The workers follow within seconds."),
        "ticket": _("Ticket changed."),
        "ticket_opened": _("Ticket opened."),
        "attached": _("Attachment kept."),
        "application": _("Application changed."),
        "applied": _("Applied. The operator accepts it, or says why not."),
        "terms": _("Periods of the service changed."),
        "roster": ngettext("%(num)d place of the roster filled.", "%(num)d places of the roster filled.", count),
        "cleared": _("Taken off the roster."),
        "shifts": _("Shifts changed."),
        "handover": _("Hand-over note written; the coming shift takes it over."),
        "taken_over": _("Shift taken over."),
        "logged": _("Written into the shift log."),
        "escalated": _("Passed to the next person on duty."),
        "answered": _("You take care of it."),
        "conflict": _("Somebody else changed this alert in the meantime; here is how it stands now."),
        "nothing": _("Nothing was selected."),
    }
    if done not in texts:
        return None
    back = [pair for pair in request.args.items(multi=True) if pair[0] not in ("done", "n", "batch")]
    target = local_path(f"{request.path}?{urlencode(back)}")
    return Notice(
        texts[done],
        request.args.get("batch", "")[:64] if done in ("change", "merged", "merged_some") else "",
        target,
        done in ("conflict", "incident_conflict", "nothing", "two", "merged_some"),
    )


def install(app: Flask) -> None:
    """Gives templates what the frame needs."""

    @app.context_processor
    def context() -> dict[str, Any]:
        return {
            "prefs": preferences.current(),
            "me": g.get("principal"),
            "csrf_token": csrf.token_for(access.guarding_cookie()),
            "navigation": navigation() if g.get("principal") else [],
            "menu_count": menu_count,
            "on_duty_now": on_duty_now,
            "role_name": lambda role: role_names().get(role, role),
            "notice": _notice() if request.endpoint else None,
            "preference_url": preference_url,
            "sources_state": sources_state,
            "source_led": source_led,
            "source_kind": source_kind,
            "version": services().version,
            "settings": services().settings,
        }
