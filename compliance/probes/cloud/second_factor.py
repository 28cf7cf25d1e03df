"""Who logs in at the console of the cloud has a second factor."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.cloud import User


def _judge(facts: Facts) -> Judgement:
    users = facts.rows("users", list[User])
    if not users:
        return not_applicable(Text("nobody logs in at the console", "没有可登录控制台的用户"))
    bad = [one.name for one in users if not one.factor]
    return judgement(bad, good=[Text(f"{len(users)} users", f"共 {len(users)} 个用户")])


PROBE = Probe(
    id="cloud.iam.second_factor",
    way="cloud.iam",
    source="cloud",
    items=("8.1.4.1.d",),
    objects=("cloud_platform", "system_software"),
    reads=("users",),
    title=Text("Second factor at the console", "控制台双因素登录"),
    criterion=Text("everybody who logs in at the console of the cloud has a second factor", "可登录云控制台的用户均启用多因素认证"),
    to_be_confirmed=True,
    reproduce="aliyun ims GetCredentialReport; hcloud IAM ListUserLoginProtects",
    judge=_judge,
)
