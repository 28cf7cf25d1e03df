"""The master key is rotated, moved into a token and rotated again under a running platform that is never restarted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from crypto.secret import MasterKey, generation_of
from operations.audit.schema import Actor
from operations.webhooks import service
from operations.webhooks.guard import WebhookPolicy
from tests.key_devices import make_softhsm
from tests.state_database import migrated
from tests.system.platform import ROOT, Platform, wait_until

ACTOR = Actor("cli:test")


class Receiver(ThreadingHTTPServer):
    """Remembers what came."""

    daemon_threads = True

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((dict(self.headers.items()), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not in the test's output."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_a_running_platform_follows(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    hsm = make_softhsm(tmp_path / "hsm")
    hsm.add_token("liandun")
    for name, value in hsm.environment.items():
        monkeypatch.setenv(name, value)  # the platform inherits it
    (tmp_path / "pin").write_text(hsm.pin)
    (tmp_path / "pin").chmod(0o600)
    config = '[webhooks]\nallowed_networks = ["127.0.0.0/8"]\n[audit]\nhead_seconds = 1\n'
    platform = Platform(tmp_path / "data", "--no-demo", config=config)
    database = migrated(platform.layout.state_url)
    url, policy = f"http://127.0.0.1:{receiver.server_address[1]}/", WebhookPolicy(allow=("127.0.0.0/8",))
    with database.write() as session:
        key = MasterKey.load(platform.layout.master_key)
        target, secret = service.create_target(session, ACTOR, key, name="t", url=url, policy=policy)

    def liandun(*words: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_DATA": str(platform.layout.root)}
        done = subprocess.run([sys.executable, "-m", "cli", *words], cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def delivered() -> int:
        """A test message goes out; the generation that its secret is sealed under."""
        before = len(receiver.requests)
        with database.write() as session:
            service.send_test(session, ACTOR, target.id)
        wait_until(lambda: len(receiver.requests) > before, 30, f"the message came\n{platform.logs()}")
        headers, body = receiver.requests[-1]
        Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})
        with database.read() as session:
            row = session.get(service.WebhookTarget, target.id)
            assert row is not None
            return generation_of(row.sealed_secret)

    def signed() -> int:
        return sum(b'"root"' in line for line in platform.layout.audit_heads.read_bytes().splitlines())

    platform.start()
    try:
        wait_until(lambda: "console" in platform.health(), 60, "every role tells how it is")
        pids = {name: role.pid for name, role in platform.health().items()}
        assert delivered() == 1
        liandun("secrets", "rotate")
        assert delivered() == 2
        token = f'[secrets]\nkeeper = "pkcs11"\n[secrets.pkcs11]\nmodule = "{hsm.module}"\npin_file = "{tmp_path / "pin"}"\n'
        (platform.layout.root / "liandun.toml").write_text(config + token)
        liandun("secrets", "move", "--to", "pkcs11")
        assert delivered() == 2
        liandun("secrets", "rotate")
        assert delivered() == 3
        status = json.loads(liandun("secrets", "status", "--json"))
        assert (status["state"], status["keeper"], [one["number"] for one in status["generations"]]) == ("ok", "pkcs11", [3])
        heads = signed()
        assert delivered() == 3
        wait_until(lambda: signed() > heads, 30, f"heads are signed with the key that was sealed again\n{platform.logs()}")
        assert {name: role.pid for name, role in platform.health().items()} == pids, "nothing was restarted"
        assert platform.health()["scheduler"].problem == ""
    finally:
        platform.stop()
        database.close()
    liandun("audit", "verify")
