"""Our own actions by kind. Apart from ``registry``, since they bring the services of the platform with them."""

from __future__ import annotations

from crypto.secret import MasterKey
from kernel.db import Database
from playbooks.actions.alert_status import AlertStatusAction
from playbooks.actions.contract import ActionKind
from playbooks.actions.evidence_host import EvidenceHostAction
from playbooks.actions.evidence_packets import EvidencePacketsAction, PacketSource, no_packets
from playbooks.actions.incident_note import IncidentNoteAction
from playbooks.actions.indicator_add import IndicatorAddAction
from playbooks.actions.indicator_revoke import IndicatorRevokeAction
from playbooks.actions.notify import NotifyAction
from playbooks.actions.settings import Settings
from playbooks.actions.ticket import TicketAction
from playbooks.actions.warning_discard import WarningDiscardAction
from playbooks.actions.warning_draft import WarningDraftAction


def own(
    database: Database | None, key: MasterKey | None = None, packets: PacketSource = no_packets, settings: Settings = Settings()
) -> dict[str, ActionKind]:
    """Our own commands by kind, for runs whose journal is in this very database: their requests are known by the run's number.

    key       seals evidence
    packets   where kept packets come from
    settings  which hosts may be read

    None: for a dry run, which is only told what they would do.
    """
    return {
        "liandun-alert-status": AlertStatusAction(database),
        "liandun-evidence-host": EvidenceHostAction(database, key, settings),
        "liandun-evidence-packets": EvidencePacketsAction(database, key, packets),
        "liandun-incident-note": IncidentNoteAction(database),
        "liandun-indicator-add": IndicatorAddAction(database),
        "liandun-indicator-revoke": IndicatorRevokeAction(database),
        "liandun-notify": NotifyAction(database),
        "liandun-ticket": TicketAction(database),
        "liandun-warning-discard": WarningDiscardAction(database),
        "liandun-warning-draft": WarningDraftAction(database),
    }
