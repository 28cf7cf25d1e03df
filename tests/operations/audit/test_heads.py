"""Signed heads: when they are signed, with which key, and where copies of them go."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from crypto.secret import MasterKey
from kernel.db import Database
from operations.audit import service, tree
from operations.audit.copies import CopyFailed, copies, send_copies
from operations.audit.head_file import parse_lines
from operations.audit.heads import Trail, statement, stored_heads, stored_keys
from operations.audit.keys import KeyProblem, Keyring, KeyStore
from operations.audit.schema import Actor, Verification
from tests.operations.audit.conftest import EVE, MASTER, write

Check = Callable[[], Verification]


def test_a_head_is_signed_only_when_the_trail_has_grown(database: Database, trail: Trail) -> None:
    first = trail.sign()
    assert first is not None
    assert trail.sign() is None
    write(database, 1)
    second = trail.sign()
    assert second is not None
    assert (first.size, second.size) == (2, 3)
    with database.read() as session:
        assert stored_heads(session, first.log) == [first, second] == trail.head_file.read().heads
        assert second.root == tree.state(session).root == tree.root_at(session, 3).hex()
        assert stored_keys(session) == trail.head_file.read().keys
    assert trail.head_file.path.stat().st_mode & 0o777 == 0o600


def test_openssl_verifies_a_head(trail: Trail, tmp_path: Path) -> None:
    """An implementation that is not ours, on the bytes that the documentation names."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    head = trail.sign()
    assert head is not None
    (tmp_path / "head.txt").write_bytes(statement(head))
    (tmp_path / "head.sig").write_bytes(base64.b64decode(head.signature))
    (tmp_path / "key.pem").write_text(trail.head_file.read().keys[0].public)
    command = [
        "openssl",
        "dgst",
        "-sm3",
        "-verify",
        "key.pem",
        "-sigopt",
        "distid:1234567812345678",
        "-signature",
        "head.sig",
        "head.txt",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Verified OK", done.stderr
    (tmp_path / "head.txt").write_bytes(statement(head).replace(b"\n2\n", b"\n3\n"))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_the_key_is_sealed_outside_of_the_database(database: Database, trail: Trail, tmp_path: Path) -> None:
    trail.sign()
    [file] = (tmp_path / "secret").glob("audit-*.key")
    assert file.read_text().startswith("sm4-gcm:v2:1:")
    assert file.stat().st_mode & 0o777 == 0o600
    write(database, 1)
    with pytest.raises(KeyProblem, match="cannot be opened"):
        Trail(database, trail.head_file, KeyStore(tmp_path / "secret", MasterKey(bytes(16)))).sign()
    file.unlink()
    with pytest.raises(KeyProblem, match="is lost"):
        trail.sign()


def test_a_replaced_key_endorses_the_next_and_is_erased(database: Database, trail: Trail, tmp_path: Path, check: Check) -> None:
    trail.sign()
    write(database, 4)
    new = trail.rotate(EVE)
    write(database, 2)
    trail.sign()
    lines = trail.head_file.read()
    assert [key.number for key in lines.keys] == [1, 2]
    assert (new.from_size, new.endorsed_by) == (6, lines.keys[0].id)
    assert [(head.size, head.key_id == new.id) for head in lines.heads] == [(2, False), (6, False), (7, True), (9, True)]
    assert [path.name for path in (tmp_path / "secret").glob("audit-*.key")] == [f"audit-{new.id}.key"]
    assert check().ok
    assert check().heads == 4
    with database.read() as session:
        assert service.listing(session, action="audit.rotate_key").entries[0].object_id == new.id
    with pytest.raises(KeyProblem, match="not endorsed"):
        Keyring([lines.keys[0], lines.keys[1].__class__(**{**_fields(lines.keys[1]), "from_size": 3})])
    with pytest.raises(KeyProblem, match="not endorsed"):
        Keyring([lines.keys[1]])


def _fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__struct_fields__}  # type: ignore[attr-defined]


def test_signers_at_the_same_time_make_one_key_and_no_head_twice(database: Database, trail: Trail, check: Check) -> None:
    def work() -> None:
        for _ in range(5):
            write(database, 1)
            trail.sign()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = trail.head_file.read()
    sizes = [head.size for head in lines.heads]
    assert len(lines.keys) == 1
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == 22
    assert check().ok


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_heads_arrive_by_syslog_and_can_be_verified_from_there(database: Database, trail: Trail, family: int, kind: str) -> None:
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    first = trail.sign()
    write(database, 1)
    second = trail.sign()
    stream = kind == "tcp"
    with socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        sock.settimeout(10)
        if stream:
            sock.listen()
        shown = f"[{host}]" if ":" in host else host
        got: list[bytes] = []
        thread = threading.Thread(target=_receive, args=(sock, stream, got))
        thread.start()
        send_copies(database, f"{kind}://{shown}:{sock.getsockname()[1]}")
        thread.join()
        send_copies(database, f"{kind}://{shown}:{sock.getsockname()[1]}")  # nothing new: nothing is sent
    assert [message.split(b" ", 1)[0] for message in got] == [b"<109>1", b"<109>1"]
    assert parse_lines(b"\n".join(got) + b"\n").heads == [first, second]
    with database.read() as session:
        assert [(copy.place, copy.size, copy.error) for copy in copies(session)] == [("file", 3, ""), ("syslog", 3, "")]


def _receive(sock: socket.socket, stream: bool, got: list[bytes]) -> None:
    if not stream:
        got += [sock.recv(4096), sock.recv(4096)]
        return
    connection, _peer = sock.accept()
    with connection:
        content = b""
        while chunk := connection.recv(4096):
            content += chunk
    while content:  # octet counting, RFC 6587 3.4.1
        length, _, content = content.partition(b" ")
        got.append(content[: int(length)])
        content = content[int(length) :]


def test_a_receiver_that_is_away_gets_everything_later_and_is_told_meanwhile(database: Database, trail: Trail) -> None:
    trail.sign()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with pytest.raises(CopyFailed, match="syslog"):
        send_copies(database, f"tcp://127.0.0.1:{port}")
    with database.read() as session:
        [_file, syslog] = copies(session)
    assert (syslog.place, syslog.size) == ("syslog", 0)
    assert "refused" in syslog.error


def test_heads_go_to_a_webhook_through_the_outbox(database: Database, trail: Trail) -> None:
    head = trail.sign()
    with pytest.raises(CopyFailed, match="no webhook 'keeper'"):
        send_copies(database, webhook="keeper")
    with database.write() as session:
        session.execute(
            text(
                "INSERT INTO webhook_targets (name, url, sealed_secret, min_level, enabled, created_at, created_by, version) "
                "VALUES ('keeper', 'https://keeper.example/', '', 'high', true, '', '', 1)"
            )
        )
    send_copies(database, webhook="keeper")
    send_copies(database, webhook="keeper")
    with database.read() as session:
        [body] = session.execute(text("SELECT body FROM webhook_deliveries")).scalars()
    told = json.loads(body)
    assert told["type"] == "audit.head"
    assert head is not None
    assert (told["data"]["size"], told["data"]["signature"]) == (head.size, head.signature)


def test_actor_of_a_rotation_is_recorded(database: Database, trail: Trail) -> None:
    trail.rotate(Actor("cli:root"))
    with database.read() as session:
        assert service.listing(session, action="audit.rotate_key").entries[0].actor == "cli:root"


def test_a_key_store_refuses_a_key_under_another_name(trail: Trail, tmp_path: Path) -> None:
    trail.sign()
    [file] = (tmp_path / "secret").glob("audit-*.key")
    file.rename(file.with_name("audit-" + "0" * 32 + ".key"))
    with pytest.raises(KeyProblem):
        KeyStore(tmp_path / "secret", MASTER).load("0" * 32)
