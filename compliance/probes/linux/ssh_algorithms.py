"""SSH connections use no broken algorithm."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import keyed

_BROKEN = re.compile(
    r"arcfour|3des|blowfish|cast128|^des|none|hmac-md5|hmac-ripemd|group1-sha1|group-exchange-sha1|^ssh-dss", re.ASCII
)
_OLD = re.compile(r"-cbc$|hmac-sha1|umac-64|group14-sha1$|^ssh-rsa$", re.ASCII)


def _judge(facts: Facts) -> Judgement:
    found = keyed(facts.text("sshd"))
    if "ciphers" not in found:
        raise Unreadable("sshd does not say its ciphers", "sshd 未给出加密算法")
    names = [
        name for key in ("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms") for name in found.get(key, "").split(",") if name
    ]
    bad = [name for name in names if _BROKEN.search(name)]
    weak = [name for name in names if _OLD.search(name) and name not in bad]
    return judgement(bad, weak)


PROBE = Probe(
    id="host.sshd_config.algorithms",
    way="host.sshd_config",
    source="linux",
    items=("8.1.4.1.c", "8.1.5.4.b"),
    units=("6.3.2",),
    reads=("sshd",),
    title=Text("SSH algorithms", "SSH 密码算法"),
    criterion=Text(
        "ciphers, MACs and key exchanges of sshd are none that is broken; CBC and SHA-1 are partly",
        "sshd 的加密、校验与密钥交换算法均未被攻破；仍有 CBC、SHA-1 为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="sshd -T | grep -iE '^(ciphers|macs|kexalgorithms|hostkeyalgorithms)'",
    judge=_judge,
)
