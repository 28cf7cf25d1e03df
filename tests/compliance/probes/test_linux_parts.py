"""What the parts say of a real file system: each path is spoken of, and what did not come to its end says so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from compliance.probes.facts import Facts, Part, Unreadable
from compliance.probes.formats.modes import modes
from compliance.probes.reading.linux_parts import PARTS, PRELUDE
from compliance.probes.registry import probes
from compliance.probes.result import judged
from tests.playbooks.actions.street import available

_SCANS = ("host.file_perms.world_writable", "host.file_perms.special_bits")
root = pytest.mark.skipif(os.getuid() != 0, reason="only root sees all files")


def _said(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"} | environment
    return subprocess.run(["sh", "-c", PRELUDE + command], capture_output=True, text=True, env=own, timeout=60, check=False)


def test_a_file_that_is_longer_than_is_read_is_cut_off(tmp_path: Path) -> None:
    whole, long, gone = tmp_path / "whole", tmp_path / "long", tmp_path / "gone"
    whole.write_text("x" * 262_144)
    long.write_text("root:x:0:0::/:/bin/sh\n" + "x" * 262_144 + "\ntoor:x:0:0::/:/bin/sh\n")
    assert Facts({"a": Part(_said(f"show {whole} {gone}").stdout)}).files("a") == {str(whole): "x" * 262_144 + "\n"}
    with pytest.raises(Unreadable, match="long is cut off"):
        Facts({"a": Part(_said(f"show {whole} {long}").stdout)}).files("a")
    found = judged(probes()["host.accounts.unique_identities"], {"accounts": Part(_said(f"show {long}").stdout)}, "host", "")
    assert found.outcome == "error"


def test_a_path_that_is_not_there_is_spoken_of(tmp_path: Path) -> None:
    said = _said(f"show {tmp_path}/none {tmp_path}/*.conf; modes {tmp_path}/none").stdout
    assert said == f"-- {tmp_path}/none\n-- {tmp_path}/*.conf\n-- {tmp_path}/none\n"
    assert Facts({"a": Part(said)}).files("a") == {}
    assert modes(said.splitlines()) == []


@pytest.mark.parametrize("missing", ["head", "sed"])
def test_a_file_is_never_empty_because_a_program_is_not_there(tmp_path: Path, missing: str) -> None:
    (tmp_path / "a").write_text("x\n")
    said = _said(f"{missing}() {{ return 127; }}\nshow {tmp_path}/a").stdout
    with pytest.raises(Unreadable):
        Facts({"a": Part(said)}).files("a")


def test_contents_of_strange_letters_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("a\x0c!! /x\u2028== /y\r\nb".encode())
    said = _said(f"show {tmp_path}/a").stdout
    assert Facts({"a": Part(said)}).files("a") == {f"{tmp_path}/a": "a\x0c!! /x\u2028== /y\nb\n"}


def test_programs_are_counted() -> None:
    for name in ("programs", "nginx-programs"):
        assert all(path.startswith("/") for path in Facts({name: Part(_said(PARTS[name].command).stdout)}).counted(name))
        broken = _said("awk() { return 127; }\n" + PARTS[name].command)
        with pytest.raises(Unreadable, match="does not come to its end"):
            Facts({name: Part(broken.stdout)}).counted(name)


def _scan(tmp_path: Path, *mounts: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """The scan of a folder, with a table of mounts of our own."""
    (tmp_path / "mounts").write_text("".join(f"{one}\n" for one in ("/dev/vda / ext4 rw 0 0", *mounts)))
    command = PARTS["scan"].command.replace("/proc/self/mounts", f"{tmp_path}/mounts").replace("find / ", f"find {tmp_path}/tree ")
    return _said(before + command)


@root
def test_the_scan_enters_local_file_systems_and_names_the_others(tmp_path: Path) -> None:
    for name in ("home", "net work[1]", "kernel"):
        (tmp_path / "tree" / name).mkdir(parents=True)
        (tmp_path / "tree" / name / "open").write_text("x")
        (tmp_path / "tree" / name / "open").chmod(0o666)
    tree = f"{tmp_path}/tree"
    said = _scan(
        tmp_path, f"/dev/b {tree}/home xfs rw 0 0", f"a:/b {tree}/net\\040work[1] nfs4 rw 0 0", f"k {tree}/kernel debugfs rw 0 0"
    )
    assert (said.returncode, said.stderr) == (0, "")
    lines = [f"unseen nfs4 {tree}/net\\040work[1]", f"writable 666 root root {tree}/home/open", "== done 2"]
    assert said.stdout.splitlines() == lines
    parts = {"scan": Part(said.stdout)}
    weak, special = (judged(probes()[name], parts, "host", "") for name in _SCANS)
    assert (weak.outcome, special.outcome) == ("partly", "partly")
    assert "(nfs4)" in special.reason


@root
@pytest.mark.skipif(not available("unshare", "mount"), reason="needs a mount namespace")
def test_the_scan_of_real_mounts(tmp_path: Path) -> None:
    home = tmp_path / "tree/home"
    home.mkdir(parents=True)
    command = PARTS["scan"].command.replace("find / ", f"find {tmp_path}/tree ")
    script = (
        f"mount --make-rprivate / && mount -t tmpfs home {home} && touch {home}/find && chmod 4755 {home}/find\n{PRELUDE}{command}"
    )
    told = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=60, check=True).stdout
    assert f"special 4755 root root {home}/find" in told.splitlines()
    assert judged(probes()["host.file_perms.special_bits"], {"scan": Part(told)}, "host", "").outcome == "not_met"


@root
@pytest.mark.parametrize(
    "before",
    [
        'find() { echo \'sh: find: not found\' >&2; return 127; }; nice() { shift 2; "$@"; }\ncommand() { [ "$2" != nice ]; }\n',
        "find() { echo 'find: /a: Permission denied' >&2; return 1; }\ncommand() { [ \"$2\" != nice ]; }\n",
        'find() { return 137; }\ncommand() { [ "$2" != nice ]; }\n',
        'command() { [ "$2" != find ]; }\n',
        'command() { [ "$2" != stat ]; }\n',
    ],
)
def test_a_scan_that_fails_is_an_error(tmp_path: Path, before: str) -> None:
    (tmp_path / "tree").mkdir()
    said = _scan(tmp_path, before=before)
    assert said.returncode != 0
    assert "== done" not in said.stdout
    for name in _SCANS:
        assert judged(probes()[name], {"scan": Part(said.stdout)}, "host", "").outcome == "error"


@root
def test_a_host_that_does_not_say_its_mounts_and_files_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    gone = 'find() { echo "find: \'/tmp/x\': No such file or directory" >&2; return 1; }\ncommand() { [ "$2" != nice ]; }\n'
    assert _scan(tmp_path, before=gone).stdout == "== done 0\n"
    loop = gone.replace("'/tmp/x': No such file or directory", "File system loop detected; '/a' is part of the same loop as '/'.")
    assert _scan(tmp_path, before=loop).stdout == "== done 0\n"
    blind = _said(PARTS["scan"].command.replace("/proc/self/mounts", f"{tmp_path}/none"))
    assert (blind.returncode, blind.stdout) != (0, "== done 0\n")
    assert "does not say its mounts" in blind.stderr
