"""Records are kept where others cannot read or overwrite them."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.postgresql import settings


def _judge(facts: Facts) -> Judgement:
    found = settings(facts)
    if "logging_collector" not in found:
        raise Unreadable("the login may not see logging_collector", "登录账户无权查看 logging_collector")
    if "syslog" in found.get("log_destination", ""):
        return judgement(good=["syslog"])
    if found["logging_collector"] != "on":
        return judgement(
            weak=[
                Text(
                    "logging_collector = off: whoever starts the server keeps its output",
                    "logging_collector = off：日志由启动方保存",
                )
            ]
        )
    mode = found.get("log_file_mode", "0600")
    bad = [f"log_file_mode = {mode}"] if int(mode, 8) & 0o007 else []
    weak = ["log_truncate_on_rotation = on"] if found.get("log_truncate_on_rotation") == "on" else []
    return judgement(bad, weak, [f"log_file_mode = {mode}"])


PROBE = Probe(
    id="db.audit.files",
    way="db.audit",
    source="postgresql",
    items=("8.1.4.3.c",),
    objects=("database",),
    reads=("settings",),
    title=Text("Files of records", "审计记录保护"),
    criterion=Text(
        "records go to syslog or to files that others cannot read and that are not overwritten",
        "记录送 syslog，或存于他人不可读且不被覆盖的文件",
    ),
    reproduce="SHOW logging_collector; SHOW log_file_mode; SHOW log_truncate_on_rotation",
    judge=_judge,
)
