"""Sign-in by a real OpenLDAP server: TLS, right and wrong passwords, hostile names, groups that only propose."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import msgspec
import pytest

from kernel.db import Database
from operations.accounts import login, proposals, service, sessions
from operations.accounts.ldap import DirectoryError, LdapDirectory, LdapSettings
from operations.accounts.schema import Policy, Principal
from operations.errors import Denied
from tests.operations.accounts.conftest import HOME, People
from tests.operations.accounts.ldap_server import SLAPD, LdapServer

pytestmark = pytest.mark.skipif(
    SLAPD is None and not os.environ.get("LIANDUN_REQUIRE_ALL"), reason="needs OpenLDAP (Debian/Ubuntu: apt install slapd)"
)
ROLES = {"cn=SOC-analyst,dc=city,dc=test": "analyst", "cn=soc-admin,dc=city,dc=test": "sysadmin"}
RELAXED = Policy(second_factor="administrators")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LdapServer]:
    with LdapServer(tmp_path_factory.mktemp("ldap")) as running:
        yield running


@pytest.fixture
def settings(server: LdapServer) -> LdapSettings:
    return LdapSettings(
        url=f"ldap://127.0.0.1:{server.port}",
        base_dn="dc=city,dc=test",
        ca_file=server.ca,
        bind_dn="cn=admin,dc=city,dc=test",
        password="search-secret",
    )


@pytest.mark.parametrize("sealed_by", ["StartTLS", "ldaps"])
def test_right_and_wrong_passwords(server: LdapServer, settings: LdapSettings, sealed_by: str) -> None:
    if sealed_by == "ldaps":
        settings = msgspec.structs.replace(settings, url=f"ldaps://127.0.0.1:{server.tls_port}")
    directory = LdapDirectory(settings, ROLES)
    person = directory.check("ZHANG", "Zhang-Password-1")
    assert person is not None
    assert (person.name, person.display_name, person.groups) == ("zhang", "张三", ("cn=soc-analyst,dc=city,dc=test",))
    assert len(person.subject) == 36  # entryUUID
    for name, password in (
        ("zhang", "wrong"),
        ("zhang", ""),  # an anonymous bind would succeed
        ("", "Zhang-Password-1"),
        ("nobody", "Zhang-Password-1"),
        ("*", "Zhang-Password-1"),
        ("zh*", "Zhang-Password-1"),
        ("zhang)(uid=*", "Zhang-Password-1"),
        ("*)(|(uid=*", "Zhang-Password-1"),
        ("zhang\0", "Zhang-Password-1"),
        ("uid=zhang,dc=city,dc=test", "Zhang-Password-1"),
    ):
        assert directory.check(name, password) is None, name


def test_an_unknown_certificate_or_no_tls_at_all_is_refused(server: LdapServer, settings: LdapSettings) -> None:
    for wrong in (
        {"ca_file": None},
        {"url": f"ldaps://127.0.0.1:{server.tls_port}", "ca_file": None},
        {"start_tls": False},
        {"password": "wrong"},
        {"url": "ldap://127.0.0.1:1"},
    ):
        with pytest.raises(DirectoryError):
            LdapDirectory(msgspec.structs.replace(settings, **wrong), ROLES).check("zhang", "Zhang-Password-1")


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_certificate_of_another_host_is_refused(server: LdapServer, settings: LdapSettings, scheme: str) -> None:
    """127.1 is the same machine by another name, which the certificate does not have."""
    url = f"{scheme}://127.1:{server.tls_port if scheme == 'ldaps' else server.port}"
    with pytest.raises(DirectoryError, match="doesn't match"):
        LdapDirectory(msgspec.structs.replace(settings, url=url), ROLES).check("zhang", "Zhang-Password-1")


def test_a_server_that_does_not_answer_is_given_up(settings: LdapSettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=lambda: silent.accept(), daemon=True).start()
        hanging = msgspec.structs.replace(settings, url=f"ldap://127.0.0.1:{silent.getsockname()[1]}", timeout=1.0)
        with pytest.raises(DirectoryError):
            LdapDirectory(hanging, ROLES).check("zhang", "Zhang-Password-1")


def test_a_group_proposes_a_role_and_a_person_confirms_it(
    database: Database, alice: Principal, person: People, settings: LdapSettings
) -> None:
    sec = person("sec", "secadmin")
    directory = LdapDirectory(settings, ROLES)
    for _ in range(2):  # once, however often they log in
        outcome = login.log_in(database, "zhang", "Zhang-Password-1", HOME, policy=RELAXED, directory=directory)
        assert outcome.ok
    who = sessions.principal_of(database, outcome.token, policy=RELAXED)
    assert who is not None
    assert (who.name, who.role, who.permissions) == ("zhang", "", frozenset())
    with database.read() as session:
        [proposal] = proposals.list_proposals(session)
        assert service.get_user(session, who.user_id).origin == "ldap"
    assert (proposal.role, proposal.proposed_by, proposal.state) == ("analyst", "ldap", "open")
    with pytest.raises(Denied), database.write() as session:
        proposals.confirm(session, alice, proposal.id)  # who makes accounts does not give roles, here neither
    with database.write() as session:
        proposals.confirm(session, sec, proposal.id)
    token = login.log_in(database, "zhang", "Zhang-Password-1", HOME, policy=RELAXED, directory=directory).token
    who = sessions.principal_of(database, token, policy=RELAXED)
    assert who is not None
    assert who.role == "analyst"
    with database.read() as session:
        assert proposals.list_proposals(session) == []


def test_no_group_makes_an_administrator(database: Database, settings: LdapSettings) -> None:
    outcome = login.log_in(database, "li", "Li-Password-1", HOME, policy=RELAXED, directory=LdapDirectory(settings, ROLES))
    assert outcome.ok
    with database.read() as session:
        assert proposals.list_proposals(session) == []


def test_a_directory_does_not_take_over_a_local_account(database: Database, person: People, settings: LdapSettings) -> None:
    person("zhang", "analyst")  # a local account of the same name
    directory = LdapDirectory(settings, ROLES)
    assert login.log_in(database, "zhang", "Zhang-Password-1", HOME, policy=RELAXED, directory=directory).reason == "wrong"


def test_external_people_need_our_second_factor(database: Database, settings: LdapSettings) -> None:
    token = login.log_in(database, "zhang", "Zhang-Password-1", HOME, directory=LdapDirectory(settings, ROLES)).token
    who = sessions.principal_of(database, token)
    assert who is not None
    assert who.pending == "enrol"


def test_the_lockout_holds_for_the_directory_too(database: Database, settings: LdapSettings) -> None:
    directory = LdapDirectory(settings, ROLES)
    reasons = [
        login.log_in(database, "zhang", "wrong", f"198.51.100.{n}", policy=RELAXED, directory=directory).reason for n in range(5)
    ]
    assert reasons == ["wrong"] * 4 + ["locked"]
    assert login.log_in(database, "zhang", "Zhang-Password-1", HOME, policy=RELAXED, directory=directory).reason == "locked"


def test_a_directory_that_is_down_locks_nobody_out(database: Database, settings: LdapSettings) -> None:
    down = LdapDirectory(msgspec.structs.replace(settings, url="ldap://127.0.0.1:1"), ROLES)
    for _ in range(6):
        outcome = login.log_in(database, "zhang", "Zhang-Password-1", HOME, policy=RELAXED, directory=down)
        assert outcome.reason == "directory"
    assert login.log_in(database, "zhang", "Zhang-Password-1", HOME, policy=RELAXED, directory=LdapDirectory(settings, ROLES)).ok
