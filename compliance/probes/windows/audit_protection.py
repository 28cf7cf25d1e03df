"""Not everybody may clear records or stop recording."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.secedit import right
from compliance.probes.formats.windows import ADMINISTRATORS, Service, rows

_OWN = (ADMINISTRATORS, "S-1-5-19", "S-1-5-20", "Administrators")


def _judge(facts: Facts) -> Judgement:
    service = next((one for one in rows(facts, "services", Service) if one.name.lower() == "eventlog"), None)
    if service is None:
        raise Unreadable("services does not say EventLog", "未读到 EventLog 服务")
    bad = [f"EventLog: {service.state}, {service.start}"] if (service.state, service.start) != ("Running", "Auto") else []
    weak = [f"{name}: {who}" for name in ("SeSecurityPrivilege", "SeAuditPrivilege") for who in right(facts, name)
            if who not in _OWN and not who.startswith("S-1-5-8")]  # fmt: skip
    return judgement(bad, weak, ["EventLog: Running, Auto"])


PROBE = Probe(
    id="windows.audit.protection",
    way="host.audit_process",
    source="windows",
    items=("8.1.4.3.d", "8.1.4.3.c"),
    reads=("services", "policy"),
    title=Text("Protection of recording", "审计进程受保护"),
    criterion=Text(
        "the event log runs at all times, and only administrators may manage audit records",
        "事件日志服务自动运行，仅管理员可管理审核与安全日志",
    ),
    to_be_confirmed=True,
    reproduce="Get-Service EventLog; secedit /export /cfg secpol.inf; SeSecurityPrivilege, SeAuditPrivilege",
    judge=_judge,
)
