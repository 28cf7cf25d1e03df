"""Sticks are not simply mounted."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import uncommented


def _judge(facts: Facts) -> Judgement:
    lines = [line for text in facts.files("modprobe").values() for line in uncommented(text)]
    if any(re.match(r"install\s+usb[-_]storage\s+/(usr/)?bin/(false|true)", line) for line in lines):
        return judgement(good=["install usb-storage /bin/false"])
    if "usbguard-daemon" in facts.listed("processes"):
        return judgement(good=["usbguard"])
    if any(re.match(r"blacklist\s+usb[-_]storage", line) for line in lines):
        return judgement(weak=["blacklist usb-storage"])
    return judgement([Text("USB storage works", "可使用 USB 存储")])


PROBE = Probe(
    id="host.usb_events.storage",
    way="host.usb_events",
    source="linux",
    items=("8.1.4.4.b",),
    reads=("modprobe", "processes"),
    title=Text("USB storage", "USB 存储"),
    criterion=Text("the kernel does not load USB storage, or USBGuard decides", "内核不加载 USB 存储驱动，或由 USBGuard 管控"),
    to_be_confirmed=True,
    reproduce="grep -r usb.storage /etc/modprobe.d; systemctl status usbguard",
    judge=_judge,
)
