"""Passwords are not taken in clear."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.directory import Plain, Root

_START_TLS = "1.3.6.1.4.1.1466.20037"
_CONFIDENTIALITY, _AUTH_METHOD, _STRONGER, _UNWILLING = 13, 7, 8, 53
_CREDENTIALS, _NO_OBJECT = 49, 32
"""Result codes of RFC 4511, A.1."""


def _judge(facts: Facts) -> Judgement:
    answer = facts.rows("plain", Plain)
    shown = f"{answer.code} {answer.name}"
    if answer.code in (_CREDENTIALS, _NO_OBJECT, 0):
        tls = _START_TLS in facts.rows("root", Root).extensions
        also = [] if tls else [Text("the directory does not speak TLS there at all", "该端口不支持 TLS")]
        return judgement([Text(f"a password in clear is looked at ({shown})", f"明文口令被受理（{shown}）"), *also])
    if answer.code in (_CONFIDENTIALITY, _AUTH_METHOD, _STRONGER, _UNWILLING):
        return judgement(good=[Text(f"a password in clear is refused ({shown})", f"明文口令被拒绝（{shown}）")])
    raise Unreadable(f"the directory answers {shown}", f"目录应答 {shown}")


PROBE = Probe(
    id="app.auth.directory_transport",
    way="app.auth",
    source="ldap",
    items=("8.1.4.1.c", "8.1.4.8.a"),
    units=("6.4.4",),
    objects=("system_software", "middleware", "application"),
    reads=("plain", "root"),
    title=Text("Passwords on their way to the directory", "目录口令传输"),
    criterion=Text("binds with a password are refused without TLS", "未建立 TLS 时拒绝口令绑定"),
    reproduce="ldapwhoami -x -H ldap://HOST -D cn=nobody,BASE -w nothing    # 13 confidentialityRequired",
    judge=_judge,
)
