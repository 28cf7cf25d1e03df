"""Secrets are sealed, and their key is kept."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Keys


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("keys", Keys)
    if found.problem:
        return judgement([found.problem])
    bad = (
        [Text(f"the master key has the rights {found.mode}", f"主密钥文件权限为 {found.mode}")]
        if int(found.mode, 8) & 0o077
        else []
    )
    weak = (
        [Text("the master key is protected by the rights of its file alone", "主密钥仅靠文件权限保护")]
        if found.keeper == "file"
        else []
    )
    return judgement(bad, weak, [Text(f"{found.sealed} values under {found.keeper}", f"{found.sealed} 项密封于 {found.keeper}")])


PROBE = Probe(
    id="app.crypto.secrets",
    way="app.crypto",
    source="platform",
    items=("8.1.4.8.b",),
    objects=("application", "data", "database"),
    reads=("keys",),
    title=Text("Sealed secrets", "密钥与秘密保护"),
    criterion=Text(
        "secrets are sealed under a master key that a token or device keeps; its file alone is partly",
        "秘密以主密钥密封，主密钥由密码设备保护；仅文件保护为部分符合",
    ),
    reproduce="./liandun secrets status",
    judge=_judge,
)
