"""SM2, SM3 and SM4 are offered: TLCP (GB/T 38636) or TLS 1.3 by RFC 8998."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable


def _judge(facts: Facts) -> Judgement:
    offers = facts.rows("offers", dict[str, str | None])
    if not any(offers.values()):
        raise Unreadable("the endpoint agreed to no version of TLS or TLCP", "端点未同意任何 TLS 或 TLCP 版本")
    ours = [f"{version} {offers[version]}" for version in ("TLCP", "RFC 8998") if offers.get(version)]
    return judgement([] if ours else [Text("neither TLCP nor SM suites of TLS 1.3", "既无 TLCP 也无 TLS 1.3 国密套件")], good=ours)


PROBE = Probe(
    id="tls.scan.commercial_cryptography",
    way="tls.scan",
    source="tls",
    items=(),
    units=("6.2.1", "6.2.2", "6.2.3"),
    objects=("application", "middleware", "network_device", "security_device", "database"),
    reads=("offers",),
    title=Text("Commercial cryptography", "商用密码算法"),
    criterion=Text(
        "suites with SM4 and SM3 are offered (whether the module is certified is for a person to say)",
        "提供 SM4、SM3 套件（密码模块是否经认证由人判定）",
    ),
    to_be_confirmed=True,
    reproduce="tongsuo s_client -enable_ntls -ntls -connect HOST:PORT",
    judge=_judge,
)
