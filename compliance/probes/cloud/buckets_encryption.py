"""Buckets of the object store are encrypted."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.cloud import buckets


def _judge(facts: Facts) -> Judgement:
    found = buckets(facts)
    if not found:
        return not_applicable(Text("there is no bucket", "没有存储桶"))
    bad = [one.name for one in found if not one.encryption]
    return judgement(bad, good=[f"{one.name}: {one.encryption}" for one in found])


PROBE = Probe(
    id="cloud.kms.buckets",
    way="cloud.kms",
    source="cloud",
    items=("8.1.4.8.b",),
    objects=("cloud_platform", "system_software"),
    reads=("buckets",),
    title=Text("Encryption of buckets", "存储桶加密"),
    criterion=Text("every bucket encrypts on the server", "存储桶均启用服务端加密"),
    to_be_confirmed=True,
    reproduce="ossutil api list-buckets --output-format json; ossutil api get-bucket-info --bucket … --output-format json",
    judge=_judge,
)
