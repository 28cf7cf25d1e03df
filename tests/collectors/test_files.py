"""Files on disk: what they are, and what happens with broken ones."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from collectors.files import find_files, fingerprint, line_format, read_records, spans
from kernel.record import RawRecord

EVENT = b'{"EventID":1,"Channel":"x"}'


def read(path: Path, **options: tuple[int, int]) -> tuple[list[RawRecord], list[str]]:
    told: list[str] = []
    return list(read_records(path, told.append, **options)), told


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "offsets"),
    [
        ("a.jsonl", EVENT + b"\n" + EVENT + b"\n", [0, 28]),
        ("a.json", EVENT + b"\n" + EVENT, [0, 28]),
        ("a.json", b"[" + EVENT + b",\n" + EVENT + b"]", [1, 30]),
        ("a.json", b'{"Records":[' + EVENT + b"," + EVENT + b"]}", [12, 40]),
        ("a.json", json.dumps(json.loads(EVENT), indent=2).encode(), [0]),
        ("a.json", b"\xef\xbb\xbf" + EVENT, [0]),
        ("a.json", '{"EventID":1,"Channel":"x"}\r\n'.encode("utf-16"), [0]),
        ("a.log", EVENT + b"\n", [0]),
    ],
)
def test_shapes_of_json_files(tmp_path: Path, name: str, content: bytes, offsets: list[int]) -> None:
    records, told = read(written(tmp_path, name, content))
    assert told == []
    assert [record.offset for record in records] == offsets
    assert {record.format for record in records} == {"json"}
    assert all(json.loads(record.raw.removeprefix(b"\xef\xbb\xbf"))["EventID"] == 1 for record in records)


def test_mixed_text_log(tmp_path: Path) -> None:
    content = (
        b"Nov 22 08:00:00 srv sshd[1]: text\n"
        b"type=SYSCALL msg=audit(1.0:2): arch=1\n"
        b'192.0.2.1 - - [08/Jun/2020:06:49:01 +0000] "GET / HTTP/1.0" 200 8\n'
        b'{"a":1}\n'
        b"<34>1 2003-10-11T22:14:15.003Z h a - - - x\n"
        b"2026-11-22 08:00:00 USG %%01SEC/4/POLICYDENY(l): x\n"
        b"some words\n"
    )
    records, told = read(written(tmp_path, "mixed.log", content))
    assert [record.format for record in records] == ["syslog", "auditd", "web-access", "json", "syslog", "syslog", "text"]
    assert told == []


def test_iis_lines_carry_their_directive(tmp_path: Path) -> None:
    content = (
        b"#Software: IIS\r\n#Fields: date time c-ip\r\n2026-11-22 08:00:00 192.0.2.1\r\n"
        b"#Fields: c-ip date time\r\n192.0.2.2 2026-11-22 08:00:01\r\n"
    )
    records, _ = read(written(tmp_path, "u_ex.log", content))
    assert [record.raw for record in records] == [
        b"#Fields: date time c-ip\n2026-11-22 08:00:00 192.0.2.1",
        b"#Fields: c-ip date time\n192.0.2.2 2026-11-22 08:00:01",
    ]


def test_compressed_files_give_the_same_records(tmp_path: Path, shared: Path) -> None:
    evtx = (shared / "corpora" / "evtx" / "sysmon_zipexec.evtx").read_bytes()
    plain = [record.raw for record in read(written(tmp_path, "a.evtx", evtx))[0]]
    assert plain
    assert [record.raw for record in read(written(tmp_path, "b.evtx.gz", gzip.compress(evtx)))[0]] == plain
    with zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("in/a.evtx", evtx)
        archive.writestr("in/b.json", EVENT)
        archive.writestr("__MACOSX/in/._b.json", b"\0\5")
        archive.writestr("in/picture.png", b"\0")
    records, told = read(tmp_path / "c.zip")
    assert [record.raw for record in records] == [*plain, EVENT]
    assert Counter(record.origin.split("!")[1] for record in records) == {"in/a.evtx": len(plain), "in/b.json": 1}
    assert told == []


def test_name_does_not_decide_alone(tmp_path: Path, shared: Path) -> None:
    evtx = (shared / "corpora" / "evtx" / "sysmon_zipexec.evtx").read_bytes()
    records, _ = read(written(tmp_path, "renamed.json", evtx))
    assert {record.format for record in records} == {"evtx"}
    assert read(written(tmp_path, "gz-without-suffix.log", gzip.compress(EVENT)))[0][0].raw == EVENT


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", bytes(range(256)) * 40, "a.json: binary data, not a log (byte 0 is NUL); file skipped"),
        ("a.log", b"", "empty file"),
        ("a.evtx", b"no log at all", "is not a Windows event log"),
        ("a.json.gz", gzip.compress(b'{"a":1}\n' * 5000)[:60], "compressed data is damaged"),
        ("a.zip", b"PK\x03\x04 no zip", "a.zip: zip archive is damaged"),
        ("a.pcap", b"no capture", "a.pcap"),
    ],
)
def test_broken_files_are_told(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    _, told = read(written(tmp_path, name, content))
    assert len(told) == 1
    assert message in told[0]


def test_gzip_damaged_in_the_middle_keeps_what_came_before(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(b'{"n":%d,"x":"%x"}\n' % (n, n * 7919) for n in range(100_000)))
    broken = packed[: len(packed) // 2] + b"\xff" * 40
    records, told = read(written(tmp_path, "a.jsonl.gz", broken))
    assert len(records) > 10_000
    assert "compressed data is damaged" in told[0]


def test_gzip_and_zip_bombs_stop(tmp_path: Path) -> None:
    bomb = gzip.compress(b'{"a":"' + b"A" * (100 << 20))
    _, told = read(written(tmp_path, "bomb.json.gz", bomb))
    assert "compression bomb" in told[-1]
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.log", b"B" * (100 << 20))
    _, told = read(tmp_path / "bomb.zip")
    assert "compression bomb" in told[-1]


def test_ten_megabyte_line(tmp_path: Path) -> None:
    records, told = read(written(tmp_path, "a.jsonl", EVENT + b"\n" + b'{"x":"' + b"y" * (10 << 20) + b'"}\n' + EVENT + b"\n"))
    assert [record.raw for record in records] == [EVENT, EVENT]
    assert told == [f"{tmp_path}/a.jsonl: byte 28: line of {(10 << 20) + 8} bytes is longer than the limit of 1048576, skipped"]


@pytest.mark.parametrize("size", [70_000, 300_000])
def test_pieces_of_a_file_are_the_file(tmp_path: Path, shared: Path, size: int) -> None:
    lines = b"".join(b'{"n":%d,"pad":"%s"}\n' % (n, b"p" * (n % 97)) for n in range(20_000))
    log = (
        shared / "corpora" / "evtx" / "DE_RDP_Tunneling_TerminalServices-RemoteConnectionManagerOperational_1149.evtx"
    ).read_bytes()
    for path in (written(tmp_path, "a.jsonl", lines), written(tmp_path, "a.evtx", log)):
        whole, _ = read(path)
        pieces = spans(path, size)
        assert len(pieces) > 2
        assert [record for piece in pieces for record in read(path, span=piece)[0]] == whole


def test_what_cannot_be_shared_out_stays_whole(tmp_path: Path) -> None:
    for name, content in (
        ("a.json", b"[" + EVENT + b"]" * 99),
        ("b.json.gz", b"x" * 99),
        ("c.log", b"#Fields: a b\n" + b"1 2\n" * 30),
    ):
        assert len(spans(written(tmp_path, name, content), 10)) == 1


def test_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    one, copy, other = (
        written(tmp_path, name, content) for name, content in (("a", b"x" * 99), ("b", b"x" * 99), ("c", b"x" * 98 + b"y"))
    )
    assert fingerprint(one) == fingerprint(copy) != fingerprint(other)


def test_folder_is_walked_in_order_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.log", "b/c.evtx", "a.json.gz", "notes.md"):
        written(tmp_path, name, b"x")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert [path.name for path in find_files(tmp_path)] == ["a.json.gz", "c.evtx", "z.log"]


def test_format_of_single_lines() -> None:
    assert line_format(b"\xef\xbb\xbf<34>Oct 11 22:14:15 h su: x") == "syslog"
    assert line_format("日志 没有格式".encode("gbk")) == "text"
