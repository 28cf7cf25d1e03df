"""Who was there last is not told."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.registry_file import SYSTEM, set_number


def _judge(facts: Facts) -> Judgement:
    hidden = set_number(facts, SYSTEM, "DontDisplayLastUserName", 0)
    return judgement([] if hidden else ["DontDisplayLastUserName = 0"], good=["DontDisplayLastUserName = 1"])


PROBE = Probe(
    id="windows.residual.last_user_name",
    way="host.residual",
    source="windows",
    items=("8.1.4.10.a",),
    reads=("registry", "policy"),
    title=Text("Last user name", "不显示上次登录名"),
    criterion=Text("the login does not show who was there last", "登录界面不显示上次登录的用户名"),
    reproduce="reg query HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System /v DontDisplayLastUserName",
    judge=_judge,
)
