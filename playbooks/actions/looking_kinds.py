"""The commands of the standard that only look, by kind. Apart from ``registry``, since they may write into the audit trail."""

from __future__ import annotations

from kernel.db import Database
from playbooks.actions.audited import Audited
from playbooks.actions.contract import ActionKind
from playbooks.actions.destination import Reach
from playbooks.actions.elastic import Elastic
from playbooks.actions.sigma import RuleHunt, Sigma


def looking(reach: Reach, hunt: RuleHunt | None = None, database: Database | None = None) -> dict[str, ActionKind]:
    """The commands.

    reach     the networks that an Elasticsearch may be in
    hunt      looks for Sigma rules; None: where there is no event store, there is no such command
    database  where attempts are written into the audit trail; None: nowhere
    """
    kinds: dict[str, ActionKind] = {"elastic": Elastic(reach)}
    if hunt is not None:
        kinds["sigma"] = Sigma(hunt)
    return kinds if database is None else {name: Audited(kind, database) for name, kind in kinds.items()}
