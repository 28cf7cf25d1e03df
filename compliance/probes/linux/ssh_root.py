"""Nobody logs in as root from afar, nor from some places only."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import keyed
from compliance.probes.formats.sshd import in_blocks


def _judge(facts: Facts) -> Judgement:
    value = keyed(facts.text("sshd")).get("permitrootlogin")
    if value is None:
        raise Unreadable("sshd does not say PermitRootLogin", "sshd 未给出 PermitRootLogin")
    shown = f"PermitRootLogin {value}"
    bad = [shown] if value == "yes" else []
    weak = [shown] if value in ("prohibit-password", "without-password", "forced-commands-only") else []
    weak += [one for one in in_blocks(facts.files("sshd-files"), "permitrootlogin") if not one.lower().endswith(" no")]
    return judgement(bad, weak, [shown])


PROBE = Probe(
    id="host.sshd_config.root_login",
    way="host.sshd_config",
    source="linux",
    items=("8.1.4.2.b", "8.1.4.2.d"),
    reads=("sshd", "sshd-files"),
    title=Text("Root over SSH", "root 远程登录"),
    criterion=Text("sshd does not let root in; with a key only is partly", "sshd 不允许 root 直接登录；仅限密钥为部分符合"),
    reproduce="sshd -T | grep -i permitrootlogin",
    judge=_judge,
)
