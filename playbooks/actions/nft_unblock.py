"""``liandun-nft-unblock``: end a block before its time. Gives ``unblocked``: ``true`` where packets pass again.

Without ``force`` it ends what this very run blocked, and nothing else: an undo step cannot open what an administrator or another
playbook closed. Where others hold the same block, it stays for them.
"""

from __future__ import annotations

from playbooks.actions import nft, nft_table
from playbooks.actions.contract import Context, Plan, Request
from playbooks.actions.nft_table import Block
from playbooks.actions.place import place_name, place_of
from playbooks.actions.protected import blockable
from playbooks.actions.system_action import SystemAction, run_number
from playbooks.actions.system_parameters import NftUnblockParameters


class NftUnblockAction(SystemAction[NftUnblockParameters]):
    """The action."""

    kind = "liandun-nft-unblock"

    def told(self, given: NftUnblockParameters, request: Request) -> Plan:
        network, where = blockable(given.address), place_name(request)
        whose = "whoever blocked it" if given.force else "if this run blocked it"
        return Plan(f"end the block of {network} at {where}, {whose}", (str(network), where))

    def act(self, given: NftUnblockParameters, request: Request, context: Context) -> dict[str, str]:
        network = blockable(given.address)
        place = place_of(request, self.settings, context)
        found = nft_table.same(network, nft_table.blocks(place, network))
        lines = _lines(found, run_number(request), force=given.force) if found else []
        if lines:
            nft.apply(place, lines)
            found = nft_table.same(network, nft_table.blocks(place, network))
        return {"unblocked": "false" if found else "true"}


def _lines(block: Block, run: str, *, force: bool) -> list[str]:
    """What nft is told; nothing where the block is not this run's."""
    element = block.element
    others = tuple(one for one in element.runs if one != run)
    if force or not others:
        return list(nft_table.unblocked(block.network))
    if len(others) == len(element.runs):
        return []
    return list(nft_table.blocked(block.network, others, element.timeout or element.lasts or 1, element.lasts))
