"""Logins and changes of the directory are recorded."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, Words, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.directory import config, whole

_STATS = 256
_CHANGES = ("auditlog", "accesslog")


def _judge(facts: Facts) -> Judgement:
    entries = config(facts)
    levels = [word.lower() for value in whole(entries, "olcLogLevel") or ("stats",) for word in value.split()]  # it is the default
    overlays = [entry.first("olcOverlay").rpartition("}")[2].lower() for entry in entries]
    changes = [name for name in overlays if name in _CHANGES]
    logins = [word for word in levels if word in ("stats", "any", "-1") or (word.isdecimal() and int(word[:9]) & _STATS)]
    if not logins and not changes:
        return judgement([Text("neither logins nor changes are recorded", "登录与变更均未记录")])
    weak: list[Words] = [] if logins else [Text("logins are not recorded (olcLogLevel stats)", "未记录登录（olcLogLevel stats）")]
    weak += [] if changes else [Text("changes are not recorded (auditlog, accesslog)", "未记录变更内容（auditlog、accesslog）")]
    return judgement(weak=weak, good=[f"olcLogLevel {' '.join(logins)}", *changes])


PROBE = Probe(
    id="app.audit.directory_records",
    way="app.audit",
    source="ldap",
    items=("8.1.4.3.a",),
    objects=("system_software", "middleware", "application"),
    reads=("config",),
    title=Text("Records of the directory", "目录审计"),
    criterion=Text(
        "logins (olcLogLevel stats) and changes (auditlog or accesslog) are recorded",
        "记录登录（olcLogLevel stats）与变更（auditlog 或 accesslog）",
    ),
    to_be_confirmed=True,
    reproduce="ldapsearch -x -ZZ -D DN -W -b cn=config '(|(olcLogLevel=*)(olcOverlay=*))' olcLogLevel olcOverlay",
    judge=_judge,
)
