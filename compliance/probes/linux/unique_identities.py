"""One person, one number: no second UID 0, no UID or name twice."""

from __future__ import annotations

from collections import Counter

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.accounts import accounts


def _judge(facts: Facts) -> Judgement:
    found = [one for text in facts.files("accounts").values() for one in accounts(text)]
    if not found:
        raise Unreadable("/etc/passwd has no account", "/etc/passwd 中没有账户")
    bad = [f"{one.name}: uid 0" for one in found if one.uid == 0 and one.name != "root"]
    names, numbers = Counter(one.name for one in found), Counter(one.uid for one in found if one.uid)
    bad += [f"{name} × {count}" for name, count in names.items() if count > 1]
    bad += [f"uid {uid} × {count}" for uid, count in numbers.items() if count > 1]
    return judgement(bad)


PROBE = Probe(
    id="host.accounts.unique_identities",
    way="host.accounts",
    source="linux",
    items=("8.1.4.1.a", "8.1.4.2.d"),
    units=("6.3.1",),
    reads=("accounts",),
    title=Text("Unique identities", "身份标识唯一"),
    criterion=Text("no name and no UID is there twice, and UID 0 is root alone", "账户名与 UID 均不重复，UID 0 只属于 root"),
    reproduce="awk -F: '$3==0{print $1}' /etc/passwd; cut -d: -f3 /etc/passwd | sort | uniq -d",
    judge=_judge,
)
