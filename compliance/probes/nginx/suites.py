"""nginx allows no broken suites."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.nginx import asked

_BROKEN = re.compile(r"(?:^|:)\+?(RC4|3?DES|DES-CBC3|EXP(?:ORT)?|eNULL|NULL|aNULL|ADH|AECDH|LOW|MD5|ALL|COMPLEMENTOFALL)\b")


def _judge(facts: Facts) -> Judgement:
    found = asked(facts)
    if found is None:
        return not_applicable(Text("there is no nginx", "没有 nginx"))
    said = found.named("ssl_ciphers", "proxy_ssl_ciphers")
    if not found.named("ssl_certificate"):
        return not_applicable(Text("no server with TLS", "没有启用 TLS 的站点"))
    bad = [one.shown() for one in said if any(_BROKEN.search(word) for word in one.arguments)]
    weak = [] if said else [Text("ssl_ciphers is not set: it depends on the version", "未设置 ssl_ciphers，取决于版本默认值")]
    return judgement(bad, weak, [one.shown() for one in said], [one.shown() for one in said])


PROBE = Probe(
    id="nginx.tls.suites",
    way="tls.scan",
    source="nginx",
    items=("8.1.4.8.a",),
    units=("6.4.4",),
    objects=("middleware",),
    reads=("nginx", "nginx-programs", "processes"),
    title=Text("Cipher suites", "密码套件"),
    criterion=Text(
        "ssl_ciphers adds no NULL, anonymous, export, RC4, DES or 3DES suites",
        "ssl_ciphers 不含 NULL、匿名、出口级、RC4、DES、3DES 套件",
    ),
    to_be_confirmed=True,
    reproduce="nginx -T | grep ssl_ciphers",
    judge=_judge,
)
