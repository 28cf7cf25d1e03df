"""Accounts at two clouds: hardened, neglected, what an export lacks. Answers in the shapes that the references document."""

from __future__ import annotations

import base64
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from compliance.probes.contract import Probe
from compliance.probes.reading.cloud_files import CloudExport
from compliance.probes.registry import of_source
from compliance.probes.result import Result
from compliance.probes.run import run

_ALL = of_source("cloud")
Files = dict[str, Any]
_RULES, _LIST = "DescribeSecurityGroupAttribute@sg-1", "security_group_rules"
_NO_BASES = {"Items": {"DBInstance": []}, "TotalRecordCount": 0}
_BASES_OF_TWO = {"Items": {"DBInstance": [{"DBInstanceId": "rm-1"}]}, "TotalRecordCount": 2}


_KEYS_OF_U1 = {
    "credentials": [{"user_id": "u1", "access": "AKIAEXAMPLE1", "status": "active", "create_time": "2026-11-01T00:00:00.1Z"}]
}


def _ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _report(*rows: str) -> Files:
    """``rows``: user, password, active, factor, key, active, rotated."""
    head = (
        "user,user_creation_time,user_last_logon,password_exist,password_active,password_last_changed,password_next_rotation,mfa_active,"
        "access_key_1_exist,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used,"
        "access_key_2_exist,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used\n"
    )
    lines = []
    for row in rows:
        user, password, active, factor, key, on, rotated = row.split()
        lines.append(f"{user},{_ago(900)},-,{password},{active},N/A,-,{factor},{key},{on},{rotated},-,FALSE,-,-,-\n")
    content = base64.b64encode((head + "".join(lines)).encode()).decode()
    return {"GeneratedTime": _ago(0), "RequestId": "7A01826E", "Content": content, "IsTruncated": "false"}


def _groups(total: int) -> Files:
    return {"SecurityGroups": {"SecurityGroup": [{"SecurityGroupId": "sg-1"}]}, "TotalCount": total}


def _group(port: str, source: str, **more: str) -> Files:
    rule = {
        "Direction": "ingress",
        "Policy": "Accept",
        "IpProtocol": "TCP",
        "PortRange": port,
        "SourceCidrIp": source,
        "Priority": "1",
    }
    out = {**rule, "Direction": "egress", "PortRange": "-1/-1", "SourceCidrIp": "", "DestCidrIp": "0.0.0.0/0", "IpProtocol": "ALL"}
    return {"SecurityGroupId": "sg-1", "RegionId": "cn-hangzhou", "Permissions": {"Permission": [{**rule, **more}, out]}}


def _trail(**more: str) -> Files:
    trail = {
        "Name": "all",
        "Status": "Enable",
        "TrailRegion": "All",
        "EventRW": "All",
        "OssBucketName": "audit",
        "SlsProjectArn": "",
    }
    return {"RequestId": "ED8B", "TrailList": [{**trail, **more}]}


def _bucket(acl: str, algorithm: str) -> Files:
    rule = {"SSEAlgorithm": algorithm}
    return {"Bucket": {"Name": "records", "AccessControlList": {"Grant": acl}, "ServerSideEncryptionRule": rule}}


def _aliyun(*, good: bool) -> Files:
    net = [{"IPType": "Private", "ConnectionString": "rm-1.mysql.rds.aliyuncs.com"}]
    net += [] if good else [{"IPType": "Public", "ConnectionString": "rm-1o.mysql.rds.aliyuncs.com"}]
    key = f"TRUE TRUE {_ago(30 if good else 500)}"
    return {
        "DescribeSecurityGroups": _groups(1),
        "DescribeSecurityGroupAttribute@sg-1": _group("22/22", "10.9.0.0/24" if good else "0.0.0.0/0"),
        "GetCredentialReport": _report(
            "<root> TRUE TRUE TRUE FALSE - -", f"li@city.onaliyun.com TRUE TRUE {'TRUE' if good else 'FALSE'} {key}"
        ),
        "DescribeTrails": _trail(Status="Enable" if good else "Disable"),
        "DescribeDBInstances": {"Items": {"DBInstance": [{"DBInstanceId": "rm-1"}]}, "TotalRecordCount": 1},
        "DescribeDBInstanceNetInfo@rm-1": {"DBInstanceNetInfos": {"DBInstanceNetInfo": net}, "InstanceNetworkType": "VPC"},
        "DescribeDBInstanceTDE@rm-1": {"TDEStatus": "Enabled" if good else "Disabled", "Databases": {"Database": []}},
        "DescribeBackupPolicy@rm-1": {"BackupRetentionPeriod": 7 if good else 0, "PreferredBackupPeriod": "Monday"},
        "ListBuckets": {"Buckets": {"Bucket": [{"Name": "records", "Region": "cn-hangzhou"}]}},
        "GetBucketInfo@records": _bucket(*(("private", "KMS") if good else ("public-read", "None"))),
    }


def _rule(**more: Any) -> Files:
    rule = {
        "id": "r1",
        "security_group_id": "g1",
        "direction": "ingress",
        "protocol": "tcp",
        "ethertype": "IPv4",
        "action": "allow",
    }
    return {**rule, "multiport": "22", "priority": 1, "remote_ip_prefix": "10.9.0.0/24", "remote_group_id": None, **more}


def _huawei(*, good: bool) -> Files:
    base = {"id": "db-1", "public_ips": [] if good else ["203.0.113.7"], "disk_encryption_id": "kms-1" if good else ""}
    made = f"{_ago(30 if good else 500)[:-1]}.123456Z"
    key = {"user_id": "u1", "access": "AKIAEXAMPLE1", "status": "active", "create_time": made}
    inward, outward = _rule(**({} if good else {"remote_ip_prefix": None})), _rule(direction="egress", multiport=None)
    tracker = {"tracker_name": "system", "tracker_type": "system", "status": "enabled" if good else "disabled"}
    return {
        "ListSecurityGroupRules": {
            "security_group_rules": [inward, outward],
            "page_info": {"current_count": 2},
        },
        "KeystoneListUsers": {"users": [{"id": "u1", "name": "li", "enabled": True}]},
        "ListUserLoginProtects": {"login_protects": [{"user_id": "u1", "enabled": good, "verification_method": "vmfa"}]},
        "ListPermanentAccessKeys@u1": {"credentials": [key]},
        "ListTrackers": {"trackers": [{**tracker, "obs_info": {"bucket_name": "audit"}, "lts": {"is_lts_enabled": False}}]},
        "ListInstances": {
            "instances": [{**base, "backup_strategy": {"start_time": "01:00-02:00", "keep_days": 7 if good else 0}}],
            "total_count": 1,
        },
    }  # fmt: skip


def _results(folder: Path, files: Files) -> dict[str, Result]:
    folder.mkdir()
    for name, said in files.items():
        (folder / f"{name}.json").write_text(said if isinstance(said, str) else json.dumps(said))
    return {one.probe: one for one in run([CloudExport("city", folder)], _ALL, seconds=20)}


@pytest.mark.parametrize("provider", [_aliyun, _huawei], ids=["aliyun", "huawei"])
@pytest.mark.parametrize("probe", _ALL, ids=lambda one: one.id)
def test_a_hardened_and_a_neglected_account(tmp_path: Path, probe: Probe, provider: Any) -> None:
    good, bad = (
        _results(tmp_path / "good", provider(good=True))[probe.id],
        _results(tmp_path / "bad", provider(good=False))[probe.id],
    )
    expected = ("error", "error") if probe.reads == ("buckets",) and provider is _huawei else ("met", "not_met")
    assert (good.outcome, bad.outcome) == expected, (good.reason, bad.reason)


@pytest.mark.parametrize(
    ("probe", "change", "outcome"),
    [
        ("network_policy.open_ports", {_RULES: _group("443/443", "0.0.0.0/0")}, "met"),
        ("network_policy.open_ports", {_RULES: _group("8080/8080", "0.0.0.0/0")}, "partly"),
        ("network_policy.open_ports", {_RULES: _group("1/65535", "0.0.0.0/0")}, "not_met"),
        ("network_policy.open_ports", {_RULES: _group("-1/-1", "", Ipv6SourceCidrIp="::/0")}, "not_met"),
        ("network_policy.open_ports", {_RULES: _group("22/22", "", SourceGroupId="sg-2")}, "met"),
        ("network_policy.open_ports", {_RULES: _group("22/22", "0.0.0.0/0", Policy="Drop")}, "not_applicable"),
        ("network_policy.open_ports", {_RULES: {"SecurityGroupId": "sg-1"}}, "error"),
        ("network_policy.open_ports", {_RULES: _group("22", "10.9.0.0/24")}, "error"),
        ("network_policy.open_ports", {"DescribeSecurityGroups": _groups(3)}, "error"),
        ("network_policy.open_ports", {"DescribeSecurityGroups": _groups(2), "DescribeSecurityGroups~2": _groups(2)}, "error"),
        ("network_policy.open_ports", {"DescribeSecurityGroups": {**_groups(1), "NextToken": "e71d"}}, "error"),
        ("network_policy.open_ports", {_RULES: {**_group("22/22", "10.9.0.0/24"), "NextToken": "e71d"}}, "error"),
        (
            "network_policy.open_ports",
            {_RULES: {**_group("22/22", "0.0.0.0/0"), "NextToken": "e71d"}, f"{_RULES}~2": _group("443/443", "10.9.0.0/24")},
            "not_met",
        ),
        ("network_policy.open_ports", {_RULES: _group("22/22", "128.0.0.0/1")}, "not_met"),
        ("network_policy.open_ports", {_RULES: _group("22/22", "", Ipv6SourceCidrIp="2000::/3")}, "not_met"),
        ("network_policy.open_ports", {_RULES: _group("22/22", "10.0.0.0/8")}, "met"),
        ("iam.second_factor", {"GetCredentialReport": {**_report("li TRUE TRUE TRUE FALSE - -"), "IsTruncated": "true"}}, "error"),
        ("iam.second_factor", {"GetCredentialReport": {**_report(), "Content": "?"}}, "error"),
        ("iam.second_factor", {"GetCredentialReport": _report("li FALSE N/A FALSE FALSE - -")}, "not_applicable"),
        ("iam.access_keys", {"GetCredentialReport": _report(f"<root> TRUE TRUE TRUE TRUE TRUE {_ago(1)}")}, "not_met"),
        ("iam.access_keys", {"GetCredentialReport": _report(f"li TRUE TRUE TRUE TRUE TRUE {_ago(100)}")}, "partly"),
        ("iam.access_keys", {"GetCredentialReport": _report(f"li TRUE TRUE TRUE TRUE FALSE {_ago(900)}")}, "not_applicable"),
        ("iam.access_keys", {"GetCredentialReport": _report("li TRUE TRUE TRUE TRUE TRUE N/A")}, "error"),
        ("iam.access_keys", {"GetCredentialReport": _report(f"li TRUE TRUE TRUE TRUE TRUE {_ago(-900)}")}, "error"),
        ("audit_log.trail", {"DescribeTrails": _trail(EventRW="Write")}, "partly"),
        ("audit_log.trail", {"DescribeTrails": _trail(TrailRegion="cn-hangzhou")}, "partly"),
        ("audit_log.trail", {"DescribeTrails": {"TrailList": []}}, "not_met"),
        ("audit_log.trail", {"DescribeTrails": {"Code": "Forbidden.RAM", "Message": "not authorized"}}, "error"),
        ("kms.databases", {"DescribeDBInstanceTDE@rm-1": {"Code": "IncorrectEngineType"}}, "error"),
        ("inventory.backups", {"DescribeBackupPolicy@rm-1": {"BackupRetentionPeriod": 3}}, "partly"),
        ("network_policy.databases", {"DescribeDBInstances": _NO_BASES}, "not_applicable"),
        ("network_policy.databases", {"DescribeDBInstances": _BASES_OF_TWO, "DescribeDBInstances~2": _BASES_OF_TWO}, "error"),
        ("network_policy.databases", {"DescribeDBInstances~3": _BASES_OF_TWO}, "error"),
        ("iam.buckets", {"ListBuckets": {"Buckets": {"Bucket": [{"Name": "records"}, {"Name": "photos"}]}}}, "error"),
        ("iam.buckets", {"ListBuckets": {"Buckets": {"Bucket": {"Name": "records"}}, "IsTruncated": "true"}}, "error"),
        ("iam.buckets", {"ListBuckets": {"Buckets": {"Bucket": {"Name": "records"}}, "IsTruncated": "false"}}, "met"),
        ("kms.buckets", {"GetBucketInfo@records": json.dumps(_bucket("private", "SM4")) + "\n0.409493(s) elapsed\n"}, "met"),
        ("kms.buckets", {"ListInstances": {"instances": [], "total_count": 0}}, "met"),
        ("kms.databases", {"ListInstances": {"instances": [], "total_count": 0}}, "error"),
    ],
)  # fmt: skip
def test_aliyun_one_by_one(tmp_path: Path, probe: str, change: Files, outcome: str) -> None:
    found = _results(tmp_path / "export", {**_aliyun(good=True), **change})[f"cloud.{probe}"]
    assert found.outcome == outcome, found.reason


@pytest.mark.parametrize(
    ("probe", "change", "outcome"),
    [
        ("network_policy.open_ports", {_LIST: [_rule(multiport="80,443", remote_ip_prefix="0.0.0.0/0")]}, "met"),
        ("network_policy.open_ports", {_LIST: [_rule(multiport="20-30", remote_ip_prefix="::/0")]}, "not_met"),
        ("network_policy.open_ports", {_LIST: [_rule(multiport=None, remote_ip_prefix="0.0.0.0/0")]}, "not_met"),
        (
            "network_policy.open_ports",
            {_LIST: [_rule(action="deny", remote_ip_prefix="0.0.0.0/0")]},
            "not_applicable",
        ),
        ("network_policy.open_ports", {_LIST: [_rule()], "page_info": {"next_marker": "r1"}}, "error"),
    ],
)
def test_huawei_security_groups(tmp_path: Path, probe: str, change: Files, outcome: str) -> None:
    found = _results(tmp_path / "export", {**_huawei(good=True), "ListSecurityGroupRules": change})[f"cloud.{probe}"]
    assert found.outcome == outcome, found.reason


@pytest.mark.parametrize(
    ("probe", "change", "outcome"),
    [
        (
            "network_policy.open_ports",
            {
                "ListSecurityGroupRules": {_LIST: [_rule()], "page_info": {"next_marker": "r1"}},
                "ListSecurityGroupRules~2": {_LIST: [_rule()], "page_info": {"next_marker": "r2"}},
            },
            "error",
        ),
        ("iam.second_factor", {"ListUserLoginProtects": {"login_protects": [{"user_id": "u1", "enabled": "false"}]}}, "not_met"),
        (
            "iam.access_keys",
            {"KeystoneListUsers": {"users": [{"id": "u2", "name": "wang"}]}, "ListPermanentAccessKeys@u2": _KEYS_OF_U1},
            "error",
        ),
        ("kms.databases", {"ListInstances": {"instances": [], "total_count": 3}}, "error"),
    ],
)
def test_huawei_answers_that_are_not_whole_or_of_others(tmp_path: Path, probe: str, change: Files, outcome: str) -> None:
    found = _results(tmp_path / "export", {**_huawei(good=True), **change})[f"cloud.{probe}"]
    assert found.outcome == outcome, found.reason


@pytest.mark.parametrize("probe", ["iam.buckets", "kms.buckets"])
def test_buckets_without_the_list_of_them(tmp_path: Path, probe: str) -> None:
    files = _aliyun(good=True)
    del files["ListBuckets"]
    assert _results(tmp_path / "export", files)[f"cloud.{probe}"].outcome == "error"


@pytest.mark.parametrize(
    ("probe", "without"),
    [
        ("iam.second_factor", "ListUserLoginProtects"),
        ("iam.access_keys", "ListPermanentAccessKeys@u1"),
        ("iam.access_keys", "KeystoneListUsers"),
        ("audit_log.trail", "ListTrackers"),
        ("kms.databases", "ListInstances"),
    ],
)
def test_what_was_not_exported_is_an_error(tmp_path: Path, probe: str, without: str) -> None:
    files = _huawei(good=True)
    del files[without]
    assert _results(tmp_path / "export", files)[f"cloud.{probe}"].outcome == "error"


def test_a_zip_and_what_is_no_export(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "city.zip", "w") as archive:
        for name, said in _aliyun(good=True).items():
            archive.writestr(f"city/{name}.json", json.dumps(said))
    assert {one.outcome for one in run([CloudExport("city", tmp_path / "city.zip")], _ALL, seconds=20)} == {"met"}
    for number, files in enumerate(({"readme": "{}"}, {"DescribeTrails": "<html>403</html>"}, {"DescribeTrails": "[" * 100_000})):
        assert {one.outcome for one in _results(tmp_path / str(number), files).values()} == {"error"}


def test_two_accounts_in_one_zip_are_no_export(tmp_path: Path) -> None:
    """Of two files of one name, the second one must not stand in place of the first."""
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for folder, good in (("beijing", False), ("hangzhou", True)):
            for name, said in _aliyun(good=good).items():
                archive.writestr(f"{folder}/{name}.json", json.dumps(said))
    found = run([CloudExport("both", tmp_path / "both.zip")], _ALL, seconds=20)
    assert {(one.outcome, "is there twice" in one.reason) for one in found} == {("error", True)}


def test_a_huge_answer_and_a_damaged_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("DescribeTrails.json", "[" + "[]," * 11_500_000 + "[]]")
    found = run([CloudExport("bomb", tmp_path / "bomb.zip")], _ALL, seconds=20)
    assert {(one.outcome, "too large" in one.reason) for one in found} == {("error", True)}
    with zipfile.ZipFile(tmp_path / "city.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("DescribeTrails.json", json.dumps(_trail()) * 50)
    octets = bytearray((tmp_path / "city.zip").read_bytes())
    octets[50:60] = b"\xff" * 10
    (tmp_path / "city.zip").write_bytes(octets)
    assert {one.outcome for one in run([CloudExport("city", tmp_path / "city.zip")], _ALL, seconds=20)} == {"error"}


def test_no_access_key_is_kept_whole(tmp_path: Path) -> None:
    assert not [
        one for one in _results(tmp_path / "export", _huawei(good=True)).values() if "AKIAEXAMPLE1" in one.evidence + one.reason
    ]
