"""Accounts disabled in a real OpenLDAP, by its password policy and by the attribute that Active Directory has."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ldap3
import msgspec
import pytest

from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.settings import AccountDirectory, Settings
from playbooks.actions.system_kinds import system
from playbooks.model import Command
from tests.operations.accounts.ldap_server import CONFIG, DATA, SLAPD, LdapServer

pytestmark = pytest.mark.skipif(SLAPD is None, reason="needs OpenLDAP (Debian/Ubuntu: apt install slapd)")
ADMIN, ADMIN_SECRET = "cn=admin,dc=city,dc=test", "search-secret"
_AD = """attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.1.1 NAME 'adUser' AUXILIARY MAY userAccountControl )
"""
_POLICY = """
overlay ppolicy
ppolicy_default "cn=policy,dc=city,dc=test"
"""
_MORE = """
dn: cn=policy,dc=city,dc=test
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE

dn: uid=wang,dc=city,dc=test
objectClass: inetOrgPerson
objectClass: adUser
uid: wang
uid: service-backup
cn: 王五
sn: Wang
userPassword: Wang-Password-1
userAccountControl: 66048

dn: cn=wang,cn=policy,dc=city,dc=test
objectClass: device
cn: wang
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LdapServer]:
    config = CONFIG.replace("moduleload back_mdb", "moduleload back_mdb\nmoduleload ppolicy")
    config = config.replace("pidfile ", _AD + "pidfile ") + _POLICY
    with LdapServer(tmp_path_factory.mktemp("slapd"), config, DATA + _MORE) as made:
        yield made


def _settings(server: LdapServer, **more: Any) -> Settings:
    known: dict[str, Any] = {
        "url": f"ldaps://127.0.0.1:{server.tls_port}", "base_dn": "dc=city,dc=test", "bind_dn": ADMIN, "ca_file": server.ca,
        "protected": ("service-backup",),
    }  # fmt: skip
    return Settings(directory=AccountDirectory(**{**known, **more}))


def _do(settings: Settings, kind: str, account: str, *, secret: str = ADMIN_SECRET, **more: Any) -> dict[str, Any]:
    request = Request(
        key="7.1",
        step_id="action--1",
        command=Command(type=f"liandun-account-{kind}", more={"parameters": {"account": account, "reason": "test", **more}}),
        out_args=("__account_name__", "__account_before__"),
    )
    context = Context(time.monotonic() + 20, lambda name, places: {("directory", None): secret}[name, places])
    return dict(system(settings)[request.command.type].run(request, context))


def _server(server: LdapServer) -> ldap3.Server:
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(server.ca))
    return ldap3.Server(f"ldaps://127.0.0.1:{server.tls_port}", tls=tls)


def _logs_in(server: LdapServer, name: str) -> bool:
    return bool(ldap3.Connection(_server(server), f"uid={name},dc=city,dc=test", f"{name.title()}-Password-1").bind())


def _attribute(server: LdapServer, name: str, attribute: str) -> list[str]:
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(server.ca))
    with ldap3.Connection(
        ldap3.Server(f"ldaps://127.0.0.1:{server.tls_port}", tls=tls), ADMIN, ADMIN_SECRET, auto_bind=True
    ) as found:
        found.search(f"uid={name},dc=city,dc=test", "(objectClass=*)", attributes=[attribute])
        return [value.decode() for value in found.response[0]["raw_attributes"][attribute]]


def test_nobody_logs_in_until_it_is_enabled_again(server: LdapServer) -> None:
    assert _logs_in(server, "zhang")
    given = _do(_settings(server), "disable", "zhang")
    assert given == {"__account_name__": "uid=zhang,dc=city,dc=test", "__account_before__": "enabled"}
    assert not _logs_in(server, "zhang")
    assert _logs_in(server, "li")
    again = _do(_settings(server), "disable", "zhang")
    assert again["__account_before__"] == "disabled"
    _do(_settings(server), "enable", "zhang", before=again["__account_before__"])
    assert not _logs_in(server, "zhang"), "it was disabled before, so it stays"
    _do(_settings(server), "enable", "zhang", before=given["__account_before__"])
    assert _logs_in(server, "zhang")
    _do(_settings(server), "enable", "zhang")
    assert _logs_in(server, "zhang")


def test_over_start_tls(server: LdapServer) -> None:
    settings = _settings(server, url=f"ldap://localhost:{server.port}")
    _do(settings, "disable", "li")
    assert not _logs_in(server, "li")
    _do(settings, "enable", "li")
    assert _logs_in(server, "li")


def test_active_directory_keeps_the_other_bits(server: LdapServer) -> None:
    settings = _settings(server, kind="ad", protected=())
    assert _do(settings, "disable", "wang")["__account_before__"] == "enabled"
    assert _attribute(server, "wang", "userAccountControl") == ["66050"]
    assert _do(settings, "disable", "wang")["__account_before__"] == "disabled"
    _do(settings, "enable", "wang")
    assert _attribute(server, "wang", "userAccountControl") == ["66048"]
    with pytest.raises(ActionError, match="userAccountControl"):
        _do(settings, "disable", "zhang")


@pytest.mark.parametrize(
    ("account", "code"),
    [
        ("nobody", "NOT_FOUND"),
        ("*", "NOT_FOUND"),
        ("zhang)(uid=*", "NOT_FOUND"),
        ("service-backup", "NOT_ALLOWED"),
        ("wang", "NOT_ALLOWED"),
        ("SERVICE-BACKUP ", "NOT_ALLOWED"),
        (ADMIN, "NOT_ALLOWED"),
    ],
)
def test_accounts_that_are_not_there_or_protected(server: LdapServer, account: str, code: str) -> None:
    with pytest.raises(ActionError) as caught:
        _do(_settings(server), "disable", account)
    assert caught.value.code == code
    assert _logs_in(server, "zhang")
    assert _logs_in(server, "wang")


def test_a_filter_that_fits_two(server: LdapServer) -> None:
    with pytest.raises(ActionError) as caught:
        _do(_settings(server, user_filter="(|(uid={name})(uid=li))"), "disable", "zhang")
    assert caught.value.code == "AMBIGUOUS"


def test_a_directory_that_cannot_be_trusted_or_asked(server: LdapServer, tmp_path: Path) -> None:
    for more, code in (
        ({"ca_file": None}, "DIRECTORY_UNREACHABLE"),
        ({"url": f"ldap://127.0.0.1:{server.port}", "start_tls": False}, "NOT_ALLOWED"),
        ({"url": "ldaps://127.0.0.1:1"}, "DIRECTORY_UNREACHABLE"),
    ):
        with pytest.raises(ActionError) as caught:
            _do(_settings(server, **more), "disable", "zhang")
        assert caught.value.code == code
    for secret in ("wrong", ""):
        with pytest.raises(ActionError) as caught:
            _do(_settings(server), "disable", "zhang", secret=secret)
        assert caught.value.code == "LOGIN_REFUSED"
    assert _logs_in(server, "zhang")


def test_rights_that_are_lacking_are_told(server: LdapServer) -> None:
    settings = _settings(server, bind_dn="uid=li,dc=city,dc=test")
    with pytest.raises(ActionError, match="insufficientAccess") as caught:
        _do(settings, "disable", "zhang", secret="Li-Password-1")
    assert caught.value.code == "DIRECTORY_FAILED"


def test_without_a_directory_nothing_is_planned() -> None:
    request = Request(
        key="7.1",
        step_id="action--1",
        command=Command(type="liandun-account-disable", more={"parameters": {"account": "x", "reason": "y"}}),
    )
    with pytest.raises(ActionError, match="no directory"):
        system()["liandun-account-disable"].plan(request)
    assert msgspec.structs.asdict(Settings())["directory"] is None
