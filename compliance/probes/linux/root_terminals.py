"""Root logs in at few terminals only."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import uncommented
from compliance.probes.formats.pam import stack


def _judge(facts: Facts) -> Judgement:
    asked = any(rule.module == "pam_securetty" for rule in stack(facts.files("pam"), "login", "auth"))
    text = facts.files("securetty").get("/etc/securetty")
    if not asked or text is None:
        return judgement(weak=[Text("root may log in at any terminal", "root 可在任意终端登录")])
    far = [line for line in uncommented(text) if line.startswith(("pts/", "ttyS", "ttyUSB"))]
    return judgement(far, good=[Text("securetty is asked", "已启用 securetty")])


PROBE = Probe(
    id="host.accounts.root_terminals",
    way="host.accounts",
    source="linux",
    items=("8.1.4.4.c",),
    reads=("pam", "securetty"),
    title=Text("Terminals of root", "root 登录终端"),
    criterion=Text("root logs in at terminals that securetty names, none of them far", "root 只能在 securetty 列出的本地终端登录"),
    to_be_confirmed=True,
    reproduce="cat /etc/securetty; grep securetty /etc/pam.d/login",
    judge=_judge,
)
