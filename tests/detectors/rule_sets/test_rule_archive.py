"""Archives made by somebody else: what is good is read, what is dangerous is refused with the limit named."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.rule_sets.archive import Limits, read_rule_files
from kernel.errors import RuleError

RULE = b"title: x\ndetection:\n  s: {a: b}\n  condition: s\n"


def tar(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def names(path: Path, limits: Limits | None = None) -> list[tuple[str, str]]:
    return [(file.name, file.engine) for file in read_rule_files(path, limits)]


MEMBERS = {
    "set/LICENSE": b"DRL",
    "set/a.yml": RULE,
    "set/b.yar": b"rule b {condition: true}",
    "set/c.rules": b"",
    "set/readme.html": b"",
}
KEPT = [("set/LICENSE", "licence"), ("set/a.yml", "sigma"), ("set/b.yar", "yara"), ("set/c.rules", "suricata")]


def test_tar_zip_and_folder_give_the_same_files(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for name, content in MEMBERS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    assert names(tar(tmp_path / "s.tar.gz", MEMBERS)) == KEPT
    assert names(tar(tmp_path / "s.tar", MEMBERS, "w")) == KEPT
    assert names(zipped(tmp_path / "s.zip", MEMBERS)) == KEPT
    assert names(folder) == KEPT
    assert names(folder / "set" / "a.yml") == [("a.yml", "sigma")]


def test_the_sigmahq_tarball_is_read_whole(shared: Path) -> None:
    found = names(shared / "corpora" / "sigma-rules.tar.gz")
    assert sum(engine == "sigma" for _, engine in found) == 3_754


@pytest.mark.parametrize("name", ["../evil.yml", "/etc/evil.yml", "a/../../evil.yml", "C:\\evil.yml", "..\\evil.yml"])
def test_names_that_point_outside_are_refused(tmp_path: Path, name: str) -> None:
    for source in (tar(tmp_path / "s.tar.gz", {name: RULE}), zipped(tmp_path / "s.zip", {name: RULE})):
        with pytest.raises(RuleError, match="points outside"):
            names(source)


def test_links_are_refused(tmp_path: Path) -> None:
    link = tarfile.TarInfo("a.yml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        archive.addfile(link)
    entry = zipfile.ZipInfo("a.yml")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as packed:
        packed.writestr(entry, "/etc/passwd")
    (tmp_path / "folder").mkdir()
    os.symlink("/etc/passwd", tmp_path / "folder" / "a.yml")
    for source in (tmp_path / "s.tar", tmp_path / "s.zip", tmp_path / "folder"):
        with pytest.raises(RuleError, match="link"):
            names(source)


def test_each_limit_is_named(tmp_path: Path) -> None:
    many = {f"{n}.yml": RULE for n in range(20)}
    big = {"a.yml": b"#" * (2 << 20)}
    for make, ending in ((tar, "tar.gz"), (zipped, "zip")):
        with pytest.raises(RuleError, match=r"more than 10 members \(limit\)"):
            names(make(tmp_path / f"many.{ending}", many), Limits(members=10))
        with pytest.raises(RuleError, match=r"larger than 1 MiB \(limit\)"):
            names(make(tmp_path / f"big.{ending}", big), Limits(file_bytes=1 << 20))
        with pytest.raises(RuleError, match=r"more than 1 MiB unpacked \(limit\)"):
            names(make(tmp_path / f"sum.{ending}", big), Limits(total_bytes=1 << 20))
        with pytest.raises(RuleError, match=r"more than 120 times its size \(limit\); looks like a bomb"):
            names(make(tmp_path / f"bomb.{ending}", {"a.yml": bytes(40 << 20)}))


def test_a_bomb_in_what_nobody_reads_is_seen_too(tmp_path: Path) -> None:
    """A member of another kind, which is only skipped, still costs its unpacking."""
    with pytest.raises(RuleError, match="limit"):
        names(tar(tmp_path / "s.tar.gz", {"picture.png": bytes(64 << 20), "a.yml": RULE}))


def test_a_header_bomb_is_seen(tmp_path: Path) -> None:
    """A PAX header of 48 MiB must not be taken into memory quietly."""
    path = tmp_path / "s.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.yml")
        info.pax_headers = {"comment": "x" * (48 << 20)}
        archive.addfile(info)
    with pytest.raises(RuleError, match="limit"):
        names(path)


@pytest.mark.parametrize("ending", [".tar.gz", ".tgz", ".tar", ".zip"])
@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=600), cut=st.integers(0, 400))
def test_damaged_archives_are_told_never_crash(
    tmp_path_factory: pytest.TempPathFactory, ending: str, content: bytes, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    good = zipped(folder / "g.zip", MEMBERS) if ending == ".zip" else tar(folder / "g.tar.gz", MEMBERS)
    for number, data in enumerate((content, good.read_bytes()[:cut], good.read_bytes()[:cut] + content, gzip.compress(content))):
        path = folder / f"{number}{ending}"
        path.write_bytes(data)
        told = ""
        try:
            names(path)
        except RuleError as error:
            told = str(error)
        assert told == "" or str(path) in told


def test_what_is_no_rule_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.exe").write_bytes(b"MZ")
    with pytest.raises(RuleError, match="not a rule file"):
        names(tmp_path / "a.exe")
    with pytest.raises(RuleError, match="no such file"):
        names(tmp_path / "nothing.zip")


def test_a_sparse_member_is_refused(tmp_path: Path) -> None:
    """Its hole is not in the archive, so no limit of the archive's size would see it."""
    hole = tarfile.TarInfo("a.yml")
    hole.type, hole.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(hole.tobuf(tarfile.GNU_FORMAT))
    header[386:398] = b"%011o\0" % 0  # one piece: at 0, 512 bytes
    header[398:410] = b"%011o\0" % 512
    header[483:495] = b"%011o\0" % (60 << 20)  # the size it claims to unpack to
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    path = tmp_path / "s.tar.gz"
    path.write_bytes(gzip.compress(bytes(header[:512]) + bytes(512) + bytes(1024)))
    with tarfile.open(path) as archive:
        assert archive.getmembers()[0].size == 60 << 20, "the test's archive is one"
    with pytest.raises(RuleError, match=r"a\.yml is a link, sparse or special file"):
        names(path)


@pytest.mark.parametrize(
    "name", ["\x1b]0;x\x07.yml", "a\u202eb.yml", "/".join(["y" * 190] * 30) + ".yml", "z" * 230 + ".yml", "caf\udce9.yml"]
)
def test_names_that_no_file_or_terminal_should_have_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RuleError, match="refused"):
        names(tar(tmp_path / "s.tar", {name: RULE}, "w"))


def test_a_pipe_is_refused_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.yml")
    with pytest.raises(RuleError, match="a pipe or device"):
        names(tmp_path / "x.yml")


def test_a_damaged_lzma_zip_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.yml", RULE * 100)
    raw = bytearray(path.read_bytes())
    raw[44:60] = b"\xff" * 16
    path.write_bytes(raw)
    with pytest.raises(RuleError, match="damaged"):
        names(path)
