"""The secret store: what goes in never comes out to people, and actions get it for the moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select, update

from crypto.secret import MasterKey
from kernel.db import Database
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.secrets.models import PlaybookSecret
from operations.secrets.rotate import SecretPlaces
from playbooks.actions.contract import ActionError, Destination
from playbooks.vault import service as vault
from tests.state_database import migrated

WHO = Actor("zhou-sysadmin", "192.0.2.7")
HERE = [Destination("gw.example.cn", 443)]
PEM = "-----BEGIN PRIVATE KEY-----\nMIG2AgEAMBAG密\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = migrated(f"sqlite:///{tmp_path}/state.db")
    yield found
    found.close()


@pytest.fixture
def key(tmp_path: Path) -> MasterKey:
    return MasterKey.load(tmp_path / "master.key")


def _set(database: Database, key: MasterKey, name: str, value: str, hosts: Sequence[str] | None = ("gw.example.cn",)) -> None:
    with database.write() as session:
        vault.set_secret(session, WHO, key, name, value, hosts)


@pytest.mark.parametrize("value", ["geheim", " with blanks ", PEM, "密码🔑", "x" * vault.MAX_VALUE])
def test_actions_get_exactly_what_was_set(database: Database, key: MasterKey, value: str) -> None:
    _set(database, key, "openc2-gateway", value)
    assert vault.secrets(database, key)("openc2-gateway", None) == value
    with database.read() as session:
        assert value not in session.execute(select(PlaybookSecret.sealed)).scalar_one()


def test_a_replaced_secret_is_in_use_at_once_and_a_removed_one_is_missed(database: Database, key: MasterKey) -> None:
    secrets = vault.secrets(database, key)
    _set(database, key, "fw", "one")
    assert secrets("fw", HERE) == "one"
    _set(database, key, "fw", "two")
    assert secrets("fw", HERE) == "two"
    with database.write() as session:
        vault.remove_secret(session, WHO, "fw")
    with pytest.raises(ActionError) as missed:
        secrets("fw", HERE)
    assert (missed.value.code, missed.value.again) == ("SECRET_MISSING", False)


def test_lists_and_the_trail_tell_names_only(database: Database, key: MasterKey) -> None:
    _set(database, key, "scim-directory", "geheim-1")
    _set(database, key, "fw", "geheim-2")
    _set(database, key, "fw", "geheim-3")
    with database.write() as session:
        vault.remove_secret(session, WHO, "scim-directory")
    with database.read() as session:
        listed = vault.names(session)
        entries = audit.listing(session, object_type="playbook_secret").entries
    assert [(one.name, one.updated_by) for one in listed] == [("fw", "zhou-sysadmin")]
    assert [(one.action, one.object_id, one.detail) for one in reversed(entries)] == [
        ("playbook.secret_set", "scim-directory", {"new": True, "hosts": ["gw.example.cn"]}),
        ("playbook.secret_set", "fw", {"new": True, "hosts": ["gw.example.cn"]}),
        ("playbook.secret_set", "fw", {"new": False, "hosts": ["gw.example.cn"]}),
        ("playbook.secret_remove", "scim-directory", {}),
    ]
    assert "geheim" not in str(listed) + str(entries)


def test_a_sealed_value_opens_under_its_own_name_only(database: Database, key: MasterKey, tmp_path: Path) -> None:
    _set(database, key, "a", "one")
    _set(database, key, "b", "two")
    with database.write() as session:
        stolen = session.execute(select(PlaybookSecret.sealed).where(PlaybookSecret.name == "b")).scalar_one()
        session.execute(update(PlaybookSecret).where(PlaybookSecret.name == "a").values(sealed=stolen))
    for secrets in (vault.secrets(database, key), vault.secrets(database, MasterKey.load(tmp_path / "other.key"))):
        with pytest.raises(ActionError) as refused:
            secrets("a", None)
        assert refused.value.code == "SECRET_UNREADABLE"
        assert "two" not in str(refused.value)


def test_rotation_seals_it_again(database: Database, key: MasterKey) -> None:
    _set(database, key, "fw", "one")
    younger = MasterKey(b"k" * 16, generation=2)
    with database.write() as session:
        session.execute(update(PlaybookSecret).values(sealed=MasterKey(b"k" * 16, generation=2).seal(b"one", "playbook-secret:fw")))
    found = {one.place: one.generations for one in SecretPlaces(database, []).count()}
    assert found["secrets of playbooks"] == {2: 1}
    assert vault.secrets(database, younger)("fw", HERE) == "one"


@pytest.mark.parametrize("name", ["", " ", "-x", "a b", "a\n", "ü", "x" * 129, "../../etc"])
def test_names_that_are_none(database: Database, key: MasterKey, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        _set(database, key, name, "x")
    assert refused.value.field == "name"


@pytest.mark.parametrize("value", ["", "  \n", "a\0b", "\ud800", "x" * (vault.MAX_VALUE + 1)])
def test_values_that_are_none(database: Database, key: MasterKey, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        _set(database, key, "fw", value)
    assert refused.value.field == "value"


def test_there_is_an_end_to_it(database: Database, key: MasterKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "MOST", 2)
    _set(database, key, "a", "x")
    _set(database, key, "b", "x")
    _set(database, key, "a", "y")
    with pytest.raises(Conflict):
        _set(database, key, "c", "x")
    with pytest.raises(NotFound), database.write() as session:
        vault.remove_secret(session, WHO, "c")


def test_a_secret_goes_to_its_hosts_only(database: Database, key: MasterKey, tmp_path: Path) -> None:
    _set(database, key, "fw", "one", ["gw.example.cn:8443", "192.0.2.7"])
    _set(database, key, "nowhere", "two", None)
    # another key could not open it: what is refused was not even tried
    secrets = vault.secrets(database, MasterKey.load(tmp_path / "other.key"))
    here = Destination("gw.example.cn", 8443)
    for name, places in (
        ("fw", [Destination("gw.example.cn", 443)]),
        ("fw", [here, Destination("evil.example", 8443)]),
        ("fw", [Destination("evil.example", 8443), here]),
        ("fw", []),
        ("nowhere", [here]),
    ):
        with pytest.raises(ActionError) as refused:
            secrets(name, places)
        assert (refused.value.code, refused.value.again) == ("SECRET_NOT_FOR_HOST", False)
    secrets = vault.secrets(database, key)
    assert secrets("fw", [here, Destination("::ffff:192.0.2.7", 22)]) == "one"
    assert secrets("nowhere", None) == "two"


def test_a_replaced_secret_keeps_its_hosts_unless_it_gets_others(database: Database, key: MasterKey) -> None:
    _set(database, key, "fw", "one")
    for value, hosts, kept in (("two", None, ("gw.example.cn",)), ("three", ["192.0.2.7"], ("192.0.2.7",)), ("four", [], ())):
        _set(database, key, "fw", value, hosts)
        with database.read() as session:
            assert [one.hosts for one in vault.names(session)] == [kept]


@pytest.mark.parametrize("host", ["https://gw.example.cn", "gw.example.cn:0", "*", "a b", "gw/x"])
def test_hosts_that_are_none(database: Database, key: MasterKey, host: str) -> None:
    with pytest.raises(Invalid) as refused:
        _set(database, key, "fw", "x", ["gw.example.cn", host])
    assert refused.value.field == "hosts"
    with database.read() as session:
        assert vault.names(session) == []
