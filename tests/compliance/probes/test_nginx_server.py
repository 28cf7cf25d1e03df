"""A real nginx, hardened and neglected: what the probes say of its files is what it does at its ports."""

from __future__ import annotations

import http.client
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from compliance.probes.facts import Part
from compliance.probes.reading.tls import TlsEndpoint
from compliance.probes.registry import of_source, probes
from compliance.probes.result import judged
from compliance.probes.run import run
from tests.compliance.probes.test_tls import _certificate
from tests.system.platform import free_port

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)
pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="no nginx: apt-get install nginx"),
    pytest.mark.skipif(os.getuid() != 0, reason="the account of the workers is chosen by root only"),
]
_COMMON = """daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
"""
_HARD = (
    "user nobody nogroup;\n"
    + _COMMON
    + """http {{
    server_tokens off;
    access_log {folder}/access.log;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE+AESGCM:!aNULL;
    server {{ listen 127.0.0.1:{plain}; listen [::1]:{plain}; return 301 https://$host:{tls}$request_uri; }}
    server {{
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {folder}/good.crt;
        ssl_certificate_key {folder}/good.key;
        add_header Strict-Transport-Security "max-age=31536000" always;
        root {folder}/site;
    }}
}}
"""
)
_WEAK = (
    "user root;\n"
    + _COMMON
    + """http {{
    access_log off;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2;
    ssl_ciphers ALL:@SECLEVEL=0;
    server {{ listen 127.0.0.1:{plain}; root {folder}/site; autoindex on; }}
    server {{
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {folder}/good.crt;
        ssl_certificate_key {folder}/good.key;
        root {folder}/site;
    }}
}}
"""
)


class Running(msgspec.Struct):
    """A server on loopback; ``parts``: its files as a host shows them."""

    folder: Path
    plain: int
    tls: int
    master: int
    parts: dict[str, Part]

    def get(self, path: str, *, tls: bool) -> tuple[int, dict[str, str], str]:
        """Status, headers and body."""
        context = ssl.create_default_context(cafile=self.folder / "good.crt")
        made: http.client.HTTPConnection
        if tls:
            made = http.client.HTTPSConnection("localhost", self.tls, timeout=10, context=context)
        else:
            made = http.client.HTTPConnection("127.0.0.1", self.plain, timeout=10)
        with closing(made):
            made.request("GET", path)
            answer = made.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()

    def outcome(self, name: str) -> str:
        return judged(probes()[name], self.parts, "host", "").outcome

    def worker(self) -> str:
        """The account that answers requests."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()
        return pwd.getpwuid(Path(f"/proc/{children[0]}").stat().st_uid).pw_name


@contextmanager
def running(folder: Path, config: str) -> Iterator[Running]:
    (folder / "site").mkdir()
    (folder / "site/secret-name.txt").write_text("x")
    for one in (folder, *folder.parents[:3]):
        one.chmod(one.stat().st_mode | 0o055)
    _certificate(folder, "good", good=True)
    plain, tls = free_port(), free_port()
    text = config.format(folder=folder, plain=plain, tls=tls)
    (folder / "nginx.conf").write_text(text)
    command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    assert subprocess.run([*command, "-t"], capture_output=True, check=False).returncode == 0
    shown = "== /etc/nginx/nginx.conf\n" + "".join(f"| {line}\n" for line in text.splitlines())
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for port in (plain, tls):
                _wait(port)
            yield Running(folder, plain, tls, server.pid, {"nginx": Part(shown)})
        finally:
            server.send_signal(signal.SIGTERM)


def _wait(port: int) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_a_hardened_one(tmp_path: Path) -> None:
    with running(tmp_path, _HARD) as server:
        assert {probe.id: server.outcome(probe.id) for probe in of_source("nginx")} == dict.fromkeys(
            (probe.id for probe in of_source("nginx")), "met"
        )
        status, headers, _ = server.get("/a?b=c", tls=False)
        assert (status, headers["location"]) == (301, f"https://127.0.0.1:{server.tls}/a?b=c")
        status, headers, body = server.get("/", tls=True)
        assert (status, headers["server"], "secret-name" in body) == (403, "nginx", False)
        assert headers["strict-transport-security"].startswith("max-age=31536000")
        assert server.worker() == "nobody"
        seen = {one.probe: one.outcome for one in run([_endpoint(server)], of_source("tls"), seconds=60)}
        assert (seen["tls.scan.versions"], seen["tls.scan.suites"]) == ("met", "met")
    assert '"GET /a?b=c HTTP/1.1" 301' in (tmp_path / "access.log").read_text()


def test_a_neglected_one(tmp_path: Path) -> None:
    with running(tmp_path, _WEAK) as server:
        assert {probe.id: server.outcome(probe.id) for probe in of_source("nginx")} == {
            "nginx.accounts.worker": "not_met",
            "nginx.audit.access_log": "not_met",
            "nginx.audit.log_fields": "not_met",  # there are none
            "nginx.rbac.listings": "not_met",
            "nginx.services.version": "partly",
            "nginx.tls.protocols": "not_met",
            "nginx.tls.redirect": "met",  # only this machine reaches the port without TLS
            "nginx.tls.suites": "not_met",
            "nginx.tls.transport_header": "not_met",
        }
        status, headers, body = server.get("/", tls=False)
        assert (status, "secret-name.txt" in body) == (200, True)
        assert headers["server"].startswith("nginx/1.")
        assert "strict-transport-security" not in server.get("/secret-name.txt", tls=True)[1]
        assert server.worker() == "root"
        seen = {one.probe: one.outcome for one in run([_endpoint(server)], of_source("tls"), seconds=60)}
        assert (seen["tls.scan.versions"], seen["tls.scan.suites"]) == ("not_met", "not_met")
    assert not (tmp_path / "access.log").exists()


def _endpoint(server: Running) -> TlsEndpoint:
    return TlsEndpoint("127.0.0.1", server.tls, server.folder / "good.crt")
