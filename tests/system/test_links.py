"""Protected inputs and forwarding between real processes, which are killed in the middle."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from collectors.parsers import PARSERS
from crypto.certificates import make_request
from crypto.certificates import name as subject
from crypto.channel.link import Credentials
from crypto.channel.tlcp import library
from crypto.errors import BackendMissingError
from crypto.secret import MasterKey
from crypto.sm2 import PrivateKey
from kernel.db import Database
from kernel.health import read_health
from kernel.layout import Layout
from kernel.pipeline import Pipeline
from kernel.query import parse_query
from kernel.record import RawRecord, encode_record
from kernel.spool import SpoolReader, SpoolWriter
from kernel.spool.format import waiting_bytes
from kernel.store.contract import TimeRange
from kernel.store.lake import Lake
from operations.audit.schema import Actor
from operations.certificates import service
from tests.crypto.channel.authority import Authority
from tests.state_database import migrated
from tests.system.platform import ROOT, Platform, free_port, wait_until

pytestmark = pytest.mark.slow


class Roles:
    """Ingest and links of one host."""

    def __init__(self, data: Path, certificates: Credentials) -> None:
        self.layout = Layout(data).create()
        self.syslog, self.https, self.tlcp = free_port(), free_port(), free_port()
        double = ""
        if certificates.enc_certificate is not None:
            double = f'enc_certificate = "{certificates.enc_certificate}"\nenc_key = "{certificates.enc_key}"\n'
        (data / "liandun.toml").write_text(
            "[ingest.syslog]\nudp_port = 0\ntcp_port = 0\n"
            f'[links]\ncertificate = "{certificates.certificate}"\nkey = "{certificates.key}"\nca = "{certificates.ca}"\n{double}'
            f'[[links.listener]]\nid = "tls"\nkind = "syslog"\nport = {self.syslog}\n'
            f'[[links.listener]]\nid = "web"\nkind = "https"\nport = {self.https}\n'
            + (f'[[links.listener]]\nid = "tlcp"\nkind = "https"\nsuite = "tlcp"\nport = {self.tlcp}\n' if double else ""),
            "utf-8",
        )
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, role: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_DATA": str(self.layout.root)}
        with (self.layout.logs / f"{role}.log").open("ab") as log:
            self.processes[role] = subprocess.Popen(
                [sys.executable, "-m", "cli", "role", role, "--stay"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    def kill(self, role: str) -> None:
        self.processes[role].send_signal(signal.SIGKILL)
        self.processes[role].wait()

    def stop(self) -> None:
        for role in ("links", "ingest"):
            self.processes[role].terminate()
            self.processes[role].wait(20)

    def sources(self) -> dict[str, Any]:
        health = read_health(self.layout.health).get("links")
        return health.details["sources"] if health else {}

    def messages(self) -> Counter[str]:
        """What the pipeline makes of the spool, by its real parsers, in a real lake."""
        lake = Lake.open(self.layout.lake, writable=True)
        try:
            pipeline = Pipeline(
                SpoolReader(self.layout.spool), lake, parsers=PARSERS, detectors=[], publish=lambda detections: None
            )
            while pipeline.step(threading.Event()):
                pass
            found: Counter[str] = Counter()
            page = lake.search(parse_query(""), TimeRange(), limit=1000, fields=["message"])
            found.update(str(event["message"]) for event in page.events)
            while page.cursor:
                page = lake.search(parse_query(""), TimeRange(), limit=1000, fields=["message"], cursor=page.cursor)
                found.update(str(event["message"]) for event in page.events)
            return found
        finally:
            lake.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Credentials]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    return {name: authority.leaf(name) for name in ("server.test", "collector-1")}


@pytest.fixture
def roles(tmp_path: Path, certificates: dict[str, Credentials]) -> Iterator[Roles]:
    roles = Roles(tmp_path / "server", certificates["server.test"])
    for role in ("ingest", "links"):
        roles.start(role)
    wait_until(lambda: len(roles.sources()) >= 2 and "handshakes" in roles.sources()["web"], 30, "links role answers")
    yield roles
    with contextlib.suppress(ProcessLookupError):
        roles.stop()


def sender(roles: Roles, credentials: Credentials, **told: Any) -> subprocess.Popen[str]:
    paths = [str(path) for path in credentials if path]
    told = {"credentials": paths, "folder": str(roles.layout.links), "host": "127.0.0.1", **told}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.collectors.links.sender", json.dumps(told)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_syslog_over_tls(roles: Roles, certificates: dict[str, Credentials], host: str) -> None:
    with sender(roles, certificates["collector-1"], what="syslog", port=roles.syslog, host=host, count=500) as process:
        assert json.loads(process.communicate(timeout=60)[0]) == {"sent": 500}
    wait_until(lambda: roles.sources()["tls"]["received"] == 500, 20, "all received")
    peer = roles.sources()["tls"]["peers"]["collector-1"]
    assert (peer["suite"], peer["group"], peer["domestic"]) == ("TLS_SM4_GCM_SM3", "curveSM2", True)
    roles.stop()
    assert roles.messages() == Counter(f"line {number}" for number in range(500))


def test_bulk_and_refusals(roles: Roles, certificates: dict[str, Credentials]) -> None:
    def post(path: str, body: str, **headers: str) -> tuple[int, Any]:
        told = {"what": "post", "port": roles.https, "path": path, "body": body, "headers": headers}
        with sender(roles, certificates["collector-1"], **told) as process:
            answer = json.loads(process.communicate(timeout=60)[0])
        return answer["status"], answer["answer"]

    document = '{"@timestamp":"2026-11-26T02:00:00Z","message":"from a shipper","event":{"kind":"event"}}'
    status, answer = post("/_bulk", f'{{"create":{{}}}}\n{document}\n')
    assert (status, answer["errors"], len(answer["items"])) == (200, False, 1)
    assert post("/_bulk", '{"delete":{}}\n{}\n')[0] == 400
    assert post("/_bulk", '{"create":{}}\n')[0] == 400
    assert post("/nowhere", "")[0] == 404
    assert post("/ingest", "{}", **{"Content-Encoding": "br"})[0] == 415
    assert post("/records", "no records")[0] == 400
    assert post("/ingest", "{}", **{"Liandun-Stream": "a", "Liandun-Offset": "x"})[0] == 400
    roles.stop()
    assert roles.messages() == Counter(["from a shipper"])


def test_nothing_acknowledged_is_lost_or_doubled(roles: Roles, certificates: dict[str, Credentials]) -> None:
    with sender(roles, certificates["collector-1"], what="batches", port=roles.https, count=300) as process:
        assert process.stdout is not None
        for number, role in enumerate(["links", "ingest", "links"]):
            while int(process.stdout.readline()) < 60 * (number + 1):
                pass
            roles.kill(role)
            time.sleep(0.3)
            roles.start(role)
        process.communicate(timeout=120)
        assert process.returncode == 0
    roles.stop()
    assert roles.messages() == Counter(f"json {number}" for number in range(3000))


def test_forwarder_killed_on_either_side(roles: Roles, certificates: dict[str, Credentials], tmp_path: Path) -> None:
    """Datagrams (without a stream of their own) and lines of a file, some put twice as after a crash of the collector."""
    layout = Layout(tmp_path / "collector").create()
    writer = SpoolWriter(layout.spool, segment_bytes=64 << 10)
    expected: Counter[str] = Counter()
    now = time.time_ns() // 1000
    for frame in range(600):
        places = range(frame * 10, frame * 10 + 10)
        records = [RawRecord("syslog-udp", "syslog", now, "x:1", f"<13>udp {frame * 100 + n}".encode()) for n in range(100)]
        tail = [RawRecord("tail", "text", now, "f", f"file {place}".encode(), "file:a", place) for place in places]
        writer.put([encode_record(record) for record in records + tail + tail])
        expected.update([f"udp {frame * 100 + n}" for n in range(100)] + [f"file {place}" for place in places])
    writer.close()
    own = certificates["collector-1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_DATA": str(layout.root)}
    command = [sys.executable, "-m", "cli", "forward", "--to", f"127.0.0.1:{roles.https}", "--release", "--once"]
    command += ["--certificate", str(own.certificate), "--key", str(own.key), "--ca", str(own.ca)]
    log = (layout.logs / "forward.log").open("ab")
    for victim in ("links", "", "ingest", "links"):
        before = waiting_bytes(roles.layout.spool)
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while waiting_bytes(roles.layout.spool) == before:  # killed as soon as the first records have come over
            assert time.monotonic() < deadline
            time.sleep(0.002)
        if victim:
            roles.kill(victim)
            roles.start(victim)
        process.kill()
        process.wait()
    assert waiting_bytes(layout.spool) > 2 << 20, "nothing was left to be forwarded: every kill came too late"
    subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, check=True, timeout=120)
    log.close()
    roles.stop()
    assert len(list(layout.spool.glob("*.seg"))) == 1  # what was acknowledged has been removed
    assert roles.messages() == expected


def test_new_certificates_without_dropping_the_listener(roles: Roles, certificates: dict[str, Credentials], tmp_path: Path) -> None:
    authority = Authority(tmp_path / "new")
    server, stranger = authority.leaf("server.test"), certificates["collector-1"]
    old = certificates["server.test"]
    kept = [path.read_bytes() for path in old[:3] if path]
    try:
        for path, new in zip(old[:3], server[:3], strict=True):
            assert path is not None
            assert new is not None
            path.with_suffix(".tmp").write_bytes(new.read_bytes())
            path.with_suffix(".tmp").replace(path)
        wait_until(lambda: roles.sources()["web"]["reloads"] >= 1, 20, "reloaded")
        told = {"what": "post", "port": roles.https, "path": "/ingest", "body": '{"message":"after"}'}
        with sender(roles, authority.leaf("collector-1"), **told) as process:
            assert json.loads(process.communicate(timeout=60)[0])["status"] == 200
        with sender(roles, stranger._replace(ca=server.ca), **told) as process:  # of the authority that is not trusted any more
            process.communicate(timeout=60)
            assert process.returncode != 0
        wait_until(lambda: roles.sources()["web"]["refused"].get("certificate") == 1, 10, "the refusal is counted")
    finally:
        for path, text in zip(old[:3], kept, strict=True):
            assert path is not None
            path.write_bytes(text)


def _authority(database: Database, key: MasterKey, folder: Path, *names: str) -> dict[str, tuple[Credentials, str]]:
    """Certificates of the platform's own authority and their serial numbers."""
    actor, made = Actor("alice"), {}
    with database.write() as session:
        root = service.create_root(session, actor, key, "root", "City root")
        issuing = service.create_issuing(session, actor, key, "issuing", "root", "Issuing")
        (folder / "own-ca.crt").write_text(root.to_pem())
        for name in names:
            private = PrivateKey.generate()
            profile = "server" if name == "server.test" else "client"
            leaf = service.issue_requested(session, actor, key, "issuing", make_request(private, subject(name), [name]), profile)
            (folder / f"{name}.crt").write_text(leaf.to_pem() + issuing.to_pem())
            (folder / f"{name}.key").write_text(private.to_pem())
            files = Credentials(folder / f"{name}.crt", folder / f"{name}.key", folder / "own-ca.crt")
            made[name] = (files, f"{leaf.serial:x}")
    return made


def test_a_revoked_certificate_is_out_at_once(tmp_path: Path) -> None:
    """One of our own authority, revoked in its database, and one of the city's authority, on a list that is taken in."""
    layout = Layout(tmp_path / "server").create()
    database, key = migrated(layout.state_url), MasterKey.load(layout.master_key)
    made = _authority(database, key, tmp_path, "server.test", "collector-1", "collector-2")
    database.close()
    city = Authority(tmp_path / "city")
    strangers = [city.leaf(name)._replace(ca=tmp_path / "own-ca.crt") for name in ("city-1", "city-2")]
    both = tmp_path / "both.crt"
    both.write_text((tmp_path / "own-ca.crt").read_text() + city.certificate.read_text())
    data = ["--data", str(layout.root)]
    assert CliRunner().invoke(main, ["crypto", "ca", "trust", "city", str(city.certificate), *data]).exit_code == 0
    roles = Roles(layout.root, made["server.test"][0]._replace(ca=both))
    for role in ("ingest", "links"):
        roles.start(role)
    wait_until(lambda: "handshakes" in roles.sources().get("tls", {}), 30, "links role answers")
    senders = [sender(roles, files, what="hold", port=roles.syslog) for files in (made["collector-1"][0], strangers[0])]
    kept = [sender(roles, files, what="hold", port=roles.syslog) for files in (made["collector-2"][0], strangers[1])]
    try:
        for process in (*senders, *kept):
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n", (roles.layout.logs / "links.log").read_text()
        wait_until(lambda: roles.sources()["tls"]["connections"] == 4, 10, "four links")

        revoke = ["crypto", "ca", "revoke", made["collector-1"][1], "--reason", "key_compromise", *data]
        take = ["crypto", "ca", "take-list", "city", str(city.revoke(strangers[0])), *data]
        for number, (command, process) in enumerate(zip((revoke, take), senders, strict=True), 1):
            begun = time.monotonic()
            assert CliRunner().invoke(main, command, catch_exceptions=False).exit_code == 0
            assert json.loads(process.communicate(timeout=20)[0]) == {"ended": "ChannelClosedError"}
            assert time.monotonic() - begun < 5
            wait_until(lambda number=number: roles.sources()["tls"]["revoked_links"] == number, 5, "told")  # type: ignore[misc]
        for files in (made["collector-1"][0], strangers[0]):
            with sender(roles, files, what="hold", port=roles.syslog) as process:
                assert "ended" in process.communicate(timeout=20)[0] or process.returncode
        wait_until(lambda: roles.sources()["tls"]["refused"] == {"revoked": 2}, 10, "refused and counted")
        assert roles.sources()["tls"]["connections"] == 2
        assert [process.poll() for process in kept] == [None, None]
        health = read_health(roles.layout.health)["links"]
        assert (health.details["revoked"], health.problem) == (2, "")
    finally:
        for process in (*senders, *kept):
            process.kill()
            process.wait()
        roles.stop()


def test_attempts_wait_while_the_role_starts_anew(tmp_path: Path, certificates: dict[str, Credentials]) -> None:
    """The supervisor has the listener, too: who knocks while the role is dead is served by the next one, and nobody is refused."""
    own, port = certificates["server.test"], free_port()
    platform = Platform(
        tmp_path / "data",
        config=f'[links]\ncertificate = "{own.certificate}"\nkey = "{own.key}"\nca = "{own.ca}"\n'
        f'[[links.listener]]\nid = "tls"\nkind = "syslog"\nport = {port}\n',
    )
    platform.start()

    def links() -> dict[str, Any]:
        health = platform.health().get("links")
        return health.details["sources"]["tls"] if health and health.details.get("sources") else {}

    try:
        wait_until(lambda: "handshakes" in links(), 30, "links role answers")
        for signalled in (signal.SIGKILL, signal.SIGTERM):
            before = platform.health()["links"].pid
            os.kill(before, signalled)
            waiting: list[socket.socket] = []

            def serves_anew(before: int = before, waiting: list[socket.socket] = waiting) -> bool:
                if len(waiting) < 200:  # fewer than the queue holds
                    for host in ("127.0.0.1", "::1"):
                        waiting.append(socket.create_connection((host, port), 5))  # the kernel answers: the address never goes away
                return platform.health()["links"].pid != before

            wait_until(serves_anew, 60, "the next links role tells of itself")
            for one in waiting:
                one.close()
            told = {
                "what": "syslog",
                "port": port,
                "count": 5,
                "credentials": [str(one) for one in certificates["collector-1"] if one],
            }
            told |= {"folder": str(platform.layout.links), "host": "::1"}
            command = [sys.executable, "-m", "tests.collectors.links.sender", json.dumps(told)]
            subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, timeout=60)
            wait_until(lambda: links().get("received") == 5, 20, "the next process takes records")
            assert len(waiting) > 2
    finally:
        platform.stop()


def test_forwarding_over_tlcp(tmp_path: Path) -> None:
    try:
        library()
    except BackendMissingError as error:
        pytest.skip(str(error))
    authority = Authority(tmp_path / "ca")
    ends = []
    for name in ("server.test", "collector-1"):
        enc = authority.leaf(name, tag="-enc", usage="keyEncipherment,dataEncipherment,keyAgreement")
        ends.append(authority.leaf(name)._replace(enc_certificate=enc.certificate, enc_key=enc.key))
    server, collector = Roles(tmp_path / "server", ends[0]), Roles(tmp_path / "collector", ends[1])
    writer = SpoolWriter(collector.layout.spool)
    now = time.time_ns() // 1000
    writer.put([encode_record(RawRecord("udp", "text", now, "x", f"number {n}".encode())) for n in range(100)])
    writer.close()
    for role in ("ingest", "links"):
        server.start(role)
    try:
        wait_until(lambda: "handshakes" in server.sources().get("tlcp", {}), 30, "links role answers")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_DATA": str(collector.layout.root)}
        command = [sys.executable, "-m", "cli", "forward", "--to", f"[::1]:{server.tlcp}", "--suite", "tlcp", "--once"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60, capture_output=True)
        wait_until(lambda: server.sources()["tlcp"]["received"] == 100, 10, "received")
        peer = server.sources()["tlcp"]["peers"]["collector-1"]
        assert (peer["protocol"], peer["suite"], peer["domestic"]) == ("TLCP", "ECDHE_SM4_GCM_SM3", True)
    finally:
        server.stop()
    assert server.messages() == Counter(f"number {n}" for n in range(100))
