"""Evidence of a host: against a real sshd, with real files, and with answers as a hostile host could give them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crypto.secret import MasterKey
from crypto.sm3 import sm3
from kernel.db import Database
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from operations.incidents import evidence
from operations.incidents.models import IncidentEvidence
from operations.incidents.record import create_incident
from operations.incidents.schema import NewIncident
from playbooks.actions import gathering
from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.danger import changes_a_system
from playbooks.actions.gathering import gather
from playbooks.actions.own_kinds import own
from playbooks.actions.process import Finished
from playbooks.actions.protected import Network
from playbooks.actions.volatile import MOST, PARTS, Alternative, Part
from playbooks.model import Command, Party
from tests.playbooks.actions.ssh_server import USER, SshServer, login
from tests.playbooks.actions.street import SERVER, Street, available, street
from tests.state_database import migrated

needed = pytest.mark.skipif(not available("sshd", "ssh"), reason="needs root, iproute2 and openssh-server")
KEY = MasterKey(bytes(range(16)))


@pytest.fixture(scope="module")
def there() -> Iterator[Street]:
    with street() as made:
        made.listen("server")
        yield made


@pytest.fixture(scope="module", params=[0, 1], ids=["IPv4", "IPv6"])
def server(there: Street, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> SshServer:
    return SshServer(there, "server", SERVER[request.param], tmp_path_factory.mktemp("sshd"), port=22 + 2200 * request.param)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    found = migrated(f"sqlite:///{tmp_path}/state.db")
    with found.write() as session:
        create_incident(session, SYSTEM, NewIncident(title="勒索", origin="hotline"))
    return found


def _request(target: Party, user: str = "root", secret: str = "key", **parameters: Any) -> Request:
    return Request(
        key="7.3.0.0",
        step_id="action--1",
        command=Command(type="liandun-evidence-host", more={"parameters": {"incident": "1", "reason": "主机取证", **parameters}}),
        target_id="ssh--1",
        target=target,
        authentication=login(secret, user),
        out_args=("__evidence_id__", "__evidence_sm3__", "__evidence_lacking__"),
    )


def _run(there: Street, server: SshServer, database: Database, request: Request, seconds: float = 60) -> dict[str, Any]:
    with there.inside("platform"):
        kind = own(database, KEY, settings=server.settings())["liandun-evidence-host"]
        return dict(kind.run(request, Context(time.monotonic() + seconds, server.secrets())))


def _opened(database: Database, evidence_id: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and all members."""
    with database.write() as session:
        _record, payload = evidence.open_payload(session, KEY, SYSTEM, 1, int(evidence_id), "test")
    with tarfile.open(fileobj=io.BytesIO(payload)) as tar:
        members = {one.name: tar.extractfile(one).read() for one in tar}  # type: ignore[union-attr]
    return json.loads(members.pop("manifest.json")), members


def _entries(database: Database) -> list[dict[str, Any]]:
    with database.read() as session:
        return [
            json.loads(text)
            for text in session.execute(select(AuditEntry.detail).where(AuditEntry.action == "playbook.act")).scalars()
        ]


@needed
def test_volatile_data_and_files_become_one_sealed_piece_of_evidence(
    there: Street, server: SshServer, database: Database, tmp_path: Path
) -> None:
    (tmp_path / "真 名's").write_bytes(content := os.urandom(300_000) + b"\n\0")
    paths = [str(tmp_path / "真 名's"), "/etc/hostname", "", "/etc/hostname"]
    gave = _run(there, server, database, _request(server.party(), files=paths))
    manifest, members = _opened(database, gave["__evidence_id__"])
    assert members[f"files{tmp_path}/真 名's"] == content
    assert [one["name"] for one in manifest["files"]] == [paths[0], "/etc/hostname"]
    assert manifest["files"][0]["stat"]["size"] == len(content)
    told = {one["member"]: one for one in [*manifest["volatile"], *manifest["files"]] if "member" in one}
    assert told.keys() == members.keys()
    for name, octets in members.items():
        assert (told[name]["sha256"], told[name]["sm3"]) == (hashlib.sha256(octets).hexdigest(), sm3(octets).hex())
    assert b"sshd" in members["volatile/processes.txt"]
    assert (":80" if "[" not in server.address else "]:80").encode() in members["volatile/sockets.txt"]
    assert SERVER[0].encode() in members["volatile/addresses.txt"]
    assert SERVER[1].encode() in members["volatile/addresses.txt"]
    assert b"2001:db8:60::1" in members["volatile/routes.txt"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", manifest["clock_of_the_host"])
    assert (manifest["user"], manifest["run"], manifest["incident"]) == ("root", "7", 1)
    assert int(gave["__evidence_lacking__"]) == len(manifest["not_read"])
    assert {one.name for one in PARTS} <= {one["name"] for one in manifest["volatile"]}
    with database.read() as session:
        assert session.execute(select(IncidentEvidence.sm3)).scalar_one() == gave["__evidence_sm3__"]


@needed
def test_what_could_not_be_read_is_listed(there: Street, server: SshServer, database: Database, tmp_path: Path) -> None:
    (tmp_path / "to").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "to")
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    (tmp_path / "kernel").symlink_to("/proc/1")
    (tmp_path / "empty").write_bytes(b"")
    names = ("link", "pipe", "sparse", "nothing", "", "kernel/status", "empty")
    paths = [f"{tmp_path}/{name}".rstrip("/") for name in names]
    gave = _run(there, server, database, _request(server.party(), files=paths, volatile="false"))
    manifest, members = _opened(database, gave["__evidence_id__"])
    problems = {one["what"]: one["why"].partition(":")[0] for one in manifest["not_read"]}
    assert [problems.get(path, "")[:30] for path in paths] == [
        "it is a symbolic link",
        "it is no file of a disk (devic",
        "it is larger than what is left",
        "there is no such file, or the ",
        "it is a directory",
        "it is no file of a disk (devic",
        "",
    ]
    assert manifest["files"][0]["target"] == f"{tmp_path}/to"
    assert members == {f"files{tmp_path}/empty": b""}
    assert gave["__evidence_lacking__"] == "6"


@needed
def test_who_is_not_root_gets_what_he_may_read(there: Street, server: SshServer, database: Database, tmp_path: Path) -> None:
    (secret := tmp_path / "secret").write_text("x")
    gave = _run(
        there, server, database, _request(server.party(), USER, "password", files=[str(secret), "/etc/gshadow", "/etc/passwd"])
    )
    manifest, members = _opened(database, gave["__evidence_id__"])
    assert {str(secret), "/etc/gshadow"} <= {one["what"] for one in manifest["not_read"]}
    assert [name for name in members if name.startswith("files")] == ["files/etc/passwd"]
    assert USER.encode() in members["files/etc/passwd"]


@needed
def test_the_host_is_only_read(there: Street, server: SshServer, database: Database, tmp_path: Path) -> None:
    looked = tmp_path / "looked at"
    looked.write_text("x")
    os.utime(looked, (1_000_000_000, 1_000_000_000))
    before = {name: sorted(os.listdir(name)) for name in ("/root", "/var/tmp", server.folder)}
    _run(there, server, database, _request(server.party(), files=[str(looked)]))
    assert {name: sorted(os.listdir(name)) for name in before} == before
    assert os.stat(looked).st_atime == 1_000_000_000


@needed
def test_the_same_request_again_does_not_go_to_the_host(there: Street, server: SshServer, database: Database) -> None:
    request = _request(server.party(), volatile=False, files=["/etc/hostname"])
    first = _run(there, server, database, request)
    server.known_hosts.write_text("")
    try:
        assert _run(there, server, database, request) == first
    finally:
        server.trust("host")
    with database.read() as session:
        assert len(session.execute(select(IncidentEvidence.id)).scalars().all()) == 1


@needed
def test_a_host_that_dies_half_way_leaves_no_half_evidence(
    there: Street, server: SshServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "PARTS", (*PARTS[:3], Part("clock", (Alternative("sh", "kill -9 0"),))))
    monkeypatch.setattr(gathering, "_SCRIPT", gathering._SCRIPT.replace('limit="timeout 20"', "true"))
    request = _request(server.party())
    with pytest.raises(ActionError) as caught:
        _run(there, server, database, request)
    assert caught.value.code == "SSH_FAILED"
    with database.read() as session:
        assert session.execute(select(IncidentEvidence.id)).scalars().all() == []
    assert [one.get("failed") for one in _entries(database)] == ["SSH_FAILED"]
    monkeypatch.undo()
    assert _run(there, server, database, request)["__evidence_id__"] == "1"


@needed
def test_a_host_that_hangs_or_is_called_off(
    there: Street, server: SshServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "PARTS", (Part("clock", (Alternative("sh", "sleep 60"),)),))
    with pytest.raises(ActionError) as caught:
        _run(there, server, database, _request(server.party()), seconds=3)
    assert caught.value.code == "ACTION_TIMEOUT"
    monkeypatch.setattr(gathering, "_SCRIPT", gathering._SCRIPT.replace("timeout 20", "timeout 1"))
    gave = _run(there, server, database, _request(server.party()))
    assert _opened(database, gave["__evidence_id__"])[0]["not_read"] == [{"what": "clock", "why": "it took more than 20 s"}]


@needed
def test_alternatives_limits_and_complaints(
    there: Street, server: SshServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = (
        Part("first", (
            Alternative("no-such-program", "true"), Alternative("sh", "echo a; echo 'no b' >&2; exit 3"),
            Alternative("sh", "echo c"),
        )),
        Part("long", (Alternative("cat", "yes"),)),
        Part("none", (Alternative("no-such-program", "true"), Alternative("/no/such/file", "true"))),
        Part("loud", (Alternative("sh", "yes >&2 & sleep 1; kill $!; echo ok"),)),
    )  # fmt: skip
    monkeypatch.setattr(gathering, "PARTS", parts)
    gave = _run(there, server, database, _request(server.party()))
    manifest, members = _opened(database, gave["__evidence_id__"])
    assert members["volatile/first-2.txt"] == b"a\n"
    assert members["volatile/first.txt"] == b"c\n"
    assert len(members["volatile/long.txt"]) == MOST
    assert members["volatile/loud.txt"] == b"ok\n"
    assert {one["what"]: one["why"] for one in manifest["not_read"]} == {
        "first-2": "exit code 3",
        "long": f"cut off after {MOST:,} octets",
        "none": "the host has none of: no-such-program, /no/such/file",
    }
    assert manifest["volatile"][0]["complained"] == "no b"


@needed
def test_an_incident_that_is_not_there_costs_no_connection(there: Street, server: SshServer, database: Database) -> None:
    server.known_hosts.write_text("")
    try:
        with pytest.raises(ActionError) as caught:
            _run(there, server, database, _request(server.party(), incident=99))
        assert caught.value.code == "NOT_FOUND"
        with pytest.raises(ActionError) as caught:
            _run(there, server, database, _request(server.party()))
        assert caught.value.code == "HOST_UNKNOWN"
    finally:
        server.trust("host")


class _Says:
    """A host that answers with what the test says; ``{mark}`` is the mark that it was given."""

    ours: tuple[Network, ...] = ()

    def __init__(self, answer: str, code: int = 0) -> None:
        self.answer, self.code = answer, code

    def run(self, arguments: Sequence[str], *, stdin: bytes = b"", most: int = 0) -> Finished:
        mark = stdin.split()[0].removeprefix(b"mark=").decode()
        return Finished(self.code, self.answer.replace("{mark}", mark).encode(), b"")


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "welcome\n",
        "\n{mark} begin clock-1\nnow",
        "\n0123 done\n",
        "\n{mark} begin clock-1\n1\n{mark} end 0\n\n{mark} begin clock-1\n2\n{mark} end 0\n\n{mark} done\n",
    ],
)
def test_answers_that_count_for_nothing(answer: str) -> None:
    with pytest.raises(ActionError) as caught:
        gather(_Says(answer), [], volatile=True)
    assert caught.value.code == "GATHERING_BROKEN"


def test_only_what_was_asked_for_is_taken() -> None:
    frame = "\n{mark} begin %s\n%s\n{mark} end 0\n"
    said = [
        ("x-1", "?"),
        ("file-9-content", "?"),
        ("file-0-state", "regular"),
        ("file-0-stat", "9 644 x"),
        ("file-0-content", "abc"),
    ]
    found = gather(_Says("".join(frame % one for one in said) + "\n{mark} done\n"), ["/a"], volatile=False)
    assert [(one.name, one.octets, bool(one.problem), one.stat) for one in found.files] == [("/a", b"abc", True, None)]
    assert found.volatile == []


@pytest.mark.parametrize(
    "path", ["etc/passwd", "/etc/../root/x", "/etc//x", "/etc/", "/", "/a\nb", "/proc/kcore", "/dev/sda", "/sys/x", "/./a", "/a\0b"]
)
def test_paths_that_are_none(path: str) -> None:
    target = Party(type="ssh", address={"ipv4": ["10.9.0.1"]})
    with pytest.raises(ActionError) as caught:
        own(None)["liandun-evidence-host"].plan(_request(target, files=[path]))
    assert caught.value.code == "COMMAND_WRONG"


def test_a_plan_says_what_is_read_and_changes_nothing() -> None:
    request = _request(Party(type="ssh", address={"ipv6": ["2001:db8::7"]}), files=["/etc/passwd"])
    plan = own(None)["liandun-evidence-host"].plan(request)
    assert plan.line == "2001:db8::7: read volatile data and 1 files as evidence of incident 1: /etc/passwd"
    assert plan.touches == ("2001:db8::7", "incident 1")
    assert not changes_a_system(request)
    with pytest.raises(ActionError, match="nothing to gather"):
        own(None)["liandun-evidence-host"].plan(_request(request.target or Party(), volatile="false"))


def test_it_can_be_called_off(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    kind = own(None)["liandun-evidence-host"]
    with pytest.raises(ActionError) as caught:
        kind.run(_request(Party(type="ssh", address={"ipv4": ["10.9.0.1"]})), Context(time.monotonic() + 5, stop=stop))
    assert caught.value.code == "ACTION_CANCELLED"
