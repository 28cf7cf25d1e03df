"""Archives made by somebody else: what is good is read, what is dangerous is refused with the limit named."""

from __future__ import annotations

import contextlib
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


def sparse_member(name: str, hole: int) -> bytes:
    """A member in GNU's old sparse format (tar manual, "Old GNU Format"): RULE, then a hole up to ``hole`` bytes."""
    info = tarfile.TarInfo(name)
    info.size, info.type = len(RULE), tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))

    def octal(number: int) -> bytes:
        return b"%011o\0" % number

    header[386:434] = octal(0) + octal(len(RULE)) + octal(hole) + octal(0)
    header[482:495] = b"\0" + octal(hole)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + RULE + bytes(-len(RULE) % 512)


def test_sparse_members_are_refused(tmp_path: Path) -> None:
    """577 bytes that would unpack to 2.4 GiB of holes, which no stream of the archive ever carries."""
    path = tmp_path / "s.tar.gz"
    path.write_bytes(gzip.compress(b"".join(sparse_member(f"{n}.yml", 60 << 20) for n in range(40)) + bytes(1024)))
    with pytest.raises(RuleError, match=r"0\.yml has holes"):
        names(path)


def test_a_pax_sparse_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.yml")
        info.size = len(RULE)
        info.pax_headers = {"GNU.sparse.map": f"0,{len(RULE)},{60 << 20},0", "GNU.sparse.size": str(60 << 20)}
        archive.addfile(info, io.BytesIO(RULE))
    with pytest.raises(RuleError, match="has holes"):
        names(path)


def test_what_is_read_is_counted_even_where_the_archive_does_not_carry_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second net: without the refusal the bytes read still meet the limits of the total and of the ratio."""
    monkeypatch.setattr(tarfile.TarInfo, "issparse", lambda _: False)
    path = tmp_path / "s.tar.gz"
    path.write_bytes(gzip.compress(b"".join(sparse_member(f"{n}.yml", 1 << 20) for n in range(20)) + bytes(1024)))
    with pytest.raises(RuleError, match=r"more than 120 times its size \(limit\)"):
        names(path)
    with pytest.raises(RuleError, match=r"more than 2 MiB unpacked \(limit\)"):
        names(path, Limits(total_bytes=2 << 20))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_by_a_method_that_unpacks_without_bound_is_refused(tmp_path: Path, method: int) -> None:
    """1 MiB of bzip2 is unpacked in one step, to gigabytes: no meter sees it in time. A damaged one is told as well."""
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.yml", RULE * 100)
    content = path.read_bytes()
    for data in (content, content[:50] + bytes(255 - byte for byte in content[50:70]) + content[70:]):
        path.write_bytes(data)
        with pytest.raises(RuleError, match="packed by method"):
            names(path)


UNSHOWN = ["\x1b]0;pwned\x07.yml", "a\nb.yml", "\u202egnp.yml", "a\x9b31m.yml", "a\x7f.yml", "\udcff.yml", "a\u2028.yml"]


@pytest.mark.parametrize("name", UNSHOWN)
def test_names_that_cannot_be_shown_are_refused(tmp_path: Path, name: str) -> None:
    sources = [tar(tmp_path / "s.tar.gz", {name: RULE})]
    if not name.startswith("\udcff"):
        sources.append(zipped(tmp_path / "s.zip", {name: RULE}))
    for source in sources:
        with pytest.raises(RuleError, match="control characters") as refusal:
            names(source)
        assert str(refusal.value).isprintable()


@pytest.mark.parametrize("name", UNSHOWN)
def test_names_of_local_files_that_cannot_be_shown_are_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / name).write_bytes(RULE)
    for source in (folder, folder / name):
        with pytest.raises(RuleError, match="control characters"):
            names(source)


def test_chinese_names_are_kept(tmp_path: Path) -> None:
    name = "规则集\u3000一/横向移动（测试）.yml"
    assert names(tar(tmp_path / "s.tar.gz", {name: RULE})) == [(name, "sigma")]
    assert names(zipped(tmp_path / "s.zip", {name: RULE})) == [(name, "sigma")]


@pytest.mark.parametrize("name", ["/".join(["d" * 190] * 30) + "/a.yml", "规" * 90 + ".yml", "a" * 250 + ".yml"])
def test_names_too_long_for_a_file_system_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RuleError, match="too long a name"):
        names(tar(tmp_path / "s.tar.gz", {name: RULE}))


@pytest.mark.parametrize("name", ["x.yml", "x.tar.gz", "x.zip", "x.rules.gz", "folder/x.yml"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / name)
    with pytest.raises(RuleError, match="plain file"):
        names(tmp_path / name if "/" not in name else tmp_path / "folder")


@pytest.mark.parametrize("name", ["a" * 300 + ".yml", "a\0.yml"])
def test_a_source_that_cannot_be_looked_at_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(RuleError, match="cannot be read"):
        names(tmp_path / name)


def test_a_chain_of_headers_is_told(tmp_path: Path) -> None:
    """tarfile reads extension headers by recursion."""
    link = tarfile.TarInfo("././@LongLink")
    link.type, link.size = tarfile.GNUTYPE_LONGNAME, 2
    path = tmp_path / "s.tar"
    path.write_bytes((link.tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(512, b"\0")) * 3000 + bytes(1024))
    with pytest.raises(RuleError, match="damaged"):
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


@pytest.mark.parametrize("ending", [".tar", ".zip"])
@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), min_size=1, max_size=12))
def test_archives_with_changed_bytes_are_told_never_crash(
    tmp_path_factory: pytest.TempPathFactory, ending: str, changes: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    good = zipped(folder / "g.zip", MEMBERS) if ending == ".zip" else tar(folder / "g.tar", MEMBERS, "w")
    content = bytearray(good.read_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    path = folder / f"s{ending}"
    path.write_bytes(content)
    with contextlib.suppress(RuleError):
        names(path)


def test_what_is_no_rule_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.exe").write_bytes(b"MZ")
    with pytest.raises(RuleError, match="not a rule file"):
        names(tmp_path / "a.exe")
    with pytest.raises(RuleError, match="no such file"):
        names(tmp_path / "nothing.zip")
