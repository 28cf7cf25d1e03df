"""Whoever logs in says who he is."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.devices import device


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    if not found.access:
        raise Unreadable("the configuration has neither console nor vty lines", "配置中没有控制台与 VTY 线路")
    bad = [f"{way.block.head}: {way.authentication}" for way in found.access if way.authentication in ("none", "password")]
    silent = [f"{way.block.head}: -" for way in found.access if way.authentication == ""]
    bad += [one for one in silent if "vty" in one]
    return judgement(
        bad, [one for one in silent if "vty" not in one], lines=[line for way in found.access for line in way.block.lines()]
    )


PROBE = Probe(
    id="netdev.config.accounts_asked",
    way="netdev.config",
    source="network_device",
    items=("8.1.4.1.a", "8.1.4.2.a"),
    units=("6.2.1",),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("Accounts at login", "登录按账户鉴别"),
    criterion=Text(
        "console and vty lines ask for an account, not for a password that all share",
        "控制台与 VTY 均按账户鉴别，不用共用口令",
    ),
    reproduce="display current-configuration | section user-interface; show running-config | section line",
    judge=_judge,
)
