"""Answers of the command lines of two providers, as their references document them.

Alibaba Cloud (aliyun, ossutil 2): DescribeSecurityGroups, DescribeSecurityGroupAttribute (ECS 2014-05-26), GetCredentialReport (IMS
2019-08-15; its CSV: RAM, "Generate and download user credential reports"), DescribeTrails (ActionTrail 2020-07-06),
DescribeDBInstances, DescribeDBInstanceNetInfo, DescribeDBInstanceTDE, DescribeBackupPolicy (RDS 2014-08-15), ListBuckets,
GetBucketInfo (OSS).
https://www.alibabacloud.com/help/

Huawei Cloud (hcloud): ListSecurityGroupRules (VPC v3), KeystoneListUsers, ListUserLoginProtects, ListPermanentAccessKeys (IAM v3),
ListTrackers (CTS v3), ListInstances (RDS v3). https://support.huaweicloud.com/ and the models of huaweicloud-sdk-python-v3.

Tried on files in these shapes, not on a real account. Missing means "not said": a value that a shape must have and has not raises.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from compliance.probes.formats.cloud import Base, Bucket, Key, Rule, Trail, User

Answers = Mapping[tuple[str, str], Any]
"""Operation and resource ("" = none), with ``~2`` a further page → what was answered."""


class Incomplete(Exception):
    """The export lacks something that a verdict needs."""


def of(answers: Answers, operation: str) -> list[Any]:
    """All answers of an operation, pages and resources. Raises Incomplete where a page is not there, or the last one goes on."""
    pages: dict[str, dict[int, Any]] = {}
    for (name, asked), said in answers.items():
        if name == operation:
            resource, _, number = asked.partition("~")
            pages.setdefault(resource, {})[int(number or 1)] = said
    for found in pages.values():
        if sorted(found) != list(range(1, len(found) + 1)) or _goes_on(found[len(found)]):
            raise Incomplete(f"more pages of {operation}")
    return [said for found in pages.values() for said in found.values()]


def _goes_on(said: Any) -> bool:
    """Whether a page says that there is another one, each service in its own word."""
    inside = (said.get("page_info") or {}).get("next_marker") or (said.get("links") or {}).get("next")
    return bool(said.get("NextToken") or said.get("NextMarker") or inside) or str(said.get("IsTruncated")).lower() == "true"


def aliyun_rules(answers: Answers) -> list[Rule]:
    """Raises Incomplete, LookupError, TypeError, ValueError."""
    pages = of(answers, "DescribeSecurityGroups")
    groups = {one["SecurityGroupId"] for said in pages for one in said["SecurityGroups"]["SecurityGroup"]}
    for said in pages:
        if int(said["TotalCount"]) > len(groups):
            raise Incomplete(f"{len(groups)} of {said['TotalCount']} security groups")
    told = [(said["SecurityGroupId"], said["Permissions"]["Permission"]) for said in of(answers, "DescribeSecurityGroupAttribute")]
    if missing := sorted(groups - {group for group, _ in told}):
        raise Incomplete(f"DescribeSecurityGroupAttribute of {missing[0]}")
    found = []
    for group, listed in told:
        for rule in listed:
            if rule["Direction"] != "ingress" or rule["Policy"].lower() != "accept":
                continue
            low, high = (int(port) for port in rule["PortRange"].split("/"))
            others = (rule.get("SourceGroupId"), rule.get("SourcePrefixListId"))
            source = rule.get("SourceCidrIp") or rule.get("Ipv6SourceCidrIp") or next(filter(None, others), "")
            found.append(Rule(group, source, rule["IpProtocol"].lower(), low, high))
    return found


def huawei_rules(answers: Answers) -> list[Rule]:
    """Raises Incomplete, LookupError, TypeError, ValueError."""
    found = []
    for said in of(answers, "ListSecurityGroupRules"):
        for rule in said["security_group_rules"]:
            if rule["direction"] != "ingress" or rule["action"] != "allow":
                continue
            source = rule.get("remote_ip_prefix") or rule.get("remote_group_id") or rule.get("remote_address_group_id") or ""
            for ports in (rule.get("multiport") or "-1").split(","):
                low, _, high = ("-1", "", "-1") if ports == "-1" else ports.partition("-")
                found.append(Rule(rule["security_group_id"], source, rule.get("protocol") or "all", int(low), int(high or low)))
    return found


def aliyun_users(answers: Answers) -> tuple[list[User], list[Key]]:
    """Out of the credential report, which has all users. Raises Incomplete, LookupError, TypeError, ValueError."""
    (said,) = of(answers, "GetCredentialReport")
    if str(said["IsTruncated"]).lower() != "false":
        raise Incomplete("the rest of the credential report")
    try:
        rows = list(csv.DictReader(io.StringIO(base64.b64decode(said["Content"], validate=True).decode("utf-8-sig"))))
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("the credential report is damaged") from error
    if not rows:
        raise Incomplete("the users of the credential report")
    users = [
        User(row["user"], _yes(row["mfa_active"]))
        for row in rows
        if _yes(row["password_exist"]) and not _no(row["password_active"])
    ]
    keys = [
        Key(row["user"], f"key {number}", _days(row[f"access_key_{number}_last_rotated"]))
        for row in rows
        for number in (1, 2)
        if _yes(row[f"access_key_{number}_exist"]) and _yes(row[f"access_key_{number}_active"])
    ]
    return users, keys


def huawei_users(answers: Answers) -> list[User]:
    """A user for whom nobody has set login protection is not in that list, and has none."""
    told = of(answers, "ListUserLoginProtects")
    protected = {one["user_id"] for said in told for one in said["login_protects"] if one["enabled"] is True}
    if not told:
        raise Incomplete("ListUserLoginProtects")
    return [
        User(one["name"], one["id"] in protected)
        for said in of(answers, "KeystoneListUsers")
        for one in said["users"]
        if one["enabled"]
    ]  # fmt: skip


def huawei_keys(answers: Answers) -> list[Key]:
    """Of each user that there is. Raises Incomplete, LookupError, TypeError, ValueError."""
    found = []
    names = {one["id"]: one["name"] for said in of(answers, "KeystoneListUsers") for one in said["users"]}
    asked = {resource.partition("~")[0]: said for (name, resource), said in answers.items() if name == "ListPermanentAccessKeys"}
    if not names or (missing := sorted(set(names) - set(asked))):
        raise Incomplete(f"ListPermanentAccessKeys of {missing[0]}" if names else "KeystoneListUsers")
    for user, said in asked.items():
        if any(one["user_id"] != user for one in said["credentials"]):
            raise ValueError(f"what is called {user} has keys of somebody else")
    for said in of(answers, "ListPermanentAccessKeys"):
        for one in said["credentials"]:
            if one["status"] == "active":
                found.append(Key(names.get(one["user_id"], one["user_id"]), one["access"][:4] + "…", _days(one["create_time"])))
    return found


def aliyun_trails(answers: Answers) -> list[Trail]:
    return [
        Trail(
            one["Name"], one["Status"] == "Enable", (one["TrailRegion"], one["EventRW"]) == ("All", "All"),
            bool(one.get("SlsProjectArn") or one.get("OssBucketName")),
        )
        for said in of(answers, "DescribeTrails")
        for one in said["TrailList"]
    ]  # fmt: skip


def huawei_trails(answers: Answers) -> list[Trail]:
    """Trackers of the kind ``system`` record all that is managed, in their region."""
    return [
        Trail(
            one["tracker_name"], one["status"] == "enabled", True,
            bool((one.get("obs_info") or {}).get("bucket_name") or (one.get("lts") or {}).get("is_lts_enabled")),
        )
        for said in of(answers, "ListTrackers")
        for one in said["trackers"]
        if one["tracker_type"] == "system"
    ]  # fmt: skip


def aliyun_bases(answers: Answers) -> list[Base]:
    found = []
    told = of(answers, "DescribeDBInstances")
    ids = sorted({one["DBInstanceId"] for said in told for one in said["Items"]["DBInstance"]})
    if any(int(said["TotalRecordCount"]) > len(ids) for said in told):
        raise Incomplete(f"{len(ids)} of {told[0]['TotalRecordCount']} databases")
    for base in ids:
        net, tde, policy = (
            answers.get((name, base)) for name in ("DescribeDBInstanceNetInfo", "DescribeDBInstanceTDE", "DescribeBackupPolicy")
        )
        public = None if net is None else any(one["IPType"] == "Public" for one in net["DBInstanceNetInfos"]["DBInstanceNetInfo"])
        encrypted = None if tde is None else tde["TDEStatus"] == "Enabled"
        found.append(Base(base, public, encrypted, None if policy is None else int(policy["BackupRetentionPeriod"])))
    return found


def huawei_bases(answers: Answers) -> list[Base]:
    found = []
    told = of(answers, "ListInstances")
    rows = {one["id"]: one for said in told for one in said["instances"]}
    if any(int(said["total_count"]) > len(rows) for said in told):
        raise Incomplete(f"{len(rows)} of {told[0]['total_count']} databases")
    for one in rows.values():
        kept = int(one["backup_strategy"]["keep_days"])
        found.append(Base(one["id"], bool(one["public_ips"]), bool(one.get("disk_encryption_id")), kept))
    return found


def aliyun_buckets(answers: Answers) -> list[Bucket]:
    """Each that is listed has to be told. Raises Incomplete, LookupError, TypeError, ValueError."""
    lists = of(answers, "ListBuckets")
    if not lists:
        raise Incomplete("ListBuckets")
    found = []
    for said in of(answers, "GetBucketInfo"):
        one = said["Bucket"]
        algorithm = one["ServerSideEncryptionRule"]["SSEAlgorithm"]
        found.append(Bucket(one["Name"], one["AccessControlList"]["Grant"], "" if algorithm == "None" else algorithm))
    named = {name for said in lists for name in _names_of(said)}
    if missing := sorted(named - {one.name for one in found}):
        raise Incomplete(f"GetBucketInfo of {missing[0]}")
    return found


def _names_of(said: Any) -> list[str]:
    """Buckets of a list. Its answer is XML, printed as JSON: one alone may stand without a list, none is empty."""
    listed = (said["Buckets"] or {}).get("Bucket") or []
    return [one["Name"] for one in ([listed] if isinstance(listed, dict) else listed)]


def _yes(word: str) -> bool:
    return word.upper() == "TRUE"


def _no(word: str) -> bool:
    return word.upper() == "FALSE"


def _days(moment: str) -> int:
    """How long ago. Raises ValueError where it is no moment (a key of before 2016 has none), or one of the future."""
    told = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    ago = datetime.now(UTC) - (told if told.tzinfo else told.replace(tzinfo=UTC))
    if ago.days < -1:
        raise ValueError(f"{moment} is a moment of the future")
    return max(ago.days, 0)
