"""A real OpenLDAP server on loopback with a certificate of its own, for a test."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SLAPD = shutil.which("slapd") or ("/usr/sbin/slapd" if Path("/usr/sbin/slapd").exists() else None)

CONFIG = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
maxsize 67108864
suffix "dc=city,dc=test"
rootdn "cn=admin,dc=city,dc=test"
rootpw search-secret
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""
DATA = """dn: dc=city,dc=test
objectClass: dcObject
objectClass: organization
o: City
dc: city

dn: uid=zhang,dc=city,dc=test
objectClass: inetOrgPerson
uid: zhang
cn: 张三
sn: Zhang
userPassword: Zhang-Password-1

dn: uid=li,dc=city,dc=test
objectClass: inetOrgPerson
uid: li
cn: Li (deputy) *
sn: Li
userPassword: Li-Password-1

dn: cn=soc-analyst,dc=city,dc=test
objectClass: groupOfNames
cn: soc-analyst
member: uid=zhang,dc=city,dc=test

dn: cn=soc-admin,dc=city,dc=test
objectClass: groupOfNames
cn: soc-admin
member: uid=li,dc=city,dc=test
"""


class LdapServer:
    """Started on entering, ended by its process on leaving; ``port`` StartTLS, ``tls_port`` ldaps."""

    def __init__(self, folder: Path, config: str = CONFIG, data: str = DATA) -> None:
        """``config`` and ``data`` in place of the usual ones; ``{folder}`` in the first stands for ``folder``."""
        self.folder = folder
        self._config, self._data = config, data
        self.port, self.tls_port = _free_port(), _free_port()
        self.ca = folder / "ca.pem"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> LdapServer:
        (self.folder / "db").mkdir()
        _certificates(self.folder)
        config, data = self.folder / "slapd.conf", self.folder / "base.ldif"
        config.write_text(self._config.format(folder=self.folder))
        data.write_text(self._data, "utf-8")
        assert SLAPD is not None
        subprocess.run([Path(SLAPD).parent / "slapadd", "-f", config, "-l", data], check=True, capture_output=True)
        urls = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"
        self._process = subprocess.Popen([SLAPD, "-f", config, "-h", urls, "-d", "0"])
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.tls_port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _certificates(folder: Path) -> None:
    """A CA and a certificate for 127.0.0.1."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
    start = datetime.now(UTC) - timedelta(hours=1)

    def build(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
        return made.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + timedelta(days=2))

    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    authority = build(issuer, ca_key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    authority = authority.add_extension(usage, critical=True)
    authority = authority.add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
    server = build(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), key.public_key())
    server = server.add_extension(names, critical=False)
    server = server.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(authority.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    (folder / "server.pem").write_bytes(server.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "server.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
