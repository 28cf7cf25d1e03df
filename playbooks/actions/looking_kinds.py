"""The commands of the standard that only look, by kind. Apart from ``registry``, since they may write into the audit trail."""

from __future__ import annotations

from crypto.secret import MasterKey
from kernel.db import Database
from playbooks.actions.audited import Audited
from playbooks.actions.contract import ActionKind
from playbooks.actions.destination import Reach
from playbooks.actions.elastic import Elastic
from playbooks.actions.settings import Settings
from playbooks.actions.sigma import RuleHunt, Sigma
from playbooks.actions.yara import RuleScan, Yara


def looking(
    reach: Reach,
    hunt: RuleHunt | None = None,
    database: Database | None = None,
    *,
    scan: RuleScan | None = None,
    key: MasterKey | None = None,
    settings: Settings = Settings(),
) -> dict[str, ActionKind]:
    """The commands.

    reach     the networks that an Elasticsearch may be in
    hunt      looks for Sigma rules; None: where there is no event store, there is no such command
    scan      looks for YARA rules; None: there is no such command
    key       opens evidence, for it to be scanned
    settings  which hosts may be read
    database  where evidence lies, and where attempts are written into the audit trail; None: nowhere
    """
    kinds: dict[str, ActionKind] = {"elastic": Elastic(reach)}
    if hunt is not None:
        kinds["sigma"] = Sigma(hunt)
    if scan is not None:
        kinds["yara"] = Yara(scan, settings, database, key)
    return kinds if database is None else {name: Audited(kind, database) for name, kind in kinds.items()}
