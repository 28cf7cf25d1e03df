"""Records say when, who, where and from where."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.postgresql import settings

_WANTED = {
    Text("time", "时间"): ("%m", "%t", "%n"),
    Text("account", "账户"): ("%u",),
    Text("database", "数据库"): ("%d",),
    Text("address", "来源地址"): ("%h", "%r"),
}


def _judge(facts: Facts) -> Judgement:
    found = settings(facts)
    if "log_line_prefix" not in found:
        raise Unreadable("the login may not see log_line_prefix", "登录账户无权查看 log_line_prefix")
    if {"csvlog", "jsonlog"} & {one.strip() for one in found.get("log_destination", "").split(",")}:
        return judgement(good=[found["log_destination"]])
    prefix = found["log_line_prefix"]
    missing = [name for name, signs in _WANTED.items() if not any(sign in prefix for sign in signs)]
    return judgement(missing if len(missing) > 2 else [], missing if len(missing) <= 2 else [], [prefix])


PROBE = Probe(
    id="db.audit.fields",
    way="db.audit",
    source="postgresql",
    items=("8.1.4.3.b",),
    objects=("database",),
    reads=("settings",),
    title=Text("Fields of records", "审计记录字段"),
    criterion=Text(
        "records have time, account, database and address (log_line_prefix, or CSV or JSON)",
        "记录含时间、账户、数据库与来源地址（log_line_prefix，或 CSV、JSON）",
    ),
    reproduce="SHOW log_line_prefix; SHOW log_destination",
    judge=_judge,
)
