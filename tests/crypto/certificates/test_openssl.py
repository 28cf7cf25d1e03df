"""Both ways with the ``openssl`` command line: chains, revocation lists, requests."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto.certificates import (
    ISSUING,
    SERVER,
    Authority,
    Request,
    RevocationList,
    check_chain,
    issue,
    make_request,
    make_revocation_list,
    make_root,
    name,
    read_certificates,
)
from crypto.certificates.revocation import Revoked
from crypto.sm2 import PrivateKey

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl 3 (apt install openssl)")

DISTID = ("-vfyopt", "distid:1234567812345678")
NAMES = ["a.city.example", "192.0.2.7", "2001:db8::7"]


def openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True)


def must(folder: Path, *arguments: str) -> str:
    done = openssl(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_ours_in_openssl(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    root = make_root(name("City root", "City", country="CN"), PrivateKey.generate())
    key = PrivateKey.generate()
    sub = Authority(issue(root, name("Issuing"), key.public, ISSUING, 3650), key)
    leaf = issue(sub, name("collector"), PrivateKey.generate().public, SERVER, 365, NAMES)
    for file, text in (("root", root.certificate.to_pem()), ("sub", sub.certificate.to_pem()), ("leaf", leaf.to_pem())):
        (tmp_path / f"{file}.pem").write_text(text)
    # OpenSSL 3.0 hands the identifier to the first certificate only, so each link is checked by itself
    assert "sub.pem: OK" in must(tmp_path, "verify", *DISTID, "-x509_strict", "-CAfile", "root.pem", "sub.pem")
    verify = ("verify", *DISTID, "-x509_strict", "-partial_chain", "-trusted", "sub.pem")
    assert "leaf.pem: OK" in must(tmp_path, *verify, "-verify_hostname", "a.city.example", "leaf.pem")
    assert "leaf.pem: OK" in must(tmp_path, *verify, "-verify_ip", "2001:db8::7", "-purpose", "sslserver", "leaf.pem")
    assert openssl(tmp_path, *verify, "-verify_hostname", "b.city.example", "leaf.pem").returncode
    assert "IP Address:2001:DB8:0:0:0:0:0:7" in must(tmp_path, "x509", "-in", "leaf.pem", "-noout", "-text")
    listed = make_revocation_list(sub, [Revoked(leaf.serial, now, "key_compromise")], 3, now, now + timedelta(days=7))
    (tmp_path / "crl.der").write_bytes(listed.der)
    text = must(tmp_path, "crl", "-inform", "DER", "-in", "crl.der", "-noout", "-text")
    assert f"{leaf.serial:X}" in text
    assert "Key Compromise" in text
    # its crl command cannot be told the identifier: the signed bytes and the signature are checked by dgst
    where = must(tmp_path, "asn1parse", "-inform", "DER", "-in", "crl.der").splitlines()
    body = next(line.split(":")[0].strip() for line in where if "d=1" in line)
    (bits,) = (line.split(":")[0].strip() for line in where if "d=1" in line and "BIT STRING" in line)
    must(tmp_path, "asn1parse", "-inform", "DER", "-in", "crl.der", "-strparse", body, "-out", "tbs", "-noout")
    must(tmp_path, "asn1parse", "-inform", "DER", "-in", "crl.der", "-strparse", bits, "-out", "sig", "-noout")
    (tmp_path / "pub.pem").write_text(sub.key.public.to_pem())
    sigopt = ("-sigopt", DISTID[1])
    assert "Verified OK" in must(tmp_path, "dgst", "-sm3", "-verify", "pub.pem", *sigopt, "-signature", "sig", "tbs")


def test_our_request_in_openssl(tmp_path: Path) -> None:
    (tmp_path / "r.pem").write_text(make_request(PrivateKey.generate(), name("bureau 3", "City"), NAMES).to_pem())
    assert "verify OK" in must(tmp_path, "req", "-in", "r.pem", "-verify", "-noout", *DISTID)
    assert "DNS:a.city.example" in must(tmp_path, "req", "-in", "r.pem", "-noout", "-text")


def test_theirs_in_ours(tmp_path: Path) -> None:
    sm2 = ("-newkey", "sm2", "-nodes", "-sm3", "-sigopt", "distid:1234567812345678")
    ca = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    must(tmp_path, "req", "-x509", *sm2, *ca, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=their root", "-days", "30")
    must(tmp_path, "req", *sm2, "-keyout", "l.key", "-out", "l.csr", "-subj", "/CN=leaf", "-addext", "subjectAltName=DNS:l.example")
    request = Request((tmp_path / "l.csr").read_bytes())
    request.check()
    assert (request.subject, request.alternatives) == ("Common Name: leaf", ("l.example",))
    sign = ("x509", "-req", "-in", "l.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-sm3", "-sigopt", "distid:1234567812345678")
    must(tmp_path, *sign, *DISTID, "-CAcreateserial", "-out", "l.pem", "-days", "9", "-copy_extensions", "copy")
    (root,) = read_certificates((tmp_path / "ca.pem").read_bytes())
    (leaf,) = read_certificates((tmp_path / "l.pem").read_bytes())
    assert check_chain(leaf, [], [root], datetime.now(UTC) + timedelta(minutes=1), "l.example") == [leaf, root]
    (tmp_path / "index").write_text("")
    (tmp_path / "crlnumber").write_text("07\n")
    (tmp_path / "c.cnf").write_text(
        "[ca]\ndefault_ca=c\n[c]\ndatabase=index\ncrlnumber=crlnumber\ndefault_md=sm3\ndefault_crl_days=7\n"
    )
    base = ("ca", "-config", "c.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-sigopt", "distid:1234567812345678")
    must(tmp_path, *base, "-revoke", "l.pem", "-crl_reason", "superseded")
    must(tmp_path, *base, "-gencrl", "-out", "crl.pem")
    listed = RevocationList((tmp_path / "crl.pem").read_bytes())
    listed.check(root, datetime.now(UTC) + timedelta(minutes=1))
    assert listed.entries[leaf.serial].reason == "superseded"


@pytest.mark.parametrize("algorithm", ["rsa:2048", "ec"])
def test_ordinary_chains(tmp_path: Path, algorithm: str) -> None:
    new = ("-newkey", algorithm, "-nodes", *(("-pkeyopt", "ec_paramgen_curve:P-256") if algorithm == "ec" else ()))
    ca = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    must(tmp_path, "req", "-x509", *new, *ca, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=root", "-days", "30")
    must(tmp_path, "req", *new, "-keyout", "l.key", "-out", "l.csr", "-subj", "/CN=l", "-addext", "subjectAltName=DNS:l.example")
    (tmp_path / "e").write_text("subjectAltName=DNS:l.example\nauthorityKeyIdentifier=keyid\nextendedKeyUsage=serverAuth\n")
    sign = ("x509", "-req", "-in", "l.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "e")
    must(tmp_path, *sign, "-out", "l.pem", "-days", "9")
    (root,) = read_certificates((tmp_path / "ca.pem").read_bytes())
    (leaf,) = read_certificates((tmp_path / "l.pem").read_bytes())
    moment = datetime.now(UTC) + timedelta(minutes=1)
    assert check_chain(leaf, [], [root], moment, "l.example") == [leaf, root]
    with pytest.raises(ValueError, match="leaf certificate"):
        check_chain(leaf, [], [root], moment, "other.example")
