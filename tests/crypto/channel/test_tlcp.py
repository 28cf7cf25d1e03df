"""TLCP with double certificates between two processes, through the library of the tongsuopy wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto.channel import tlcp
from crypto.channel.link import Credentials
from crypto.errors import BackendMissingError
from tests.crypto.channel.authority import Authority
from tests.crypto.channel.conftest import Talk


@pytest.fixture(autouse=True)
def _library() -> None:
    try:
        tlcp.library()
    except BackendMissingError as error:
        pytest.skip(str(error))


def double(authority: Authority, name: str) -> Credentials:
    sign = authority.leaf(name, tag="-sign")
    enc = authority.leaf(name, tag="-enc", usage="keyEncipherment,dataEncipherment,keyAgreement")
    return sign._replace(enc_certificate=enc.certificate, enc_key=enc.key)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_mutual_link(talk: Talk, authority: Authority, host: str) -> None:
    agreed = {"protocol": "TLCP", "suite": "ECDHE_SM4_GCM_SM3", "group": "SM2", "domestic": True}
    ours, theirs = talk(double(authority, "server.test"), double(authority, "collector-1"), host=host, suite="tlcp", size=200_000)
    assert ours == {**agreed, "peer": "collector-1"}
    assert theirs == {**agreed, "peer": "server.test"}


def test_certificates_of_another_implementation(talk: Talk, shared: Path) -> None:
    folder = shared / "gm-vectors" / "tlcp-certs"

    def end(letter: str) -> Credentials:
        names = (f"{letter}sign.crt", f"{letter}sign.key", "ca.crt", "", f"{letter}enc.crt", f"{letter}enc.key")
        return Credentials(*((folder / name) if name else None for name in names))  # type: ignore[arg-type]

    ours, theirs = talk(end("s"), end("c"), suite="tlcp")
    assert (ours["peer"], theirs["peer"]) == ("client", "localhost")


def test_unknown_authority_and_revocation(talk: Talk, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    server, good, bad = (double(authority, name) for name in ("server.test", "good", "bad"))
    stranger = double(Authority(tmp_path / "other"), "collector-1")
    ours, _ = talk(server, stranger._replace(ca=server.ca), suite="tlcp")
    assert ours["refused"] == "certificate"
    server = server._replace(crl=authority.revoke(bad))
    assert talk(server, good, suite="tlcp")[0]["peer"] == "good"
    assert talk(server, bad, suite="tlcp")[0]["refused"] == "revoked"


def test_no_link_between_tlcp_and_tls(talk: Talk, authority: Authority, client: Credentials) -> None:
    ours, theirs = talk(double(authority, "server.test"), client, suite="tlcp", client_told={"suite": "domestic"})
    assert "refused" in ours
    assert "refused" in theirs
