"""Connections are sealed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.dm import variables


def _judge(facts: Facts) -> Judgement:
    tls, cipher = variables(facts, "enable_encrypt", "comm_encrypt_name")
    if tls not in ("0", "1", "2"):
        raise Unreadable(f"what ENABLE_ENCRYPT = {tls[:20]} means is not known here", f"ENABLE_ENCRYPT = {tls[:20]} 含义未知")
    if tls == "1" or cipher.strip():
        return judgement(good=[f"ENABLE_ENCRYPT = {tls}", f"COMM_ENCRYPT_NAME = {cipher}"])
    shown = [f"ENABLE_ENCRYPT = {tls}"]
    return judgement(shown if tls == "0" else [], shown)


PROBE = Probe(
    id="dm.encryption.transport",
    way="tls.scan",
    source="dm",
    items=("8.1.4.1.c", "8.1.4.7.a", "8.1.4.8.a"),
    units=("6.4.4", "6.4.6"),
    objects=("database",),
    reads=("variables",),
    title=Text("Sealed connections", "连接加密"),
    criterion=Text(
        "connections use TLS or a cipher (ENABLE_ENCRYPT, COMM_ENCRYPT_NAME); TLS for the login alone is partly",
        "连接使用 SSL 或通信加密（ENABLE_ENCRYPT、COMM_ENCRYPT_NAME）；仅用于认证为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="SELECT PARA_NAME, PARA_VALUE FROM V$DM_INI WHERE PARA_NAME LIKE '%ENCRYPT%'",
    judge=_judge,
)
