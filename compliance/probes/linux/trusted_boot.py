"""The host starts from a root of trust."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts


def _judge(facts: Facts) -> Judgement:
    lines = facts.listed("boot")
    secure, trusted = "secure_boot 1" in lines, any(line.startswith("tpm ") for line in lines)
    measured = any(line.startswith("ima ") and line != "ima 0" for line in lines)
    found = [
        (secure, Text("Secure Boot", "安全启动")),
        (trusted, Text("TPM or TCM", "TPM/TCM 可信芯片")),
        (measured, Text("measurements of IMA", "IMA 度量")),
    ]
    missing = [Text(f"no {name.en}", f"无 {name.zh}") for there, name in found if not there]
    if len(missing) == len(found):
        return judgement(missing)
    return judgement(weak=missing, good=[name for there, name in found if there])


PROBE = Probe(
    id="host.trusted_boot.root",
    way="host.trusted_boot",
    source="linux",
    items=("8.1.4.6",),
    units=("6.3.6",),
    reads=("boot",),
    title=Text("Root of trust", "可信根"),
    criterion=Text(
        "Secure Boot is on, there is a TPM or TCM, and the kernel measures (the item is optional)",
        "安全启动开启、有 TPM/TCM 且内核进行度量（该项为可选）",
    ),
    to_be_confirmed=True,
    reproduce="mokutil --sb-state; ls /sys/class/tpm; head /sys/kernel/security/ima/ascii_runtime_measurements",
    judge=_judge,
)
