"""Only root changes what runs by the clock."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.modes import modes, too_open


def _judge(facts: Facts) -> Judgement:
    found = modes(facts.listed("cron-modes"))
    if not found and not facts.are_gone("cron-modes", "/etc/crontab", "/etc/cron.d"):
        raise Unreadable("cron-modes does not speak of cron", "cron-modes 未提及 cron")
    if not found:
        return not_applicable(Text("there is no cron", "未安装 cron"))
    bad = too_open(found, 0o755)
    paths = {one.path for one in found}
    weak = (
        []
        if "/etc/cron.allow" in paths
        else [Text("every account may use cron (no cron.allow)", "任何账户都可用 cron（无 cron.allow）")]
    )
    return judgement(bad, weak)


PROBE = Probe(
    id="host.file_perms.cron_files",
    way="host.file_perms",
    source="linux",
    items=("8.1.4.2.d", "8.1.4.2.e"),
    reads=("cron-modes",),
    title=Text("Jobs by the clock", "计划任务权限"),
    criterion=Text(
        "files of cron belong to root, others cannot write them, and cron.allow names who may use it",
        "cron 文件属主为 root、他人不可写，并以 cron.allow 限定使用者",
    ),
    to_be_confirmed=True,
    reproduce="stat -c '%a %U %G %n' /etc/crontab /etc/cron.*",
    judge=_judge,
)
