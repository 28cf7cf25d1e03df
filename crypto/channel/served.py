"""The certificates that a TLS 1.3 server shows: they are encrypted, so the handshake has to be made.

``python -m crypto.channel.served HOST PORT KIND SECONDS`` prints one JSON line; :func:`served_certificates` runs it, because
OpenSSL takes groups and signature algorithms for a whole process (crypto.channel.process). No certificate is verified (what is
served is the question) and nothing is sent afterwards. A server that wants a client certificate shows its own before it can refuse.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal, NamedTuple

from crypto.channel.process import prepare

Kind = Literal["domestic", "classic"]
_ROOT = Path(__file__).resolve().parents[2]
_MOST, _LARGEST = 10, 1 << 16
_START_SECONDS = 20.0
"""A fresh interpreter on a loaded machine."""


class Served(NamedTuple):
    """certificates  DER, the server's own first; protocol, suite and group that were agreed; problem: why there are none"""

    certificates: list[bytes]
    protocol: str = ""
    suite: str = ""
    group: str = ""
    problem: str = ""


def served_certificates(host: str, port: int, kind: Kind, *, timeout: float = 5.0) -> Served:
    """Shake hands as a domestic (RFC 8998) or an ordinary client. Never raises for the network."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        environment.pop("OPENSSL_CONF", None)
        if kind == "domestic":
            prepare(Path(folder), environ=environment)
        command = [sys.executable, "-m", "crypto.channel.served", host, str(port), kind, str(timeout)]
        try:
            done = subprocess.run(
                command, env=environment, cwd=_ROOT, capture_output=True, timeout=timeout + _START_SECONDS, check=False
            )
            told = json.loads(done.stdout)
        except (OSError, subprocess.TimeoutExpired) as error:
            return Served([], problem=f"the handshake cannot be tried: {error}")
        except ValueError:
            reason = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[-1]
            return Served([], problem=f"the handshake cannot be tried: {reason}")
    return Served([bytes.fromhex(one) for one in told.pop("certificates")], **told)


def _shake(host: str, port: int, kind: Kind, seconds: float) -> Served:
    from OpenSSL import SSL  # here: the calling process must not load OpenSSL before its settings stand

    from crypto.channel.errors import HandshakeError
    from crypto.channel.tls13 import CLASSIC_SUITES, DOMESTIC_SUITE, der_of, shake

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.set_tls13_ciphersuites((DOMESTIC_SUITE if kind == "domestic" else ":".join(CLASSIC_SUITES)).encode())
    context.set_verify(SSL.VERIFY_NONE, None)
    try:
        connected = socket.create_connection((host, port), seconds)
    except OSError as error:
        return Served([], problem=f"no connection: {error.strerror or error}")
    with connected:
        connected.setblocking(False)
        connection = SSL.Connection(context, connected)
        connection.set_connect_state()
        if ":" not in host and not host.replace(".", "").isdigit():
            connection.set_tlsext_host_name(host.encode("idna"))
        problem = ""
        try:
            shake(connection, connected, time.monotonic() + seconds)
        except HandshakeError as error:
            problem = str(error)
        chain = connection.get_peer_cert_chain(as_cryptography=True) or []
        certificates = [der for der in map(der_of, chain[:_MOST]) if len(der) <= _LARGEST]
        agreed = (connection.get_protocol_version_name(), connection.get_cipher_name() or "", connection.get_group_name() or "")
        return Served(certificates, *agreed, problem)


if __name__ == "__main__":
    found = _shake(sys.argv[1], int(sys.argv[2]), "domestic" if sys.argv[3] == "domestic" else "classic", float(sys.argv[4]))
    print(json.dumps({**found._asdict(), "certificates": [one.hex() for one in found.certificates]}))
