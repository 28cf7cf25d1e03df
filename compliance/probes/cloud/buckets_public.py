"""Buckets of the object store are private."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.cloud import buckets


def _judge(facts: Facts) -> Judgement:
    found = buckets(facts)
    if not found:
        return not_applicable(Text("there is no bucket", "没有存储桶"))
    bad = [f"{one.name}: {one.acl}" for one in found if one.acl != "private"]
    return judgement(bad, good=[f"{one.name}: {one.acl}" for one in found])


PROBE = Probe(
    id="cloud.iam.buckets",
    way="cloud.iam",
    source="cloud",
    items=("8.1.4.2.e",),
    objects=("cloud_platform", "system_software"),
    reads=("buckets",),
    title=Text("Access to buckets", "存储桶访问权限"),
    criterion=Text("every bucket is private", "存储桶均为私有读写"),
    to_be_confirmed=True,
    reproduce="ossutil api list-buckets --output-format json; ossutil api get-bucket-info --bucket … --output-format json",
    judge=_judge,
)
