"""What our commands that change other systems are told; ``parameters`` has the rest, and the table of all."""

from __future__ import annotations

from typing import Annotated

import msgspec

from playbooks.actions.parameter_base import Parameters, Reason

MOST_MINUTES = 43_200
"""Thirty days: what shall last longer belongs into the configuration of the system."""
_Address = Annotated[str, msgspec.Meta(min_length=2, max_length=64)]
_Minutes = Annotated[int, msgspec.Meta(ge=1, le=MOST_MINUTES)]


BY_SSH = frozenset({"liandun-nft-block", "liandun-nft-unblock"})
"""Commands that go to a target by SSH."""
HERE_TOO = frozenset({"liandun-nft-block", "liandun-nft-unblock"})
"""Those of them that act on the platform's own machine where they have no target."""


class NftBlockParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Drop all packets from and to an address or network, for so many minutes: the kernel of the gateway ends it."""

    address: _Address
    reason: Reason
    minutes: _Minutes = 60


class NftUnblockParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End a block of this run before its time; with ``force`` whoever's it is."""

    address: _Address
    reason: Reason
    force: bool = False
