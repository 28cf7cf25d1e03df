"""SELinux or AppArmor is in force."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts


def _judge(facts: Facts) -> Judgement:
    text = facts.text("mac")
    enforce = re.search(r"^/sys/fs/selinux/enforce (\d)", text, re.MULTILINE)
    if enforce:
        if enforce[1] == "1":
            kept = re.search(r"^\| SELINUX=(\w+)", text, re.MULTILINE)
            stays = kept is None or kept[1] == "enforcing"
            return judgement(
                weak=[] if stays else [f"/etc/selinux/config: SELINUX={kept[1] if kept else ''}"], good=["SELinux enforcing"]
            )
        return judgement(["SELinux permissive"])
    if re.search(r"^/sys/module/apparmor/parameters/enabled Y", text, re.MULTILINE):
        count = re.search(r"^enforced (\d+)", text, re.MULTILINE)
        shown = f"AppArmor, {count[1] if count else '?'} profiles enforced"
        return judgement(good=[shown]) if count and int(count[1]) else judgement(weak=[shown])
    return judgement([Text("neither SELinux nor AppArmor is in force", "SELinux 与 AppArmor 均未启用")])


PROBE = Probe(
    id="host.mac_labels.enforced",
    way="host.mac_labels",
    source="linux",
    items=("8.1.4.2.g",),
    units=("6.3.4",),
    reads=("mac",),
    title=Text("Mandatory access control", "强制访问控制"),
    criterion=Text(
        "SELinux is enforcing, or AppArmor enforces profiles; whether important resources carry labels is for a person to say",
        "SELinux 处于强制模式或 AppArmor 有强制策略；重要资源是否已标记由人判定",
    ),
    reproduce="getenforce; aa-status",
    judge=_judge,
)
