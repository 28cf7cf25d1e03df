"""A program against malware runs."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.malware_protection import defender, products, services


def _judge(facts: Facts) -> Judgement:
    own, others, running = defender(facts), products(facts), services(facts)
    on = [
        *(["Microsoft Defender"] if own and own.enabled and own.realtime else []),
        *(one.name for one in others if one.is_on),
        *running,
    ]
    if on:
        return judgement(good=on)
    if own and own.enabled:
        return judgement([Text("Microsoft Defender without real-time protection", "Microsoft Defender 未启用实时防护")])
    return judgement([Text("no known product is on", "没有运行已知的防恶意代码软件")])


PROBE = Probe(
    id="windows.antivirus.running",
    way="host.av",
    source="windows",
    items=("8.1.4.5",),
    reads=("defender", "products", "services"),
    title=Text("Protection against malware", "恶意代码防护"),
    criterion=Text(
        "Microsoft Defender or another known product protects in real time", "Microsoft Defender 或其他已知产品实时防护"
    ),
    to_be_confirmed=True,
    reproduce="Get-MpComputerStatus; Get-CimInstance -Namespace root/SecurityCenter2 AntiVirusProduct",
    judge=_judge,
)
