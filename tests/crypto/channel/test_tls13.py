"""RFC 8998 links between two real processes: what is agreed, and all that must not become a link."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from crypto.channel.link import Credentials
from tests.crypto.channel.authority import Authority
from tests.crypto.channel.conftest import Talk, start

DOMESTIC = {"protocol": "TLSv1.3", "suite": "TLS_SM4_GCM_SM3", "group": "curveSM2", "domestic": True}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("mixed", [False, True])
def test_mutual_domestic_link(talk: Talk, server: Credentials, client: Credentials, host: str, mixed: bool) -> None:
    ours, theirs = talk(server, client, host=host, mixed=mixed, size=300_000)
    assert ours == {**DOMESTIC, "peer": "collector-1"}
    assert theirs == {**DOMESTIC, "peer": "server.test"}


def test_without_our_openssl_settings_no_link(talk: Talk, server: Credentials, client: Credentials) -> None:
    """Then OpenSSL agrees on a foreign group, which must be noticed."""
    ours, theirs = talk(server, client, conf=False)
    assert theirs["refused"] == "group", theirs
    assert ours["refused"] in ("group", "ChannelClosedError")


@pytest.mark.parametrize("strict", ["server", "client"])
def test_a_strict_end_refuses_a_foreign_group(talk: Talk, server: Credentials, client: Credentials, strict: str) -> None:
    other = "client_told" if strict == "server" else "server_told"
    ours, theirs = talk(server, client, **{other: {"conf": False}})
    if "refused" not in ours:  # both may meet on curveSM2, which is right as well
        assert ours["group"] == theirs["group"] == "curveSM2"
    assert ours.get("domestic", False) == theirs.get("domestic", False)


def test_unknown_authority_is_refused(talk: Talk, server: Credentials, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other").leaf("collector-1")
    ours, theirs = talk(server, stranger._replace(ca=server.ca))
    assert ours["refused"] == "certificate"
    assert "refused" in theirs


def test_revoked_certificate_is_refused(talk: Talk, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    server, good, bad = (authority.leaf(name) for name in ("server.test", "good", "bad"))
    server = server._replace(crl=authority.revoke(bad))
    ours, _ = talk(server, good)
    assert ours["peer"] == "good"
    ours, theirs = talk(server, bad)
    assert ours["refused"] == "revoked"
    assert "refused" in theirs


def test_wrong_server_name_is_refused(talk: Talk, server: Credentials, client: Credentials) -> None:
    _, theirs = talk(server, client, client_told={"name": "other.test"})
    assert theirs["refused"] == "name"
    _, theirs = talk(server, client, client_told={"name": "localhost"})
    assert theirs["peer"] == "server.test"


def test_classic_only_where_said(talk: Talk, server: Credentials, client: Credentials, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "p256", "p256")
    classic_server, classic_client = authority.leaf("server.test"), authority.leaf("collector-1")
    ours, theirs = talk(classic_server, classic_client, suite="classic", mixed=True)
    assert not ours["domestic"]
    assert ours["suite"] == theirs["suite"] == "TLS_AES_256_GCM_SHA384"
    ours, theirs = talk(server, classic_client, client_told={"suite": "classic", "mixed": True})
    assert "refused" in ours
    assert "refused" in theirs


def test_a_silent_client_is_let_go(server: Credentials, tmp_path: Path) -> None:
    with start("server", server, tmp_path, timeout=0.5) as process:
        assert process.stdout is not None
        with socket.create_connection(("127.0.0.1", int(process.stdout.readline()))):
            assert json.loads(process.communicate(timeout=30)[0])["refused"] == "timeout"
