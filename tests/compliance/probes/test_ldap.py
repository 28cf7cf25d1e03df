"""A real OpenLDAP as it comes, in a mess, and hardened; a login that may see little; nothing there changes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.probes.contract import Probe
from compliance.probes.facts import Part
from compliance.probes.formats.directory import Entry, who_reads_passwords
from compliance.probes.reading.ldap import Directory, read_login
from compliance.probes.registry import of_source
from compliance.probes.result import Result, judged
from compliance.probes.run import run
from kernel.errors import LiandunError
from tests.operations.accounts.ldap_server import CONFIG, DATA, SLAPD, LdapServer

pytestmark = pytest.mark.skipif(SLAPD is None, reason="no slapd: apt-get install slapd ldap-utils")
ADMIN = "cn%3Dadmin%2Cdc%3Dcity%2Cdc%3Dtest"
HEAD, _, BODY = CONFIG.partition("database mdb")
_PLAIN = HEAD + "database config\nrootdn cn=admin,dc=city,dc=test\ndatabase mdb" + BODY
_MESS = _PLAIN.replace("pidfile", "password-hash {{CLEARTEXT}}\nloglevel none\npidfile").replace(
    "access to attrs=userPassword by anonymous auth by * none\naccess to * by users read by * none\n", "access to * by * read\n"
)
_HARDENED = (
    HEAD.replace("moduleload back_mdb", "moduleload back_mdb\nmoduleload ppolicy\nmoduleload auditlog\nmoduleload pw-sha2")
    + "security simple_bind=128\ndisallow bind_anon\nidletimeout 600\nloglevel stats\npassword-hash {{SSHA512}}\n"
    + "database config\nrootdn cn=admin,dc=city,dc=test\ndatabase mdb"
    + BODY
    + "overlay ppolicy\nppolicy_default cn=default,dc=city,dc=test\noverlay auditlog\nauditlog {folder}/changes.ldif\n"
)
_POLICY = """
dn: cn=default,dc=city,dc=test
objectClass: organizationalRole
objectClass: pwdPolicy
cn: default
pwdAttribute: userPassword
pwdMinLength: 10
pwdMaxAge: 7776000
pwdCheckQuality: 2
pwdInHistory: 5
pwdLockout: TRUE
pwdMaxFailure: 5
pwdLockoutDuration: 600
"""
_OF_THE_MESS = {
    "app.audit.directory_records": "not_met",
    "app.auth.directory_anonymous": "not_met",
    "app.auth.directory_idle_timeout": "not_met",
    "app.auth.directory_lockout": "not_met",
    "app.auth.directory_password_rules": "not_met",
    "app.auth.directory_transport": "not_met",
    "app.crypto.directory_password_storage": "not_met",
    "app.rbac.directory_passwords": "not_met",
}
_AS_IT_COMES = _OF_THE_MESS | {
    "app.audit.directory_records": "partly",  # logins
    "app.auth.directory_anonymous": "partly",
    "app.crypto.directory_password_storage": "partly",
    "app.rbac.directory_passwords": "met",
}


def _results(server: LdapServer, user: str = ADMIN, password: str = "search-secret") -> dict[str, Result]:
    url = f"ldap://{user}:{password}@127.0.0.1:{server.port}/dc=city,dc=test"
    return {one.probe: one for one in run([Directory("city", lambda: url, server.ca)], of_source("ldap"), seconds=60)}


def _outcomes(found: dict[str, Result]) -> dict[str, str]:
    return {name: one.outcome for name, one in found.items()}


def _kept(server: LdapServer) -> str:
    command = [Path(str(SLAPD)).parent / "slapcat", "-f", server.folder / "slapd.conf", "-n", "1"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def hardened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LdapServer]:
    with LdapServer(tmp_path_factory.mktemp("ldap"), _HARDENED, DATA + _POLICY) as server:
        yield server


@pytest.mark.parametrize(("config", "wanted"), [(_PLAIN, _AS_IT_COMES), (_MESS, _OF_THE_MESS)])
def test_a_neglected_directory(tmp_path: Path, config: str, wanted: dict[str, str]) -> None:
    with LdapServer(tmp_path, config) as server:
        before = _kept(server)
        found = _results(server)
        assert _outcomes(found) == wanted
        assert _kept(server) == before
    shown = found["app.auth.directory_anonymous"].reason
    assert ("2 entries show their password" in shown) == (config is _MESS)
    assert not [one for one in found.values() if "Password-1" in one.evidence or "search-secret" in one.evidence]


def test_a_hardened_directory(hardened: LdapServer) -> None:
    before = _kept(hardened)
    found = _results(hardened)
    assert _outcomes(found) == dict.fromkeys(_AS_IT_COMES, "met"), [one.reason for one in found.values() if one.outcome != "met"]
    assert (hardened.folder / "changes.ldif").exists() is False
    assert _kept(hardened) == before
    assert "confidentialityRequired" in found["app.auth.directory_transport"].reason


def test_who_may_see_little_gets_errors_and_no_verdicts(hardened: LdapServer) -> None:
    found = _outcomes(_results(hardened, "uid%3Dzhang%2Cdc%3Dcity%2Cdc%3Dtest", "Zhang-Password-1"))
    config = {probe.id for probe in of_source("ldap") if "config" in probe.reads}
    assert {name for name, outcome in found.items() if outcome == "error"} == config
    assert {outcome for name, outcome in found.items() if name not in config} == {"met"}
    refused = _results(hardened, ADMIN, "wrong")
    assert {refused[name].outcome for name in config} == {"error"}
    assert not [one for one in refused.values() if "wrong" in one.reason]


def test_a_password_never_goes_out_in_clear(tmp_path: Path) -> None:
    """Without TLS whoever needs the login is told so, and the directory records no bind of it."""
    plain = "\n".join(line for line in _PLAIN.splitlines() if not line.startswith("TLS")) + "\n"
    with LdapServer(tmp_path, plain.replace("pidfile", "loglevel stats\npidfile")) as server:
        found = _results(server)
    assert found["app.auth.directory_transport"].outcome == "not_met"
    assert "does not speak TLS there at all" in found["app.auth.directory_transport"].reason
    assert found["app.auth.directory_idle_timeout"].outcome == "error"
    assert "does not speak TLS" in found["app.auth.directory_idle_timeout"].reason


def test_a_stranger_with_another_certificate_gets_no_password(hardened: LdapServer, tmp_path: Path) -> None:
    with LdapServer(tmp_path, _PLAIN) as other:
        other.ca = hardened.ca
        found = _results(other)
    assert {one.outcome for one in found.values() if "config" in (of(one.probe).reads)} == {"error"}


def test_ldaps_is_read_too_and_says_nothing_of_clear_passwords(hardened: LdapServer) -> None:
    url = f"ldaps://{ADMIN}:search-secret@127.0.0.1:{hardened.tls_port}/dc=city,dc=test"
    found = {one.probe: one for one in run([Directory("city", lambda: url, hardened.ca)], of_source("ldap"), seconds=60)}
    assert found.pop("app.auth.directory_transport").outcome == "error"
    assert {one.outcome for one in found.values()} == {"met"}


def test_nobody_there() -> None:
    url = f"ldap://{ADMIN}:secret-word@127.0.0.1:1/dc=city,dc=test"
    found = list(run([Directory("city", lambda: url)], of_source("ldap"), seconds=20))
    assert {one.outcome for one in found} == {"error"}
    assert "secret-word" not in str(found)


def of(name: str) -> Probe:
    return next(probe for probe in of_source("ldap") if probe.id == name)


@pytest.mark.parametrize(
    ("rules", "others"),
    [
        ((), 1),
        (("{0}to * by * read",), 1),
        (("{0}to * by users read by * none",), 1),
        (("{0}to * by self write by users read",), 1),
        (("{0}to attrs=userPassword by anonymous auth by self write by * none", "{1}to * by * read"), 0),
        (("{0}to attrs=shadowLastChange,userPassword by self =xw by anonymous auth", "{1}to * by * read"), 0),
        (("{0}to attrs=userPassword by users =rscx by * none",), 1),
        (("{0}to attrs=mail by * read", "{1}to * by dn.base=cn=admin,dc=x manage by * none"), 0),
        (('{0}to dn.subtree="ou=a" by * none', "{1}to * by * read"), 0),
        (("{0}to * by users ssf=128 read",), 1),
        (("{0}to * by anonymous auth by users none",), 0),
    ],
)
def test_rules_of_access(rules: tuple[str, ...], others: int) -> None:
    assert len(who_reads_passwords(Entry("olcDatabase={1}mdb,cn=config", {"olcAccess": rules}), ())) == others


def _policy(**changes: str) -> dict[str, Any]:
    good = {"pwdMinLength": "10", "pwdMaxAge": "7776000", "pwdCheckQuality": "2", "pwdInHistory": "5", "pwdLockout": "TRUE",
            "pwdMaxFailure": "5", "pwdLockoutDuration": "0"}  # fmt: skip
    return {"dn": "cn=p", **{name: [value] for name, value in (good | changes).items()}}


@pytest.mark.parametrize(
    ("changes", "rules", "lockout"),
    [
        ({}, "met", "met"),
        ({"pwdMinLength": "7"}, "not_met", "met"),
        ({"pwdMaxAge": "0"}, "not_met", "met"),
        ({"pwdMaxAge": "7776001"}, "not_met", "met"),
        ({"pwdCheckQuality": "1"}, "partly", "met"),
        ({"pwdInHistory": "4"}, "partly", "met"),
        ({"pwdLockout": "FALSE"}, "met", "not_met"),
        ({"pwdMaxFailure": "0"}, "met", "not_met"),
        ({"pwdMaxFailure": "6"}, "met", "partly"),
        ({"pwdMaxFailure": "11"}, "met", "not_met"),
        ({"pwdLockoutDuration": "299"}, "met", "partly"),
    ],
)
def test_edges_of_policies(changes: dict[str, str], rules: str, lockout: str) -> None:
    parts = {
        "root": Part('{"supportedControl": ["1.3.6.1.4.1.42.2.27.8.5.1"], "supportedExtension": []}'),
        "policies": Part(msgspec.json.encode([_policy(**changes)]).decode()),
    }
    assert judged(of("app.auth.directory_password_rules"), parts, "t", "").outcome == rules
    assert judged(of("app.auth.directory_lockout"), parts, "t", "").outcome == lockout
    parts["root"] = Part('{"supportedControl": []}')
    assert judged(of("app.auth.directory_lockout"), parts, "t", "").outcome == "not_met"


@pytest.mark.parametrize(
    "text", ["", "ldap://", "http://a:b@c/d", "ldap://host/dc=x", "ldap://a:secret@h:99999/x", "ldap://a:secret@[::1/x"]
)
def test_what_is_no_login(text: str) -> None:
    with pytest.raises(LiandunError) as told:
        read_login(text)
    assert "secret" not in str(told.value)


@given(st.text() | st.text(min_size=8).map("ldaps://a:{}@host/dc=x:".format))
def test_any_text_is_a_login_or_is_refused_without_its_words(text: str) -> None:
    """Whole texts of some length: a single letter stands in any message."""
    assert len(text) < 8 or text not in _refusal(text)


def _refusal(text: str) -> str:
    try:
        login = read_login(text)
    except LiandunError as error:
        return str(error)
    assert all((login.host, login.dn, login.password, login.base))
    return ""


def test_a_login_with_signs_of_urls() -> None:
    login = read_login("ldaps://cn%3Da%40b:p%3A%40%2F%25@[2001:db8::7]/dc=city,dc=test")
    assert (login.dn, login.password, login.base, login.url) == ("cn=a@b", "p:@/%", "dc=city,dc=test", "ldaps://[2001:db8::7]:636")
