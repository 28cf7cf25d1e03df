"""The commands that change other systems, by kind, as [playbooks] of the configuration allows them."""

from __future__ import annotations

from playbooks.actions.contract import ActionKind
from playbooks.actions.nft_block import NftBlockAction
from playbooks.actions.nft_unblock import NftUnblockAction
from playbooks.actions.settings import Settings
from playbooks.actions.ssh import Ssh


def system(settings: Settings = Settings()) -> dict[str, ActionKind]:
    """The commands. With the default settings they can say what they would do, and reach nothing."""
    return {
        "ssh": Ssh(settings),
        "liandun-nft-block": NftBlockAction(settings),
        "liandun-nft-unblock": NftUnblockAction(settings),
    }
