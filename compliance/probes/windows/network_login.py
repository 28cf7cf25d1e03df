"""Passwords are not guessed from what goes over the network."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.registry_file import LSA, set_number


def _judge(facts: Facts) -> Judgement:
    level, without = set_number(facts, LSA, "LmCompatibilityLevel", 3), set_number(facts, LSA, "NoLMHash", 1)
    bad = [f"LmCompatibilityLevel = {level}"] if level < 3 else []
    bad += ["NoLMHash = 0"] if not without else []
    return judgement(
        bad,
        [f"LmCompatibilityLevel = {level}"] if 3 <= level < 5 else [],
        [f"LmCompatibilityLevel = {level}", f"NoLMHash = {without}"],
    )


PROBE = Probe(
    id="windows.passwords.network_login",
    way="host.sshd_config",
    source="windows",
    items=("8.1.4.1.c", "8.1.4.8.b"),
    units=("6.3.2",),
    reads=("registry", "policy"),
    title=Text("LM and NTLM", "LM、NTLM 认证"),
    criterion=Text("only NTLMv2 is taken, and no LM hashes are kept", "只接受 NTLMv2，不保存 LM 散列"),
    to_be_confirmed=True,
    reproduce="reg query HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa /v LmCompatibilityLevel",
    judge=_judge,
)
