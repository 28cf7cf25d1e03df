"""Names of the kinds of objects that the audit trail tells of, in the language of the page."""

from __future__ import annotations

from soc_ui.locale import _


def names() -> dict[str, str]:
    """Kind → its name, in the order of a menu."""
    return {
        "account": _("Account"),
        "alert": _("Alert"),
        "alert view": _("View of the alerts"),
        "suppression": _("Suppression"),
        "search": _("Saved search"),
        "rule": _("Rule"),
        "indicator": _("Indicator"),
        "indicators": _("Indicators"),
        "warning": _("Warning"),
        "incident": _("Incident"),
        "deadline": _("Deadline of incidents"),
        "ticket": _("Ticket"),
        "application": _("Application for a service"),
        "service": _("Service"),
        "improvement": _("Improvement"),
        "mlps_system": _("MLPS system"),
        "mlps_object": _("Object of assessment"),
        "finding": _("Finding of an assessment"),
        "waiver": _("Waiver"),
        "document": _("Management document"),
        "evidence_request": _("Evidence request"),
        "handout": _("Hand-out link"),
        "organisation": _("Organisation"),
        "duty": _("Duty"),
        "handover": _("Shift handover"),
        "report": _("Operations report"),
        "report_schedule": _("Schedule of reports"),
        "setting": _("Setting"),
        "events": _("Stored events"),
        "zone": _("Zone"),
        "conduit": _("Conduit"),
        "asset": _("Asset"),
        "advisory": _("Advisory"),
        "key": _("Key"),
        "webhook": _("Webhook"),
        "inbound": _("Inbound source"),
        "authority": _("Certificate authority"),
        "certificate": _("Certificate"),
        "evidence": _("Evidence"),
        "audit": _("Audit trail"),
        "master_key": _("Master key"),
        "backup": _("Backup"),
        "page": _("Page"),
        "api": _("API"),
        "other": _("Something else"),
    }
