"""Passwords are kept as slow hashes."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.accounts import passwords

_STRONG = ("6", "y", "gy", "sm3", "2b", "2y", "7")
_FAIR = ("5",)


def _judge(facts: Facts) -> Judgement:
    found = [one for one in passwords(facts.listed("shadow")) if one.is_set]
    bad = [f"{one.name}: {one.kind}" for one in found if one.kind not in _STRONG + _FAIR]
    weak = [f"{one.name}: {one.kind}" for one in found if one.kind in _FAIR]
    return judgement(bad, weak, [f"{one.name}: {one.kind}" for one in found])


PROBE = Probe(
    id="host.accounts.password_hashes",
    way="host.accounts",
    source="linux",
    items=("8.1.4.7.b", "8.1.4.8.b"),
    units=("6.3.1",),
    reads=("shadow",),
    title=Text("Password hashes", "口令存储算法"),
    criterion=Text(
        "passwords are kept with yescrypt, SHA-512 or SM3; none with MD5 or DES",
        "口令以 yescrypt、SHA-512 或 SM3 方式存储，不用 MD5、DES",
    ),
    to_be_confirmed=True,
    reproduce="awk -F: '{split($2,a,\"$\"); print $1, a[2]}' /etc/shadow",
    judge=_judge,
)
