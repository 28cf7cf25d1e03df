"""``yara`` on real files: of a host behind a real sshd, and of what is really sealed; by the scanner of the platform."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cli.yara_scan import YaraScan
from crypto.secret import MasterKey
from kernel.db import Database
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from operations.incidents import evidence
from operations.incidents.record import create_incident
from operations.incidents.schema import NewIncident
from playbooks.actions import host_files
from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.danger import changes_a_system, logs_in
from playbooks.actions.destination import Reach
from playbooks.actions.host_archive import FORMAT
from playbooks.actions.looking_kinds import looking
from playbooks.actions.process import Finished
from playbooks.actions.protected import Network
from playbooks.actions.yara import RuleMatch, _told
from playbooks.model import Command, Party
from playbooks.variables import LONGEST_VALUE
from tests.playbooks.actions.ssh_server import USER, SshServer, login
from tests.playbooks.actions.street import SERVER, Street, available, street
from tests.state_database import migrated

needed = pytest.mark.skipif(not available("sshd", "ssh"), reason="needs root, iproute2 and openssh-server")
KEY = MasterKey(bytes(range(16)))
SCAN = YaraScan()
RULES = """
rule shell : webshell { strings: $a = "eval($_POST" $b = { de ad be ef } condition: any of them }
rule named { condition: filename == "c99.php" and filepath contains "/www" }
"""
WANTED = ("__matches__", "__found__", "__rules__", "__files__", "__scanned__", "__not_read__", "__unread__")


@pytest.fixture(scope="module")
def there() -> Iterator[Street]:
    with street() as made:
        yield made


@pytest.fixture(scope="module", params=[0, 1], ids=["IPv4", "IPv6"])
def server(there: Street, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> SshServer:
    return SshServer(there, "server", SERVER[request.param], tmp_path_factory.mktemp("sshd"), port=22 + 2200 * request.param)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    found = migrated(f"sqlite:///{tmp_path}/state.db")
    with found.write() as session:
        create_incident(session, SYSTEM, NewIncident(title="后门", origin="hotline"))
    return found


def _request(target: Party | None, rules: str = RULES, user: str = "root", secret: str = "key", **given: Any) -> Request:
    return Request(
        key="7.3.0.0",
        step_id="action--1",
        command=Command(type="yara", command=rules, more={"parameters": given}),
        target_id="ssh--1" if target else "",
        target=target,
        authentication=login(secret, user) if target else None,
        out_args=WANTED,
    )


def _look(
    request: Request, server: SshServer | None = None, database: Database | None = None, seconds: float = 60
) -> dict[str, Any]:
    """What it gave, by the names of the table; lists and numbers are read."""
    more = {"settings": server.settings()} if server else {}
    kind = looking(Reach(), None, database, scan=SCAN, key=KEY, **more)["yara"]  # type: ignore[arg-type]
    gave = kind.run(request, Context(time.monotonic() + seconds, *([server.secrets()] if server else [])))
    return {name.strip("_"): json.loads(str(value)) for name, value in gave.items()}


def _there(there: Street, server: SshServer, request: Request, database: Database | None = None) -> dict[str, Any]:
    with there.inside("platform"):
        return _look(request, server, database)


@pytest.fixture
def www(tmp_path: Path) -> Path:
    """A folder of a web server with two shells."""
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    above = tmp_path.parent.parent
    above.chmod(above.stat().st_mode | 0o011)  # passed through by the account that scans; whose folder it is else is not ours
    folder = tmp_path / "www"
    (folder / "up loads").mkdir(parents=True)
    (folder / "index.php").write_text("<?php phpinfo(); ?>")
    (folder / "up loads" / "图 's.php").write_text("<?php eval($_POST['x']); ?>")
    (folder / "up loads" / "c99.php").write_bytes(b"\n\0" + os.urandom(200_000) + b"\xde\xad\xbe\xef\n")
    return folder


@needed
def test_files_and_folders_of_a_host(there: Street, server: SshServer, www: Path) -> None:
    gave = _there(there, server, _request(server.party(), paths=[str(www), "/etc/hostname", ""]))
    assert (gave["matches"], gave["scanned"], gave["not_read"], gave["unread"]) == (3, 4, 0, [])
    assert sorted(gave["rules"]) == ["named", "shell"]
    assert sorted(gave["files"]) == sorted([f"{www}/up loads/c99.php", f"{www}/up loads/图 's.php"])
    (told,) = [one for one in gave["found"] if one["file"].endswith("'s.php")]
    assert (told["rule"], told["tags"], told["strings"]) == ("shell", ["webshell"], [["$a", 6, "eval($_POST"]])
    assert re.fullmatch("[0-9a-f]{64}", told["sha256"])


@needed
def test_what_is_not_read_is_counted_and_named(
    there: Street, server: SshServer, www: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_files, "MOST_OF_ONE", 100_000)
    (www / "a\nb").write_text("eval($_POST")
    (www / "link").symlink_to("/etc/passwd")
    (www / "up loads" / "upper").symlink_to(www)  # in a folder: not named by anybody
    os.mkfifo(www / "pipe")
    paths = [str(www), f"{www}/link", f"{www}/pipe", f"{www}/missing"]
    gave = _there(there, server, _request(server.party(), paths=paths))
    why = {one["file"]: one["why"][:22] for one in gave["unread"]}
    assert why == {
        f"{www}/a\\x01b": "its name holds a lette",
        f"{www}/link": "it is a symbolic link",
        f"{www}/up loads/upper": "it is a symbolic link",
        f"{www}/pipe": "it is no file of a dis",
        f"{www}/missing": "there is no such file,",
        f"{www}/up loads/c99.php": "it is larger than 8,38",
    }
    assert (gave["matches"], gave["scanned"], gave["not_read"]) == (1, 2, 6)


@needed
def test_who_is_not_root_scans_what_he_may_read(there: Street, server: SshServer, www: Path) -> None:
    (www / "up loads").chmod(0o700)
    (www / "config.php").write_text("eval($_POST")
    (www / "config.php").chmod(0o600)
    gave = _there(there, server, _request(server.party(), user=USER, secret="password", paths=[str(www)]))
    assert {one["file"]: one["why"][:16] for one in gave["unread"]} == {
        str(www): "the login may no", f"{www}/config.php": "the login may no",
    }  # fmt: skip
    assert (gave["matches"], gave["scanned"]) == (0, 1)


@needed
def test_the_number_of_files_and_octets_is_bounded(
    there: Street, server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(30):
        (many / f"{number}.bin").write_bytes(b"x" * 1_000)
    monkeypatch.setattr(host_files, "MOST_FILES", 10)
    monkeypatch.setattr(host_files, "MOST_OF_ALL", 5_000)
    gave = _there(there, server, _request(server.party(), paths=[str(many)]))
    assert gave["scanned"] == 5
    assert [one["why"][:26] for one in gave["unread"]] == [
        *["it is larger than what is "] * 5, "there are more than 2,000 ",
    ]  # fmt: skip


@needed
def test_nothing_read_is_no_result(there: Street, server: SshServer) -> None:
    with pytest.raises(ActionError, match="no such file") as caught:
        _there(there, server, _request(server.party(), paths=["/no/such/file"]))
    assert caught.value.code == "NOTHING_READ"


@needed
def test_an_empty_folder_has_no_match(there: Street, server: SshServer, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    gave = _there(there, server, _request(server.party(), paths=[f"{tmp_path}/empty"]))
    assert (gave["matches"], gave["scanned"], gave["not_read"]) == (0, 0, 0)


@needed
def test_the_host_is_only_read(there: Street, server: SshServer, www: Path) -> None:
    looked = www / "index.php"
    os.utime(looked, (1_000_000_000, 1_000_000_000))
    before = {name: sorted(os.listdir(name)) for name in ("/root", "/var/tmp", www, server.folder)}
    _there(there, server, _request(server.party(), paths=[str(www)]))
    assert {name: sorted(os.listdir(name)) for name in before} == before
    assert os.stat(looked).st_atime == 1_000_000_000


@needed
def test_a_host_that_is_not_known_is_not_reached(there: Street, server: SshServer) -> None:
    server.known_hosts.write_text("")
    try:
        with pytest.raises(ActionError) as caught:
            _there(there, server, _request(server.party(), paths=["/etc/hostname"]))
        assert caught.value.code == "HOST_UNKNOWN"
    finally:
        server.trust("host")


class _Hostile:
    """A host that answers what it wants; it reads the script, and with it the mark."""

    ours: tuple[Network, ...] = ()

    def __init__(self, answer: str, code: int = 0) -> None:
        self._answer, self._code = answer, code

    def run(self, arguments: Sequence[str], *, stdin: bytes = b"", most: int = 0) -> Finished:
        mark = re.findall(rb"mark=([0-9a-f]{32})", stdin)[0].decode()
        return Finished(self._code, self._answer.replace("MARK", mark).encode(), b"")


@pytest.mark.parametrize(
    ("answer", "code"),
    [("", 0), ("\nMARK file 1\n/a\nx\nMARK end\n", 0), ("\nMARK done\n", 1), ("\nMARK done\nand more", 0)],
)
def test_an_answer_without_its_end_counts_for_nothing(answer: str, code: int) -> None:
    with pytest.raises(ActionError) as caught:
        host_files.host_files(_Hostile(answer, code), ["/a"])
    assert caught.value.code == "READING_BROKEN"


def test_what_a_hostile_host_says_is_taken_as_octets() -> None:
    answer = (
        "\nMARK file 3\n/a\x1b[31m\nxyz\nMARK end\n\nMARK file 9\n/b\nx\nMARK end\n\nMARK not what\n/c\nMARK end\n\nMARK done\n"
    )
    found = host_files.host_files(_Hostile(answer), ["/a"])
    assert [(one.name, one.octets, one.problem) for one in found] == [
        ("/a\\x1b[31m", b"xyz", ""),
        ("/b", None, "it could be read in part only"),
        ("/c", None, "the host did not say why"),
    ]


# -- evidence ---------------------------------------------------------------------------------------------------------------------


def _seal(database: Database, name: str, payload: bytes) -> int:
    with database.write() as session:
        return evidence.seal(session, KEY, SYSTEM, 1, name, payload, reason="test", origin="test").id


def _tar(members: dict[str, bytes], sparse: bool = False) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, octets in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(octets)
            if sparse and name != "manifest.json":
                entry.pax_headers = {"GNU.sparse.map": "0,4", "GNU.sparse.size": str(1 << 40)}
            tar.addfile(entry, io.BytesIO(octets))
    return made.getvalue()


def test_sealed_evidence_and_the_parts_of_a_host(database: Database) -> None:
    plain = _seal(database, "mail.eml", b"clean")
    manifest = json.dumps({"format": FORMAT}).encode()
    host = _seal(
        database, "host.tar", _tar({"manifest.json": manifest, "files/srv/www/c99.php": b"x", "volatile/a.txt": b"eval($_POST"})
    )
    gave = _look(_request(None, incident=1), database=database)
    assert (gave["matches"], gave["scanned"], gave["not_read"]) == (2, 3, 0)
    assert sorted(gave["files"]) == [
        f"evidence {host} host.tar: files/srv/www/c99.php",
        f"evidence {host} host.tar: volatile/a.txt",
    ]
    assert _look(_request(None, incident="1", evidence=[str(plain), "0"]), database=database)["scanned"] == 1
    with database.read() as session:
        acts = [(one.action, one.actor) for one in session.scalars(select(AuditEntry))]
        links = [(one["action"], one["actor"]) for one in evidence.verify(session, 1, host).links]
    assert links[-1] == ("open", "playbook:7")
    assert ("playbook.act", "playbook:7") in acts


@pytest.mark.parametrize("sparse", [True, False])
def test_an_archive_that_says_to_be_one_of_ours(database: Database, sparse: bool) -> None:
    """With a file of a terabyte of nothing, or of another format: it is looked through as it is."""
    manifest = json.dumps({"format": FORMAT if sparse else "x"}).encode()
    _seal(database, "x.tar", _tar({"manifest.json": manifest, "a": b"eval($_POST"}, sparse))
    gave = _look(_request(None, incident=1), database=database)
    assert (gave["matches"], gave["scanned"], gave["files"]) == (1, 1, ["evidence 1 x.tar"])


@pytest.mark.parametrize(("given", "code"), [({"incident": 9}, "NOT_FOUND"), ({"incident": 1, "evidence": [5]}, "NOT_FOUND")])
def test_evidence_that_is_not_there(database: Database, given: dict[str, Any], code: str) -> None:
    with pytest.raises(ActionError) as caught:
        _look(_request(None, **given), database=database)
    assert caught.value.code == code


# -- what it says before ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (_request(None, paths=["/etc"]), "NOT_ALLOWED", "files of this machine"),
        (_request(None), "COMMAND_WRONG", "nothing to look through"),
        (_request(None, evidence=[1]), "COMMAND_WRONG", "nothing to look through"),
        (_request(None, paths=["/etc/../x"]), "COMMAND_WRONG", "no whole path"),
        (_request(None, paths=["/proc/1"]), "COMMAND_WRONG", "no file of a disk"),
        (_request(None, paths=["/"]), "COMMAND_WRONG", "no whole path"),
        (_request(None, incident=1, rules="rule a { condition: nothing }"), "COMMAND_WRONG", "undefined identifier"),
        (_request(None, incident=1, rules='include "/etc/passwd"'), "COMMAND_WRONG", "cannot include"),
        (_request(None, incident=-1), "COMMAND_WRONG", "parameters of yara are wrong"),
    ],
)
def test_what_cannot_be_looked_for(request_: Request, code: str, message: str) -> None:
    kind = looking(Reach(), scan=SCAN)["yara"]
    for act in (kind.plan, lambda request: kind.run(request, Context(time.monotonic() + 20))):
        with pytest.raises(ActionError, match=message) as caught:
            act(request_)
        assert caught.value.code == code


def test_the_plan_says_which_rules_and_where() -> None:
    host = Party(type="ssh", address={"ipv4": ["192.0.2.9"]})
    plan = looking(Reach(), scan=SCAN)["yara"].plan(_request(host, paths=["/srv/www"], incident=4, evidence=[2]))
    assert plan.line == "look for shell, named in 192.0.2.9: /srv/www and in evidence 2 of incident 4"
    assert plan.touches == ("192.0.2.9", "incident 4")


def test_it_only_looks_and_logs_in_for_paths_only() -> None:
    assert not changes_a_system(_request(None, incident=1))
    assert not logs_in(_request(None, incident=1, paths=["", ""]))
    assert logs_in(_request(None, incident=1, paths=["", "/srv"]))
    assert logs_in(Request(key="1", step_id="s", command=Command(type="yara", more={"parameters": "x"})))


def test_lists_fit_into_a_variable() -> None:
    every = [RuleMatch(f"/{number}/{'长' * 4_000}", "0" * 64, "r") for number in range(30)]
    told = _told(every, 30, {one.file: "why" for one in every})
    assert (told["matches"], told["scanned"], told["not_read"]) == (30, 30, 30)
    for name in ("found", "rules", "files", "unread"):
        assert 0 < len(told[name]) < 30
        assert len(json.dumps(told[name], ensure_ascii=False)) < LONGEST_VALUE
