"""A session that nobody uses ends."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.devices import device

_LONGEST = 900


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    if not found.access:
        raise Unreadable("the configuration has neither console nor vty lines", "配置中没有控制台与 VTY 线路")
    bad = [Text(f"{way.block.head}: never", f"{way.block.head}：永不超时") for way in found.access if way.idle == 0]
    weak = [f"{way.block.head}: {way.idle} s" for way in found.access if way.idle > _LONGEST]
    good = [f"{way.block.head}: {way.idle} s" for way in found.access]
    return judgement(bad, weak, good, [line for way in found.access for line in way.block.lines()])


PROBE = Probe(
    id="netdev.config.idle_timeout",
    way="netdev.config",
    source="network_device",
    items=("8.1.4.1.b",),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("Idle sessions end", "空闲超时"),
    criterion=Text(
        "sessions end after 15 idle minutes or earlier (10 where nothing is said)",
        "空闲 15 分钟内断开（未配置时默认 10 分钟）",
    ),
    to_be_confirmed=True,
    reproduce="display current-configuration | include idle-timeout; show running-config | include exec-timeout",
    judge=_judge,
)
