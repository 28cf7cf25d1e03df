"""TLS endpoints: real servers of OpenSSL, a domestic one, one that speaks no TLS, and a closed port."""

from __future__ import annotations

import datetime
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from compliance.probes.facts import Part
from compliance.probes.formats import tls_hello
from compliance.probes.reading.tls import TlsEndpoint
from compliance.probes.registry import of_source, probes
from compliance.probes.result import Result, judged
from compliance.probes.run import run
from tests.crypto.channel.authority import Authority
from tests.crypto.channel.conftest import start
from tests.system.platform import free_port

needed = pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command line")
_NOW = datetime.datetime.now(datetime.UTC)


def _certificate(folder: Path, name: str, *, good: bool) -> None:
    """``good``: EC P-256, 90 days, SAN localhost and 127.0.0.1. Else RSA with 1024 bits that is over, for another host."""
    key = ec.generate_private_key(ec.SECP256R1()) if good else rsa.generate_private_key(65537, 1024)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost" if good else "old.example")])
    begin, end = (-1, 90) if good else (-400, -3)
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(_NOW + datetime.timedelta(days=begin)).not_valid_after(_NOW + datetime.timedelta(days=end))
    names = [x509.DNSName("localhost")] if good else [x509.DNSName("old.example")]
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / f"{name}.crt").write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    (folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@contextmanager
def _served(folder: Path, name: str, *options: str) -> Iterator[int]:
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", f"{folder}/{name}.crt", "-key", f"{folder}/{name}.key"]
    with subprocess.Popen(
        [*command, "-www", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, stdin=subprocess.DEVNULL
    ) as server:
        try:
            assert server.stdout is not None
            line = next(line for line in server.stdout if line.startswith("ACCEPT "))
            yield int(line.rpartition(":")[2])
        finally:
            server.kill()


def _outcomes(endpoint: TlsEndpoint) -> dict[str, Result]:
    return {one.probe.removeprefix("tls.scan."): one for one in run([endpoint], of_source("tls"), seconds=60)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    _certificate(made, "good", good=True)
    _certificate(made, "bad", good=False)
    return made


def _issued(folder: Path) -> None:
    """``inner``: issued by an authority ``own`` that no system knows."""
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("own", "inner")}
    names = {name: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in keys}
    for name, is_authority in (("own", True), ("inner", False)):
        builder = x509.CertificateBuilder().subject_name(names[name]).issuer_name(names["own"]).serial_number(9 + is_authority)
        builder = builder.public_key(keys[name].public_key()).not_valid_before(_NOW - datetime.timedelta(days=1))
        builder = builder.not_valid_after(_NOW + datetime.timedelta(days=90))
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        (folder / f"{name}.crt").write_bytes(builder.sign(keys["own"], SHA256()).public_bytes(Encoding.PEM))
        (folder / f"{name}.key").write_bytes(keys[name].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@needed
def test_an_authority_of_ones_own_and_a_pinned_certificate(folder: Path) -> None:
    _issued(folder)
    read = {name: (folder / f"{name}.crt").read_text() for name in ("own", "inner", "good")}
    with _served(folder, "inner") as port:
        found = {
            name: _outcomes(TlsEndpoint("localhost", port, ca=ca))["trust"].outcome for name, ca in {**read, "none": ""}.items()
        }
    assert found == {"own": "met", "inner": "met", "good": "not_met", "none": "not_met"}


@needed
def test_an_endpoint_of_today(folder: Path) -> None:
    with _served(folder, "good", "-no_tls1", "-no_tls1_1", "-cipher", "ECDHE+AESGCM") as port:
        found = _outcomes(TlsEndpoint("localhost", port, folder / "good.crt"))
    assert found.pop("commercial_cryptography").outcome == "not_met"
    assert {name: one.outcome for name, one in found.items()} == dict.fromkeys(found, "met"), [one.reason for one in found.values()]
    assert "TLSv1.2" in found["versions"].reason


@needed
def test_an_endpoint_of_tls_1_3_only(folder: Path) -> None:
    with _served(folder, "good", "-tls1_3") as port:
        found = _outcomes(TlsEndpoint("localhost", port, folder / "good.crt"))
    assert "TLSv1.3" in found["versions"].reason
    assert "TLSv1.2" not in found["versions"].reason
    assert (found["validity"].outcome, found["key"].outcome, found["suites"].outcome) == ("met", "met", "met")


@needed
def test_an_endpoint_of_long_ago(folder: Path) -> None:
    options = ("-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0", "-no_tls1_3")
    with _served(folder, "bad", *options) as port:
        found = _outcomes(TlsEndpoint("127.0.0.1", port))
    expected = dict.fromkeys(found, "not_met") | {"forward_secrecy": "partly"}
    assert {name: one.outcome for name, one in found.items()} == expected, [one.reason for one in found.values()]
    assert "TLSv1.0" in found["versions"].reason
    assert "NULL" in found["suites"].reason
    assert "anon" in found["suites"].reason
    assert "rsa 1024" in found["key"].reason


@needed
def test_static_keys_only(folder: Path) -> None:
    with _served(folder, "bad", "-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0") as port:
        found = _outcomes(TlsEndpoint("127.0.0.1", port))
    assert (found["forward_secrecy"].outcome, found["suites"].outcome, found["versions"].outcome) == ("not_met", "met", "met")


def test_a_domestic_endpoint(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    with start("standing", authority.leaf("server.test"), tmp_path, host="127.0.0.1") as server:
        try:
            assert server.stdout is not None
            found = _outcomes(TlsEndpoint("127.0.0.1", int(server.stdout.readline())))
        finally:
            server.kill()
    assert found["commercial_cryptography"].outcome == "met", found["commercial_cryptography"].reason
    assert "SM4" in found["commercial_cryptography"].reason


def test_what_speaks_no_tls_and_what_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            for _ in range(3):
                connection, _ = server.accept()
                with connection:
                    connection.recv(1_024)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        assert {one.outcome for one in _outcomes(TlsEndpoint("127.0.0.1", port)).values()} == {"error"}
    found = _outcomes(TlsEndpoint("127.0.0.1", free_port()))
    assert {one.outcome for one in found.values()} == {"error"}
    assert "does not answer" in found["versions"].reason


@pytest.mark.slow
def test_a_server_that_stays_silent_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        endpoint = TlsEndpoint("127.0.0.1", server.getsockname()[1])
        found = list(run([endpoint], [probes()["tls.scan.versions"]], seconds=12))
    assert [one.outcome for one in found] == ["error"]


@pytest.mark.parametrize("cut", [0, 1, 5, 9, 40, 70])
def test_answers_that_are_cut_off_or_hostile(cut: int) -> None:
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\xc0\x2f" + b"\x00"
    record = b"\x16\x03\x03" + (len(body) + 4).to_bytes(2, "big") + b"\x02" + len(body).to_bytes(3, "big") + body
    assert tls_hello.answer(record[:cut]) is False or cut > len(record)
    for hostile in (b"\x16\x03\x03\xff\xff", b"SSH-2.0", b"\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03"):
        with pytest.raises(tls_hello.NotTls):
            tls_hello.answer(hostile + bytes(20))
    assert tls_hello.answer(b"\x15\x03\x01\x00\x02\x02\x28") is None


def test_a_certificate_that_runs_out_soon_is_partly_met() -> None:
    soon = (_NOW + datetime.timedelta(days=10)).isoformat()
    shown = {
        "subject": "a", "issuer": "b", "not_before": _NOW.isoformat(), "not_after": soon, "names": ["*.example.cn"], "key": "sm2",
        "bits": 256, "signature": "1.2.156.10197.1.501", "is_self_signed": False,
    }  # fmt: skip
    parts = {"certificate": Part(msgspec.json.encode(shown).decode()), "host": Part("a.example.cn")}
    outcomes = {name: judged(probes()[f"tls.scan.{name}"], parts, "x", "").outcome for name in ("validity", "names", "key")}
    assert outcomes == {"validity": "partly", "names": "met", "key": "met"}
    for host in ("example.cn", "a.b.example.cn", "evil.cn"):
        assert judged(probes()["tls.scan.names"], parts | {"host": Part(host)}, "x", "").outcome == "not_met"
