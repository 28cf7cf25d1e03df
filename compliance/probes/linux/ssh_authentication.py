"""sshd lets nobody in without authentication, or because of the host he comes from."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, Words, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import keyed
from compliance.probes.formats.sshd import in_blocks

_WANTED = {"permitemptypasswords": "no", "hostbasedauthentication": "no", "ignorerhosts": "yes", "strictmodes": "yes"}


def _judge(facts: Facts) -> Judgement:
    found = keyed(facts.text("sshd"))
    if "permitemptypasswords" not in found:
        raise Unreadable("sshd does not say PermitEmptyPasswords", "sshd 未给出 PermitEmptyPasswords")
    wrong = [f"{key} {found[key]}" for key, value in _WANTED.items() if found.get(key, value) != value]
    bad: list[Words] = [one for one in wrong if not one.startswith(("ignorerhosts", "strictmodes"))]
    weak = [one for one in wrong if one.startswith(("ignorerhosts", "strictmodes"))]
    bad += [one for one in in_blocks(facts.files("sshd-files"), "permitemptypasswords") if one.lower().endswith(" yes")]
    if found.get("usepam") == "no" and found.get("passwordauthentication") == "yes":
        bad.append(
            Text(
                "usepam no: lockout and password rules do not hold",
                "usepam no：锁定与口令策略不起作用",
            )
        )
    return judgement(bad, weak)


PROBE = Probe(
    id="host.sshd_config.authentication",
    way="host.sshd_config",
    source="linux",
    items=("8.1.4.1.a",),
    units=("6.3.1",),
    reads=("sshd", "sshd-files"),
    title=Text("SSH authentication", "SSH 身份鉴别"),
    criterion=Text(
        "sshd takes no empty passwords, trusts no host, and passwords go through PAM",
        "sshd 不接受空口令、不信任主机，口令经 PAM 校验",
    ),
    reproduce="sshd -T | grep -iE 'permitempty|hostbased|rhosts|usepam'",
    judge=_judge,
)
