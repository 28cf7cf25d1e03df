"""A throwaway MariaDB server of this machine's package, with its files in a folder of its own."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.system.platform import free_port

Client = Callable[[str], str]
"""SQL in, what the client prints in batch mode out."""


@contextlib.contextmanager
def running_mariadb(*options: str, tls: bool = False) -> Iterator[Client]:
    """Its client as root by the socket; skips where there is no server and it need not be there."""
    server = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    if server is None or os.geteuid() != 0:
        if os.environ.get("LIANDUN_REQUIRE_ALL"):
            pytest.fail("mariadb-server is not installed")
        pytest.skip("needs mariadb-server, and root")
    with tempfile.TemporaryDirectory(prefix="liandun-my-") as name:
        folder = Path(name)
        socket = folder / "s"
        common = ["--no-defaults", f"--datadir={folder / 'd'}"]
        made = [
            "mariadb-install-db", *common, "--user=root", "--auth-root-authentication-method=socket",
            "--auth-root-socket-user=root", "--skip-test-db",
        ]  # fmt: skip
        subprocess.run(made, check=True, capture_output=True, timeout=120)
        own = [f"--socket={socket}", f"--port={free_port()}", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=16M"]
        with (folder / "log").open("wb") as log:
            words = [server, *common, "--user=root", *own, *(_certificate(folder) if tls else []), *options]
            process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + 60
            while not socket.exists() or subprocess.run(_line(socket), input=b"DO 1", capture_output=True).returncode:
                assert process.poll() is None, (folder / "log").read_text()[-2_000:]
                assert time.monotonic() < until, "it does not start"
                time.sleep(0.1)
            yield lambda sql: _asked(socket, sql)
        finally:
            process.terminate()
            process.wait(30)


def _line(socket: Path) -> list[str]:
    return ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "--batch", "--raw", "--skip-column-names"]


def _asked(socket: Path, sql: str) -> str:
    done = subprocess.run(_line(socket), input=sql.encode(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def _certificate(folder: Path) -> list[str]:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1)).sign(
        key, hashes.SHA256()
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(plain)
    return [f"--ssl-cert={folder / 'cert.pem'}", f"--ssl-key={folder / 'key.pem'}"]
