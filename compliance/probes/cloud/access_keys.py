"""Access keys are replaced, and the owner of the account has none."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.cloud import Key

_DAYS, _FAR = 90, 365


def _judge(facts: Facts) -> Judgement:
    keys = facts.rows("keys", list[Key])
    if not keys:
        return not_applicable(Text("no access key is in use", "没有启用的访问密钥"))
    shown = {one: f"{one.user} {one.name}: {one.days} d" for one in keys}
    bad = [shown[one] for one in keys if one.days > _FAR or one.user == "<root>"]
    weak = [shown[one] for one in keys if _DAYS < one.days <= _FAR and one.user != "<root>"]
    return judgement(bad, weak, shown.values())


PROBE = Probe(
    id="cloud.iam.access_keys",
    way="cloud.iam",
    source="cloud",
    items=("8.1.4.1.a",),
    objects=("cloud_platform", "system_software"),
    reads=("keys",),
    title=Text("Age of access keys", "访问密钥更换"),
    criterion=Text(
        "access keys are 90 days old at most, over a year is not met, and the owner of the account has none",
        "访问密钥不超过 90 天，超过一年或主账号持有密钥为不符合",
    ),
    to_be_confirmed=True,
    reproduce="aliyun ims GetCredentialReport; hcloud IAM ListPermanentAccessKeys",
    judge=_judge,
)
