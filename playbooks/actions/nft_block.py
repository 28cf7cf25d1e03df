"""``liandun-nft-block``: drop the packets of an address at a gateway, or at this machine, for a time.

Gives ``blocked`` (the address as it stands in the filter), ``blocked_until`` (UTC, "" = for ever) and ``block_state``: ``new``,
``longer`` (it was blocked for a shorter time), or ``already``: then it is not this run's, and taking back leaves it.
"""

from __future__ import annotations

from operations import clock
from playbooks.actions import nft, nft_table
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.nft_table import Block
from playbooks.actions.place import place_name, place_of
from playbooks.actions.protected import Network, blockable, refuse_protected
from playbooks.actions.system_action import SystemAction, run_number
from playbooks.actions.system_parameters import NftBlockParameters


class NftBlockAction(SystemAction[NftBlockParameters]):
    """The action."""

    kind = "liandun-nft-block"

    def told(self, given: NftBlockParameters, request: Request) -> Plan:
        network, where = self._wanted(given), place_name(request)
        return Plan(f"block {network} at {where} for {given.minutes} min: {given.reason[:120]}", (str(network), where))

    def act(self, given: NftBlockParameters, request: Request, context: Context) -> dict[str, str]:
        network, seconds = self._wanted(given), given.minutes * 60
        place = place_of(request, self.settings, context)
        refuse_protected(network, place.ours, "it is the address of the gateway, or our own as the gateway sees it")
        before = _held(network, nft_table.blocks(place, network))
        if before is not None and (before.lasts is None or before.lasts >= seconds):
            return _given(network, before, "already")
        runs = tuple(run for run in (before.runs if before else ()) if run != run_number(request))
        lines = nft_table.blocked(network, (*runs, run_number(request)), seconds)
        nft.apply(place, [*nft_table.foundation(), *lines])
        after = nft_table.same(network, nft_table.blocks(place, network))
        if after is None:
            raise ActionError(f"the filter took {network} and does not hold it", "another program may change it", code="NFT_FAILED")
        return _given(network, after.element, "longer" if before else "new")

    def _wanted(self, given: NftBlockParameters) -> Network:
        network = blockable(given.address)
        refuse_protected(network, (*self.settings.protected, *self.settings.management))
        return network


def _held(network: Network, found: list[Block]) -> nft.Element | None:
    """The element for exactly this network. Raises ActionError(CONFLICT) for one that only overlaps: a set holds no overlaps."""
    if (exact := nft_table.same(network, found)) is not None:
        return exact.element
    for one in found:
        if one.network.overlaps(network):
            raise ActionError(f"{network} overlaps {one.network}, which is blocked", "end that block first", code="CONFLICT")
    return None


def _given(network: Network, element: nft.Element, state: str) -> dict[str, str]:
    until = "" if element.lasts is None else clock.shift(clock.now(), element.lasts)
    shown = network.network_address if network.num_addresses == 1 else network
    return {"blocked": str(shown), "blocked_until": until, "block_state": state}
