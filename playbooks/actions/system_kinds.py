"""The commands that change other systems, by kind, as [playbooks] of the configuration allows them."""

from __future__ import annotations

from kernel.db import Database
from playbooks.actions.account_disable import AccountDisableAction
from playbooks.actions.account_enable import AccountEnableAction
from playbooks.actions.audited import Audited
from playbooks.actions.bash import Bash
from playbooks.actions.contract import ActionKind
from playbooks.actions.destination import Reach
from playbooks.actions.host_isolate import HostIsolateAction
from playbooks.actions.host_release import HostReleaseAction
from playbooks.actions.nft_block import NftBlockAction
from playbooks.actions.nft_unblock import NftUnblockAction
from playbooks.actions.powershell import Powershell
from playbooks.actions.settings import Settings
from playbooks.actions.sinkhole_add import SinkholeAddAction
from playbooks.actions.sinkhole_remove import SinkholeRemoveAction
from playbooks.actions.ssh import Ssh


def system(settings: Settings = Settings(), database: Database | None = None, reach: Reach = Reach()) -> dict[str, ActionKind]:
    """The commands; with the default settings they can say what they would do, and reach nothing.

    database  where their attempts are written into the audit trail; None: for a dry run, which attempts nothing
    reach     the networks that Windows hosts may be in
    """
    kinds: dict[str, ActionKind] = {
        "bash": Bash(settings),
        "powershell": Powershell(settings, reach),
        "ssh": Ssh(settings),
        "liandun-account-disable": AccountDisableAction(settings),
        "liandun-account-enable": AccountEnableAction(settings),
        "liandun-host-isolate": HostIsolateAction(settings),
        "liandun-host-release": HostReleaseAction(settings),
        "liandun-nft-block": NftBlockAction(settings),
        "liandun-nft-unblock": NftUnblockAction(settings),
        "liandun-sinkhole-add": SinkholeAddAction(settings),
        "liandun-sinkhole-remove": SinkholeRemoveAction(settings),
    }
    return kinds if database is None else {name: Audited(kind, database) for name, kind in kinds.items()}
