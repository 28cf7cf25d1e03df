"""Which indicator covers a value that somebody looks at."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.db import Database
from operations.audit.schema import SYSTEM
from operations.indicators import service
from operations.indicators.covering import covering, spellings
from operations.indicators.schema import Candidate
from tests.state_database import migrated

IN_FORCE = ("198.51.100.7", "198.51.100.0/24", "198.51.0.0/16", "2001:db8:7::/48", "*.evil.example", "a.evil.example", "ab" * 16)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    found = migrated(f"sqlite:///{tmp_path}/state.db")
    service.bring_in(found, SYSTEM, [Candidate(value) for value in IN_FORCE], origin="feed")
    return found


@pytest.mark.parametrize(
    ("value", "by"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("198.51.100.8", "198.51.100.0/24"),
        ("198.51.1.1", "198.51.0.0/16"),
        ("198.52.1.1", ""),
        ("2001:DB8:7:0::9", "2001:db8:7::/48"),
        ("2001:db8:8::9", ""),
        ("A.Evil.example.", "a.evil.example"),
        ("x.a.evil.example", "*.evil.example"),
        ("evil.example", "*.evil.example"),
        ("notevil.example", ""),
        ("*.evil.example", "*.evil.example"),
        ("AB" * 16, "ab" * 16),
        ("198.51.100.0/24", "198.51.100.0/24"),
        ("", ""),
        ("two words", ""),
        ("x" * 5000, ""),
        ("a\0b", ""),
        ("\ud800", ""),
    ],
)
def test_the_closest_one_covers(database: Database, value: str, by: str) -> None:
    with database.read() as session:
        found = covering(session, [value, "unheard.example"])
    assert [one.value for one in found.values()] == ([by] if by else [])


def test_what_is_revoked_covers_nothing(database: Database) -> None:
    with database.write() as session:
        service.revoke(session, SYSTEM, 1, "ours", expected_version=None)
    with database.read() as session:
        assert covering(session, ["198.51.100.7"])["198.51.100.7"].value == "198.51.100.0/24"


@given(st.ip_addresses())
def test_every_network_that_is_taken_and_holds_an_address_is_among_its_spellings(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    found = spellings(str(address))
    assert found[0] == str(getattr(address, "ipv4_mapped", None) or address)
    inside = ipaddress.ip_address(found[0])
    assert all(inside in ipaddress.ip_network(one) for one in found)
    assert len(set(found)) == len(found) == (17 if inside.version == 4 else 97)


@given(st.text(max_size=300))
def test_any_text_has_few_spellings(text: str) -> None:
    assert len(spellings(text)) <= 200
