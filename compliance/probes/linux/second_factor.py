"""Two ways to prove who one is at a login."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import keyed
from compliance.probes.formats.pam import stack
from compliance.probes.formats.sshd import in_blocks

_MODULES = (
    "pam_google_authenticator", "pam_oath", "pam_u2f", "pam_yubico", "pam_radius_auth", "pam_pkcs11", "pam_p11", "pam_sss_gss",
    "pam_fprintd", "pam_biometric", "pam_duo", "pam_ukey",
)  # fmt: skip


def _judge(facts: Facts) -> Judgement:
    found = keyed(facts.text("sshd"))
    methods = found.get("authenticationmethods", "any")
    lists = methods.split()
    if lists and methods != "any" and all(len({part.partition(":")[0] for part in one.split(",")}) > 1 for one in lists):
        others = in_blocks(facts.files("sshd-files"), "authenticationmethods")
        return judgement(weak=[one for one in others if "," not in one], good=[f"AuthenticationMethods {methods}"])
    modules = [rule.module for rule in stack(facts.files("pam"), "sshd", "auth") if rule.module in _MODULES]
    if modules:
        shown = ", ".join(dict.fromkeys(modules))
        way_around = found.get("pubkeyauthentication") == "yes"
        note = Text(f"{shown}; not for logins with a key", f"{shown}；密钥登录不经过它")
        return judgement(weak=[note] if way_around else [], good=[shown])
    return judgement([Text("one way is enough to log in", "一种鉴别方式即可登录")])


PROBE = Probe(
    id="host.mfa.second_factor",
    way="host.mfa",
    source="linux",
    items=("8.1.4.1.d",),
    units=("6.3.1",),
    reads=("sshd", "pam", "sshd-files"),
    title=Text("Second factor", "双因素鉴别"),
    criterion=Text(
        "each SSH login needs two kinds of proof, one of them cryptographic (a bastion in front is for a person to say)",
        "每次 SSH 登录需两种鉴别方式且其一为密码技术（由堡垒机实现的由人判定）",
    ),
    to_be_confirmed=True,
    reproduce="sshd -T | grep -i authenticationmethods; cat /etc/pam.d/sshd",
    judge=_judge,
)
