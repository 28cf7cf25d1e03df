"""What our commands that change other systems are told; ``parameters`` has the rest, and the table of all."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from playbooks.actions.parameter_base import Parameters, Reason

MOST_MINUTES = 43_200
"""Thirty days: what shall last longer belongs into the configuration of the system."""
_Address = Annotated[str, msgspec.Meta(min_length=2, max_length=64)]
_Minutes = Annotated[int, msgspec.Meta(ge=1, le=MOST_MINUTES)]


BY_SSH = frozenset(
    {
        "liandun-evidence-host",
        "liandun-host-isolate",
        "liandun-host-release",
        "liandun-nft-block",
        "liandun-nft-unblock",
        "liandun-sinkhole-add",
        "liandun-sinkhole-remove",
    }
)
"""Commands that go to a target by SSH."""
HERE_TOO = frozenset({"liandun-nft-block", "liandun-nft-unblock"})
"""Those of them that act on the platform's own machine where they have no target."""


class NftBlockParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Drop all packets from and to an address or network, for so many minutes: the kernel of the gateway ends it."""

    words = frozenset({"reason"})
    address: _Address
    reason: Reason
    minutes: _Minutes = 60


class NftUnblockParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End a block of this run before its time; with ``force`` whoever's it is."""

    words = frozenset({"reason"})
    address: _Address
    reason: Reason
    force: bool = False


class HostIsolateParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let the target speak to nobody but the management for so many minutes: its own kernel ends it."""

    words = frozenset({"reason"})
    reason: Reason
    minutes: _Minutes = 1440


class HostReleaseParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End the isolation of the target before its time, if this run began it; with ``force`` whoever did."""

    words = frozenset({"reason"})
    reason: Reason
    force: bool = False


class SinkholeAddParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Have a DNS server answer a name, and every name below it, with the addresses of the configuration, or as not existing."""

    words = frozenset({"reason"})
    domain: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    reason: Reason
    server: Literal["dnsmasq", "unbound"] = "dnsmasq"


class SinkholeRemoveParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answer a name as before, if this run diverted it; with ``force`` whoever did."""

    words = frozenset({"reason"})
    domain: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    reason: Reason
    server: Literal["dnsmasq", "unbound"] = "dnsmasq"
    force: bool = False


class AccountDisableParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let nobody log in with an account of the directory any more."""

    words = frozenset({"reason"})
    account: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    reason: Reason


class AccountEnableParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let people log in with an account again. ``before``: what disabling gave, ``disabled`` = it stays disabled."""

    words = frozenset({"reason"})
    account: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    reason: Reason
    before: Literal["enabled", "disabled"] = "enabled"
