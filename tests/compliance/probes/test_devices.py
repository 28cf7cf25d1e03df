"""Configurations of network devices in three dialects: verdicts, and no secret in any evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.probes.contract import Probe
from compliance.probes.formats import comware, ios, vrp
from compliance.probes.formats.device import Dialect
from compliance.probes.formats.device_secrets import without_secrets
from compliance.probes.reading.device_file import DeviceFile, device_file
from compliance.probes.registry import of_source
from compliance.probes.result import Result
from compliance.probes.run import run
from kernel.errors import LiandunError

FOLDER = Path(__file__).with_name("devices")
DIALECTS: tuple[Dialect, ...] = ("huawei", "h3c", "cisco")
_SECRETS = ("Secret", "HashOf", "Huawei@123", "0822455D0A16")


def _results(target: DeviceFile, probe: Probe | None = None) -> dict[str, Result]:
    return {one.probe: one for one in run([target], [probe] if probe else of_source("network_device"))}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("probe", of_source("network_device"), ids=lambda one: one.id)
def test_a_hardened_and_a_neglected_device(probe: Probe, dialect: Dialect) -> None:
    good = _results(device_file(FOLDER / f"{dialect}-hard.cfg", dialect), probe)[probe.id]
    bad = _results(device_file(FOLDER / f"{dialect}-weak.cfg", dialect), probe)[probe.id]
    expected = "partly" if probe.id == "netdev.config.central_accounts" else "not_met"
    assert (good.outcome, bad.outcome) == ("met", expected), (good.reason, bad.reason)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("kind", ["hard", "weak"])
def test_no_secret_comes_into_evidence(dialect: Dialect, kind: str) -> None:
    target = device_file(FOLDER / f"{dialect}-{kind}.cfg", dialect)
    assert any(secret in target.text for secret in _SECRETS)
    told = "".join(one.evidence + one.reason + one.reason_zh for one in _results(target).values()) + without_secrets(target.text)
    assert not [secret for secret in _SECRETS if secret in told]
    assert "Secret" not in repr(target)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (" local-user admin password simple Abc", " local-user admin password simple ***"),
        ("username a password 7 08314D5D1A0E", "username a password 7 ***"),
        ("username a privilege 15 secret 5 $1$abc$def", "username a privilege 15 secret 5 ***"),
        ("enable password Abc", "enable password ***"),
        ("snmp-server community Abc RO 10", "snmp-server community *** RO 10"),
        ("snmp-server community public RO", "snmp-server community ***default*** RO"),
        ("snmp-agent community read cipher %^%#abc#%^%# acl 2000", "snmp-agent community read cipher *** acl 2000"),
        ("snmp-server host 10.1.1.8 version 2c Abc", "snmp-server host 10.1.1.8 version 2c ***"),
        ("tacacs-server key 7 0822455D0A16", "tacacs-server key 7 ***"),
        ("crypto isakmp key Abc address 10.1.1.1", "crypto isakmp key *** address 10.1.1.1"),
        (" pre-shared-key Abc", " pre-shared-key ***"),
        (" key-string Abc", " key-string ***"),
        ("local-aaa-user password policy administrator", "local-aaa-user password policy administrator"),
        ("password-control length 10", "password-control length 10"),
        ("security passwords min-length 10", "security passwords min-length 10"),
        (" authentication-mode password", " authentication-mode password"),
        ("crypto key generate rsa modulus 2048", "crypto key generate rsa modulus 2048"),
        ("service password-encryption", "service password-encryption"),
        ("ntp server 10.1.1.7 key 1", "ntp server 10.1.1.7 key 1"),
    ],
)
def test_secrets_are_taken_out_of_lines(line: str, kept: str) -> None:
    assert without_secrets(line) == kept


@pytest.mark.parametrize("dialect", DIALECTS)
def test_another_dialect_and_other_files_are_errors(dialect: Dialect) -> None:
    other = {"huawei": "cisco", "h3c": "cisco", "cisco": "huawei"}[dialect]
    wrong = device_file(FOLDER / f"{other}-hard.cfg", dialect)
    nothing = DeviceFile("x", dialect, "hello\n\x00\n")
    for target in (wrong, nothing, DeviceFile("x", dialect, "")):
        assert {one.outcome for one in _results(target).values()} == {"error"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_configuration_that_is_cut_off_is_no_whole_one(dialect: Dialect) -> None:
    """What is missing is not switched off: a transfer that broke must not be what a device meets its controls by."""
    text = (FOLDER / f"{dialect}-hard.cfg").read_text()
    for share in (0.5, 0.8, 0.97):
        cut = DeviceFile("x", dialect, text[: int(len(text) * share)])
        assert {one.outcome for one in _results(cut).values()} == {"error"}
    prompted = DeviceFile("x", dialect, f"{text}<core-1>\n<core-1> quit\n\n")
    assert {one.outcome for one in _results(prompted).values()} == {"met"}


def test_where_no_vty_is_told_nobody_knows_who_may_manage() -> None:
    part = DeviceFile("x", "cisco", "hostname A\nusername a privilege 15 secret 9 x\nline con 0\n login local\nend\n")
    assert _results(part)["netdev.config.management_sources"].outcome == "error"


def test_lines_of_comware_that_stand_below_nothing_are_lines_of_their_own() -> None:
    found = comware.read("#\n sysname A\n telnet server enable\n#\nline vty 0 4\n idle-timeout 3 30\n#\n ftp server enable\n#\n")
    assert (found.name, found.telnet, found.ftp) == ("A", ("telnet server enable",), ("ftp server enable",))
    assert found.access[0].idle == 210


def test_what_is_not_said_is_as_the_dialect_has_it() -> None:
    assert vrp.read("sysname A\nuser-interface vty 0 4\n#\n").access[0].idle == 600
    line = ios.read("hostname A\nline vty 0 4\n login\n").access[0]
    assert (line.idle, line.protocols, line.authentication) == (600, {"ssh", "telnet"}, "password")
    assert comware.read("#\n sysname A\n password-control length 12\n").password.length is None, "not enabled"


def test_files_that_cannot_be_taken(tmp_path: Path) -> None:
    with pytest.raises(LiandunError):
        device_file(tmp_path / "none", "cisco")
    chinese = tmp_path / "h3c.cfg"
    chinese.write_bytes("#\n sysname 核心\n#\nline vty 0 4\n#\n".encode("gb18030"))
    assert comware.read(device_file(chinese, "h3c").text).name == "核心"
