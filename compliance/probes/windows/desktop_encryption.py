"""Remote desktop asks who comes before a session is there, and seals it."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.remote_desktop import is_off, setting


def _judge(facts: Facts) -> Judgement:
    if is_off(facts):
        return not_applicable(Text("remote desktop is off", "未启用远程桌面"))
    layer, first, level = (
        setting(facts, "SecurityLayer", 1),
        setting(facts, "UserAuthentication", 0),
        setting(facts, "MinEncryptionLevel", 2),
    )
    bad = [f"SecurityLayer = {layer} (RDP)"] if layer == 0 else []
    bad += [f"MinEncryptionLevel = {level}"] if level < 2 else []
    weak = ["UserAuthentication = 0"] if not first else []
    weak += [f"SecurityLayer = {layer}"] if layer == 1 else []
    weak += [f"MinEncryptionLevel = {level}"] if level == 2 and layer != 2 else []
    return judgement(bad, weak, [f"SecurityLayer = {layer}", f"UserAuthentication = {first}", f"MinEncryptionLevel = {level}"])


PROBE = Probe(
    id="windows.remote_desktop.encryption",
    way="host.sshd_config",
    source="windows",
    items=("8.1.4.1.c",),
    units=("6.3.2",),
    reads=("registry",),
    title=Text("Sealed remote desktop", "远程桌面加密"),
    criterion=Text("remote desktop uses TLS and asks for the login first (NLA)", "远程桌面使用 TLS 并启用网络级身份验证（NLA）"),
    to_be_confirmed=True,
    reproduce='reg query "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\\WinStations\\RDP-Tcp"',
    judge=_judge,
)
