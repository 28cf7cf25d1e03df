"""Fetching by URL: private addresses are refused, and the address that was checked is the one that is used."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from detectors.rule_sets import fetch as fetching
from detectors.rule_sets.fetch import fetch, public_addresses
from kernel.errors import RuleError


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("=")[2])
            self.end_headers()
        elif self.path.startswith("/rules.yml"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"title: from the network " + self.headers["Host"].encode())
        elif self.path.startswith("/large"):
            self.send_response(200)
            self.end_headers()
            for _ in range(64):
                self.wfile.write(bytes(1 << 16))
        elif self.path.startswith("/drip"):
            self.drip()
        elif self.path.startswith("/any"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"title: any")
        else:
            self.send_error(404)

    def drip(self) -> None:
        """A header now and then, for 15 s or until the client has gone."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(OSError):
            for _ in range(60):
                self.wfile.write(b"X-More: to come\r\n")
                self.wfile.flush()
                time.sleep(0.25)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    one = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=one.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{one.server_port}"
    one.shutdown()


def test_a_file_is_fetched_from_an_allowed_private_address(server: str, tmp_path: Path) -> None:
    path = fetch(f"{server}/rules.yml?x=1", tmp_path, allow_private=True)
    assert path.name == "rules.yml"
    assert path.read_bytes() == b"title: from the network " + server.removeprefix("http://").encode()


def test_redirects_are_followed_and_checked(server: str, tmp_path: Path) -> None:
    assert fetch(f"{server}/away?to={server}/rules.yml", tmp_path, allow_private=True).is_file()
    with pytest.raises(RuleError, match="redirects"):
        fetch(f"{server}/away?to=/away?to=/away?to=/away?to=/away?to=/away?to=/away?to=/away?to=/x", tmp_path, allow_private=True)
    with pytest.raises(RuleError, match="only https and http"):
        fetch(f"{server}/away?to=ftp://127.0.0.1/x", tmp_path, allow_private=True)


def test_a_redirect_does_not_reach_local_files(server: str, tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="only https and http"):
        fetch(f"{server}/away?to=file:///etc/passwd", tmp_path, allow_private=True)


def test_wrong_answers_are_told(server: str, tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="answered 404"):
        fetch(f"{server}/nothing.yml", tmp_path, allow_private=True)
    with pytest.raises(RuleError, match="cannot be fetched"):
        fetch("http://127.0.0.1:9/x.yml", tmp_path, allow_private=True)


def test_the_size_limit_holds(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MAX_BYTES", 1 << 20)
    with pytest.raises(RuleError, match=r"larger than 1 MiB \(limit\)"):
        fetch(f"{server}/large.yml", tmp_path, allow_private=True)


@pytest.mark.parametrize("path", ["/drip.yml", "/away?to=/away?to=/drip.yml"])
def test_a_server_that_drips_headers_meets_the_deadline(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(fetching, "MAX_SECONDS", 1.0)
    with pytest.raises(RuleError, match=r"not complete after 1 s \(limit\)"):
        fetch(f"{server}{path}", tmp_path, allow_private=True)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/any/%2e%2e", "rules.tar.gz"),
        ("/any/..%2f..%2fa.yml", "a.yml"),
        ("/any/a%00.yml", "a-.yml"),
        ("/any/a%1b%5d0%3bx.yml", "a-0-x.yml"),
        ("/any/%E8%A7%84%E5%88%99.yml", "规则.yml"),
        ("/any/" + "%E8%A7%84" * 300 + ".tar.gz", "规" * 53 + ".tar.gz"),
        ("/any/" + "a" * 300 + ".yml", "a" * 56 + ".yml"),
    ],
)
def test_the_name_of_a_download_is_harmless(server: str, tmp_path: Path, path: str, name: str) -> None:
    found = fetch(f"{server}{path}", tmp_path, allow_private=True)
    assert found == tmp_path / name
    assert found.read_bytes() == b"title: any"


@pytest.mark.parametrize(
    "url",
    [
        "https://[::1/a.yml",
        "http://[::1]x/a.yml",
        "https://a\x1b.example/a.yml",
        "https://xn--\udcff/a.yml",
        "https://\u2100.example/a.yml",
        "https://" + "a" * 300 + ".example/a.yml",
        "https://a..b/a.yml",
        "http://127.0.0.1:99999/a.yml",
        "file://[/x.yml",
    ],
)
def test_what_is_no_address_is_told(url: str, tmp_path: Path) -> None:
    with pytest.raises(RuleError):
        fetch(url, tmp_path, allow_private=True)


@pytest.mark.parametrize("target", ["http://[::1", "http://[::1]x/", "//", "http://u:p@127.0.0.1/a.yml", "http://%5b/", "\xff"])
def test_a_redirect_to_what_is_no_address_is_told(server: str, tmp_path: Path, target: str) -> None:
    with pytest.raises(RuleError):
        fetch(f"{server}/away?to={target}", tmp_path, allow_private=True)


NOT_PUBLIC = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("::1", "fe80::1", "fc00::1", "fd12::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "ff02::1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8", "fec0::1", "4000::1", "::127.0.0.1"),
    *("localhost", "2130706433", "0x7f.1"),
)


@pytest.mark.parametrize("host", NOT_PUBLIC)
def test_private_and_local_addresses_are_refused(host: str) -> None:
    with pytest.raises(RuleError, match="private, local or reserved"):
        public_addresses(host, 443, allow_private=False)


@pytest.mark.parametrize("host", ["8.8.8.8", "2400:3200::1", "64:ff9b::808:808"])
def test_public_addresses_pass(host: str) -> None:
    assert public_addresses(host, 443, allow_private=False) == [host]


def test_plain_http_and_credentials_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="only https"):
        fetch("http://8.8.8.8/rules.zip", tmp_path)
    with pytest.raises(RuleError, match="credentials"):
        fetch("https://me:secret@8.8.8.8/rules.zip", tmp_path)


def test_file_urls_are_used_in_place(tmp_path: Path) -> None:
    (tmp_path / "my rules.yml").write_text("x")
    assert fetch((tmp_path / "my rules.yml").as_uri(), tmp_path / "unused") == tmp_path / "my rules.yml"
    with pytest.raises(RuleError, match="of this machine"):
        fetch("file://server/share/x.yml", tmp_path)


class TlsServer:
    """An HTTPS server on loopback with a certificate of its own for ``name``."""

    def __init__(self, folder: Path, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        plain = serialization.NoEncryption()
        pem = serialization.Encoding.PEM
        self.certificate = folder / "certificate.pem"
        self.certificate.write_bytes(certificate.public_bytes(pem))
        (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, folder / "key.pem")
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


def test_the_connection_goes_to_the_checked_address_and_the_certificate_is_checked_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = TlsServer(tmp_path, "rules.example")
    monkeypatch.setattr(fetching, "public_addresses", lambda host, port, allow_private: ["127.0.0.1"])
    monkeypatch.setenv("SSL_CERT_FILE", str(one.certificate))
    url = f"https://rules.example:{one.http.server_port}/rules.yml"
    assert fetch(url, tmp_path).read_bytes() == f"title: from the network rules.example:{one.http.server_port}".encode()
    with pytest.raises(RuleError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(url.replace("rules.example", "other.example"), tmp_path)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(RuleError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(url, tmp_path)
    one.http.shutdown()
