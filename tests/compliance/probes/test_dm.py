"""DM 8 by what dm_export.sql prints, in the shape of its manual (V$DM_INI, SYSUSERS, DBA_ROLE_PRIVS); no server was at hand."""

from __future__ import annotations

import pytest

from compliance.probes.contract import Probe
from compliance.probes.reading.database_export import printed
from compliance.probes.registry import of_source, probes
from compliance.probes.result import Result, judged

_ALL = of_source("dm")


def _export(
    variables: dict[str, str], accounts: list[str], administrators: list[str], public: list[str], audits: int | None
) -> str:
    """As disql prints it, with what it says of its own between."""
    parts = {
        "server": ["DM Database Server 64 V8|", "DB Version: 0x7000c|"],
        "variables": [f"{name}|{value}" for name, value in variables.items()],
        "accounts": accounts,
        "administrators": administrators,
        "public": public,
        "audits": [] if audits is None else [str(audits)],
    }
    lines = ["服务器[LOCALHOST:5236]:处于普通打开状态", "SQL> liandun|begin|dm|1"]
    for name, rows in parts.items():
        lines += [f"liandun|row|{name}|{row}" for row in rows]
        if name == "audits" and audits is None:
            lines.append("[-5504]:没有[SYSAUDITOR.SYSAUDIT]对象的查询权限.")
        else:
            lines.append(f"liandun|count|{name}|{len(rows)}")
        lines.append("已用时间: 3.124(毫秒). 执行号:501.")
    return "\n".join([*lines, "liandun|end|dm", ""])


_HARD = {
    "variables": {"pwd_policy": "31", "pwd_min_len": "9", "compatible_mode": "0", "enable_audit": "1", "enable_encrypt": "1",
                  "comm_encrypt_name": ""},
    "accounts": ["SYSDBA|OPEN|3|15|90|5|15|Y", "WATER|OPEN|5|5|60|5|30|Y", "OLD|LOCKED|0|0|0|0|0|N", "SYS|OPEN|0|0|0|0|0|N"],
    "administrators": ["SYSDBA|DBA", "SYSAUDITOR|DB_AUDIT_ADMIN", "SYSSSO|DB_POLICY_ADMIN"],
    "public": [],
    "audits": 12,
}  # fmt: skip
_WEAK = {
    "variables": {"pwd_policy": "0", "pwd_min_len": "9", "compatible_mode": "0", "enable_audit": "0", "enable_encrypt": "0",
                  "comm_encrypt_name": ""},
    "accounts": ["SYSDBA|OPEN|0|0|0|0|0|N"],
    "administrators": ["SYSDBA|DBA", "SYSDBA|DB_AUDIT_ADMIN"],
    "public": ["WATER.METERS|UPDATE"],
    "audits": 0,
}  # fmt: skip


def _judged(probe: str, **changed: object) -> Result:
    return judged(probes()[probe], printed(_export(**(_HARD | changed)), "dm", "dm.txt"), "dm", "")  # type: ignore[arg-type]


@pytest.mark.parametrize("probe", _ALL, ids=lambda one: one.id)
def test_a_hardened_and_a_neglected_server(probe: Probe) -> None:
    good, bad = _judged(probe.id), _judged(probe.id, **_WEAK)
    assert (good.outcome, bad.outcome) == ("met", "not_met"), (good.reason, bad.reason)


@pytest.mark.parametrize(
    ("probe", "changed", "outcome"),
    [
        ("dm.passwords.complexity", {"variables": _HARD["variables"] | {"pwd_policy": "6"}}, "partly"),  # type: ignore[operator]
        ("dm.passwords.complexity", {"variables": {"pwd_policy": "31"}}, "error"),
        ("dm.passwords.ageing", {"accounts": ["A|OPEN|3|15|90|5|15|Y", "B|OPEN|3|15|0|5|15|Y"]}, "partly"),
        ("dm.lockout.failed_logins", {"accounts": ["A|OPEN|3|1|90|5|15|Y"]}, "partly"),
        ("dm.lockout.failed_logins", {"accounts": ["A|OPEN|x|1|90|5|15|Y"]}, "error"),
        ("dm.session.idle_timeout", {"accounts": ["A|OPEN|3|5|90|5|60|Y", "B|OPEN|3|15|0|5|15|Y"]}, "partly"),
        ("dm.grants.administrators", {"administrators": ["SYSDBA|DBA", "CHEN|DBA"]}, "partly"),
        ("dm.grants.administrators", {"administrators": []}, "error"),
        ("dm.grants.public", {"public": ["WATER.METERS|SELECT"]}, "partly"),
        ("dm.audit.statements", {"audits": None}, "error"),
        ("dm.audit.statements", {"audits": 0}, "not_met"),
        ("dm.encryption.transport", {"variables": _HARD["variables"] | {"enable_encrypt": "2"}}, "partly"),  # type: ignore[operator]
        ("dm.encryption.transport", {"variables": _HARD["variables"] | {"enable_encrypt": "4"}}, "error"),  # type: ignore[operator]
        ("dm.encryption.transport", {"variables": _HARD["variables"] | {"enable_encrypt": "0", "comm_encrypt_name": "SM4"}}, "met"),  # type: ignore[operator]
        ("dm.grants.sources", {"accounts": ["A|OPEN|3|5|90|5|60|Y", "B|OPEN|3|15|0|5|15|N"]}, "partly"),
    ],
)  # fmt: skip
def test_states(probe: str, changed: dict[str, object], outcome: str) -> None:
    found = _judged(probe, **changed)
    assert found.outcome == outcome, found.reason


def test_what_the_auditor_adds_in_a_second_run() -> None:
    first, second = _export(**(_HARD | {"audits": None})), _export(**_HARD)  # type: ignore[arg-type]
    cut = "\n".join(line for line in second.splitlines() if "|accounts|" not in line) + "\n"
    for order in (first + cut, cut + first):
        parts = printed(order, "dm", "dm.txt")
        assert judged(probes()["dm.audit.statements"], parts, "dm", "").outcome == "met"
        assert judged(probes()["dm.lockout.failed_logins"], parts, "dm", "").outcome == "met"
