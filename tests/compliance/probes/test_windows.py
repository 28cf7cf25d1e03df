"""Windows hosts from exported files: all met on a hardened server, not on a neglected one; errors where a file is missing."""

from __future__ import annotations

import contextlib
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.probes.contract import Probe
from compliance.probes.facts import Facts, Part, Unreadable
from compliance.probes.formats import auditpol, secedit
from compliance.probes.formats.encoded_text import decoded
from compliance.probes.formats.registry_file import WANTED, Value, exported
from compliance.probes.reading import folder as folders
from compliance.probes.reading import windows_script
from compliance.probes.reading.windows_files import WindowsExport
from compliance.probes.registry import of_source, probes
from compliance.probes.result import Result, judged
from compliance.probes.run import run
from kernel.errors import LiandunError
from kernel.programs.time_left import Deadline
from tests.compliance.probes import windows_hosts
from tests.compliance.probes.windows_hosts import DAY, HARD, NOW, WEAK, answer, audit_backup, audit_chinese, audit_english

ALL = of_source("windows")
_WEAKER = {"windows.accounts.stale": "partly", "windows.audit.retention": "partly"}
"""What the neglected host does not wholly miss."""


def _results(path: Path) -> dict[str, Result]:
    return {one.probe: one for one in run([WindowsExport(path.name, path)], ALL, seconds=30)}


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Result], dict[str, Result]]:
    folder = tmp_path_factory.mktemp("windows")
    return _results(windows_hosts.hard(folder / "hard")), _results(windows_hosts.weak(folder / "weak"))


@pytest.mark.parametrize("probe", ALL, ids=lambda one: one.id)
def test_a_hardened_and_a_neglected_server(probe: Probe, hosts: tuple[dict[str, Result], dict[str, Result]]) -> None:
    good, bad = (found[probe.id] for found in hosts)
    assert (good.outcome, bad.outcome) == ("met", _WEAKER.get(probe.id, "not_met")), (good.reason, bad.reason)
    assert bad.reason_zh.startswith(("不符合：", "部分符合："))


def test_a_zip_says_the_same_and_nothing_is_changed(tmp_path: Path, hosts: tuple[dict[str, Result], dict[str, Result]]) -> None:
    folder = windows_hosts.hard(tmp_path / "hard")
    before = {one.name: one.read_bytes() for one in folder.iterdir()}
    with zipfile.ZipFile(tmp_path / "hard.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for one in folder.iterdir():
            archive.write(one, f"WATER-1/{one.name}")
    assert {name: one.outcome for name, one in _results(tmp_path / "hard.zip").items()} == dict.fromkeys(hosts[0], "met")
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == before


def test_passwords_of_an_export_are_not_kept(hosts: tuple[dict[str, Result], dict[str, Result]]) -> None:
    assert "Mi-Ma-2026!" not in "".join(one.evidence + one.reason for one in hosts[0].values())


@pytest.mark.parametrize("missing", ["secpol.inf", "audit.csv", "hklm.reg", "host.json"])
def test_what_was_not_exported_is_an_error(tmp_path: Path, missing: str) -> None:
    folder = windows_hosts.hard(tmp_path / "hard")
    (folder / missing).unlink()
    found = _results(folder)
    outcomes = {one.outcome for one in found.values()}
    assert outcomes <= {"met", "error", "not_applicable"}
    assert "error" in outcomes
    lacking = {"secpol.inf": "windows.passwords.complexity", "audit.csv": "windows.audit.policy",
               "hklm.reg": "windows.residual.page_file", "host.json": "windows.firewall.default_deny"}[missing]  # fmt: skip
    assert found[lacking].outcome == "error"
    assert "未" in found[lacking].reason_zh


def _judged(probe: str, changed: dict[str, list[Any]], texts: dict[str, str] | None = None) -> Result:
    rows = {name: Part(json.dumps(found)) for name, found in (HARD | changed).items()}
    registry = json.loads(_registry(windows_hosts.HARD_REGISTRY))
    said = {"policy": windows_hosts.HARD_POLICY, "audit": audit_english(), "registry": json.dumps(registry)} | (texts or {})
    return judged(probes()[probe], rows | {name: Part(text) for name, text in said.items()}, "host", "")


def _registry(text: str) -> str:
    return msgspec.json.encode(exported(text)).decode()


def _with(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


_P, _R = windows_hosts.HARD_POLICY, windows_hosts.HARD_REGISTRY


@pytest.mark.parametrize(
    ("probe", "texts", "outcome"),
    [
        ("windows.accounts.administrator", {"policy": _with(_P, "EnableAdminAccount = 1", "EnableAdminAccount = 0")}, "met"),
        ("windows.accounts.administrator", {"policy": _with(_P, '"waterops"', '"admin"')}, "not_met"),
        ("windows.accounts.administrator", {"policy": _with(_P, "EnableAdminAccount = 1\n", "")}, "error"),
        ("windows.lockout.failed_logins", {"policy": _with(_P, "LockoutDuration = 15", "LockoutDuration = -1")}, "met"),
        ("windows.lockout.failed_logins", {"policy": _with(_P, "LockoutDuration = 15", "LockoutDuration = 1")}, "partly"),
        ("windows.lockout.failed_logins", {"policy": _with(_P, "LockoutBadCount = 5", "LockoutBadCount = 10")}, "partly"),
        ("windows.lockout.failed_logins", {"policy": _with(_P, "LockoutBadCount = 5", "LockoutBadCount = 50")}, "not_met"),
        ("windows.passwords.ageing", {"policy": _with(_P, "MaximumPasswordAge = 90", "MaximumPasswordAge = 91")}, "not_met"),
        ("windows.passwords.ageing", {"policy": _with(_P, "MinimumPasswordAge = 1", "MinimumPasswordAge = 0")}, "partly"),
        ("windows.passwords.history", {"policy": _with(_P, "HistorySize = 12", "HistorySize = 4")}, "partly"),
        ("windows.session.screen_lock", {"registry": _registry(_with(_R, "00000384", "00000385"))}, "partly"),
        ("windows.session.desktop_idle", {"registry": _registry(_with(_R, "fDenyTSConnections\"=dword:00000000",
                                                                       "fDenyTSConnections\"=dword:00000001"))}, "not_applicable"),
        ("windows.remote_desktop.encryption", {"registry": _registry(_with(_R, "SecurityLayer\"=dword:00000002",
                                                                            "SecurityLayer\"=dword:00000001"))}, "partly"),
        ("windows.passwords.network_login", {"registry": _registry(_with(_R, "00000005", "00000003"))}, "partly"),
        ("windows.time_sync.source", {"registry": _registry(_with(_R, '"Type"="NTP"', '"Type"="NT5DS"'))}, "met"),
        ("windows.time_sync.source", {"registry": _registry(_with(_R, "ntp1.water.example.cn,0x8 10.1.1.7", "time.windows.com"))},
         "partly"),
        ("windows.audit.policy", {"audit": audit_chinese()}, "met"),
        ("windows.audit.policy", {"audit": audit_backup(3)}, "met"),
        ("windows.audit.policy", {"audit": audit_backup(0)}, "not_met"),
        ("windows.audit.policy", {"audit": audit_english(_0CCE922B="No Auditing")}, "partly"),
        ("windows.audit.policy", {"audit": audit_chinese(_0CCE9217="成功")}, "partly"),
        ("windows.audit.policy", {"audit": audit_english("Erfolg und Fehler")}, "error"),
        ("windows.audit.policy", {"audit": audit_english().partition("WATER-1,System,Special")[0]}, "error"),
        ("windows.rights.privileges", {"policy": _with(_P, "SeBackupPrivilege =", "SeTcbPrivilege = *S-1-5-21-1-2-3-1001\nSeX =")},
         "partly"),
    ],
)  # fmt: skip
def test_policies(probe: str, texts: dict[str, str], outcome: str) -> None:
    found = _judged(probe, {}, texts)
    assert found.outcome == outcome, found.reason


@pytest.mark.parametrize(
    ("probe", "changed", "outcome"),
    [
        ("windows.antivirus.running", {"defender": WEAK["defender"], "products": [{"name": "火绒", "state": 393_216}]}, "not_met"),
        ("windows.antivirus.running", {"defender": WEAK["defender"], "products": [{"name": "火绒", "state": 266_240}]}, "met"),
        ("windows.antivirus.running", {"defender": WEAK["defender"], "services": [
            {"name": "QAXEntClient", "state": "Running", "start": "Auto"}]}, "met"),
        ("windows.antivirus.signatures", {"products": [{"name": "火绒", "state": 266_256}]}, "not_met"),
        ("windows.antivirus.signatures", {"defender": [
            {"enabled": True, "realtime": True, "signatures": NOW - 8 * DAY}]}, "partly"),
        ("windows.patch_level.updates", {"hotfixes": [{"id": "KB", "at": NOW - 100 * DAY}]}, "partly"),
        ("windows.patch_level.updates", {"hotfixes": [{"id": "KB", "at": None}]}, "error"),
        ("windows.services.open_ports", {"listeners": WEAK["listeners"][1:]}, "partly"),
        ("windows.services.open_ports", {"listeners": WEAK["listeners"][1:], "firewall": WEAK["firewall"]}, "not_met"),
        ("windows.services.shares", {"shares": []}, "met"),  # its service does not run
        ("windows.services.shares", {"shares": [], "services": [*HARD["services"],
            {"name": "LanmanServer", "state": "Running", "start": "Auto"}]}, "error"),  # IPC$ would be there
        ("windows.services.shares", {"shares": [], "services": []}, "error"),
        ("windows.services.shares", {"shares": [{"name": "a", "path": "D:\\", "is_special": False, "grants": [
            {"who": "Everyone", "right": "Read"}]}]}, "partly"),
        ("windows.remote_desktop.sources", {"port-rules": [*HARD["port-rules"], *WEAK["port-rules"]]}, "partly"),
        ("windows.remote_desktop.sources", {"port-rules": []}, "met"),
        ("windows.disk_encryption.volumes", {"volumes": [*HARD["volumes"], *WEAK["volumes"]]}, "partly"),
        ("windows.audit.log_size", {"logs": [{**one, "most": 1 << 20, "mode": "AutoBackup"} for one in HARD["logs"]]}, "met"),
        ("windows.services.unneeded", {"services": [{"name": "Spooler", "state": "Running", "start": "Auto"}]}, "partly"),
        ("windows.accounts.administrators", {"administrators": HARD["administrators"] * 6}, "partly"),
        ("windows.accounts.administrators", {"administrators": [
            {"name": "CITY\\Domain Users", "sid": "S-1-5-21-9-9-9-513"}]}, "not_met"),
    ],
)  # fmt: skip
def test_rows(probe: str, changed: dict[str, list[Any]], outcome: str) -> None:
    found = _judged(probe, changed)
    assert found.outcome == outcome, found.reason


def test_what_the_script_could_not_read_a_file_of_its_own_says(tmp_path: Path) -> None:
    folder = windows_hosts.hard(tmp_path / "hard")
    (folder / "host.json").write_text(answer(HARD, policy="access denied", audit="access denied"))
    assert _results(folder)["windows.accounts.guest"].outcome == "met"
    (folder / "again.inf").write_text(windows_hosts.HARD_POLICY)
    with pytest.raises(LiandunError, match="policy already"):
        WindowsExport("x", folder).read((), Deadline(5))


def test_what_is_no_export(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.zip").write_bytes(b"PK\x03\x04 broken")
    locked = tmp_path / "locked.zip"
    with zipfile.ZipFile(locked, "w") as archive:
        archive.writestr("secpol.inf", windows_hosts.HARD_POLICY)
    octets = bytearray(locked.read_bytes())
    for place in (6, octets.find(b"PK\x01\x02") + 8):
        octets[place] |= 1  # said to be encrypted
    locked.write_bytes(octets)
    for name in ("empty", "no.zip", "locked.zip"):
        with pytest.raises(LiandunError):
            WindowsExport(name, tmp_path / name).read((), Deadline(5))


def test_an_export_that_grows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_OCTETS", 1_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("secpol.inf", "a" * 5_000_000)
    with pytest.raises(LiandunError, match="too large"):
        WindowsExport("bomb.zip", tmp_path / "bomb.zip").read((), Deadline(5))


def test_the_registry_keeps_what_was_asked_for() -> None:
    found = exported(_R)
    assert Value("SYSTEM\\CurrentControlSet\\Control\\Terminal Server\\WinStations\\RDP-Tcp", "PortNumber", "3389") in found.values
    assert all(value.name in WANTED[value.key] for value in found.values)
    text = "REGEDIT4\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\W32Time\\Parameters]\n"
    text += '"Type"=hex(2):4e,00,54,00,\\\n  50,00,00,00\n'
    assert exported(text).values == (Value("SYSTEM\\CurrentControlSet\\Services\\W32Time\\Parameters", "Type", "NTP"),)


def test_an_export_of_very_many_keys_is_read_in_time() -> None:
    began = time.monotonic()
    found = exported("Windows Registry Editor Version 5.00\n" + "".join(f"[HKEY_LOCAL_MACHINE\\K{n}]\n" for n in range(100_000)))
    assert (found.covered, found.values) == ((), ())
    assert time.monotonic() - began < 5


def test_the_script_asks_for_what_probes_read() -> None:
    named = set(windows_script.parts())
    assert {name for probe in ALL for name in probe.reads} <= named
    registry = windows_script.pieces()["registry"].replace("$current", "SYSTEM\\CurrentControlSet")
    for key, names in WANTED.items():
        line = next(line for line in registry.splitlines() if f'{key}" =' in line or f"{key}' =" in line)
        assert line.partition("=")[2].strip(" '").split() == list(names)


def test_the_script_fits_into_command_lines_and_only_reads() -> None:
    made = list(windows_script.scripts(windows_script.parts(), 2_900))
    assert [name for wanted, _ in made for name in wanted] == windows_script.parts()
    assert all(len(script) <= 2_900 for _, script in made)
    text = windows_script.FILE.read_text("utf-8")
    assert text.isascii(), "a console of any code page reads it"
    for verb in ("Set-", "New-Item", "Add-", "Enable-", "Disable-", "Invoke-", "Start-", "Stop-", "Out-File", "/configure", "/set"):
        assert verb not in text
    with pytest.raises(ValueError, match="registry"):
        list(windows_script.scripts(["registry"], 1_000))


@pytest.mark.parametrize("octets", ["", "[]", "{}", '{"liandun": "x"}', "[" * 5_000, '{"liandun": "windows-export", "audit": 3}'])
def test_no_answer_of_the_script(octets: str) -> None:
    with pytest.raises(LiandunError):
        windows_script.said(octets, "host")


@given(st.binary(max_size=300))
def test_any_octets_are_texts_policies_and_registries(octets: bytes) -> None:
    text = decoded(octets)
    secedit.sections(text)
    exported("Windows Registry Editor Version 5.00\n" + text)
    with contextlib.suppress(Unreadable):
        auditpol.settings(text)


@given(st.dictionaries(st.sampled_from(sorted(WANTED)), st.integers(0, 2**32 - 1), min_size=1))
def test_numbers_come_back(values: dict[str, int]) -> None:
    text = "Windows Registry Editor Version 5.00\n\n" + "".join(
        f'[HKEY_LOCAL_MACHINE\\{key.upper()}]\n"{WANTED[key][0].upper()}"=dword:{number:08x}\n\n' for key, number in values.items()
    )
    assert {one.key: int(one.text) for one in exported(decoded(b"\xff\xfe" + text.encode("utf-16-le"))).values} == values


@given(st.dictionaries(st.sampled_from(sorted(auditpol._WORDS)), st.just(None), min_size=1))
def test_words_of_settings(words: dict[str, None]) -> None:
    for word in words:
        (setting,) = auditpol.settings(f"h,System,x,{{0CCE9215-69AE-11D9-BED3-505054503030}},{word.title()},").values()
        assert (setting.success, setting.failure) == ("成功" in word or "success" in word, "失败" in word or "failure" in word)


def test_a_file_and_facts() -> None:
    with pytest.raises(Unreadable):
        secedit.policy(Facts({"policy": Part("[Version]\nRevision=1")}))
    with pytest.raises(Unreadable):
        secedit.right(Facts({"policy": Part("[System Access]\na=1")}), "SeX")
