"""collectors/packet_helper.py and packet_dissection.py: what tshark and pyshark say, and what the limits do, with real programs."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from scapy.all import IP, TCP, UDP, Ether, IPv6, PcapWriter, Raw

from collectors import packet_dissection, packet_helper
from collectors.packet_helper import HelperFailed, layers_apart, slice_apart, table_apart
from collectors.packet_slice import SECOND, CapturePlace, Conversation, SliceLimits, Span
from kernel.errors import LiandunError
from tests.collectors.conversations import MACS

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
TALK = Conversation("2001:db8::7", "2001:db8::53", 5353, 53, "udp")


def octets(folder: Path, packets: list[Any]) -> bytes:
    path = folder / "x.pcap"
    with PcapWriter(str(path)) as writer:
        for number, packet in enumerate(packets):
            packet.time = 1_790_000_000 + number
            writer.write(packet)
    return path.read_bytes()


def dns(name: bytes, load: bytes = b"") -> Any:
    question = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + bytes([len(name)]) + name + b"\x00\x00\x01\x00\x01" + load
    return Ether(**MACS) / IPv6(src="2001:db8::7", dst="2001:db8::53") / UDP(sport=5353, dport=53) / Raw(question)


def web(load: bytes) -> Any:
    return Ether(**MACS) / IP(src="10.0.0.7", dst="10.0.0.80") / TCP(sport=40000, dport=80, flags="PA") / Raw(load)


@needs_tshark
def test_a_row_for_each_packet_with_addresses_of_both_families(tmp_path: Path) -> None:
    found = table_apart(octets(tmp_path, [dns(b"a" * 20), web(b"GET / HTTP/1.1\r\n\r\n")]))
    assert found.cut == ""
    first, second = found.rows
    assert (first.number, first.source, first.source_port, first.target, first.target_port) == (
        1, "2001:db8::7", "5353", "2001:db8::53", "53",
    )  # fmt: skip
    assert first.protocol in ("DNS", "MDNS")
    assert "A " + "a" * 20 in first.info
    assert (second.source, second.protocol, second.info, second.time) == (
        "10.0.0.7", "HTTP", "GET / HTTP/1.1 ", "1790000001.000000000",
    )  # fmt: skip


@needs_tshark
def test_layers_are_those_of_the_packet_that_was_asked_for(tmp_path: Path) -> None:
    pcap = octets(tmp_path, [dns(b"first"), web(b"GET /second HTTP/1.1\r\n\r\n"), dns(b"third")])
    found = layers_apart(pcap, 2)
    assert [layer.name for layer in found] == ["frame", "eth", "ip", "tcp", "http"]
    fields = {field.name: field.value for layer in found for field in layer.fields}
    assert (fields["http.request.uri"], fields["ip.src"], fields["frame.number"]) == ("/second", "10.0.0.7", "2")
    assert layers_apart(pcap, 9) == []


@needs_tshark
def test_only_so_many_packets_are_dissected(tmp_path: Path) -> None:
    found = table_apart(octets(tmp_path, [dns(b"n%d" % n) for n in range(12)]), most=5)
    assert (len(found.rows), found.cut) == (5, "packets")


@needs_tshark
def test_a_tshark_that_takes_too_long_is_stopped_and_what_it_said_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tshark of our own that says one packet and then hangs, as the real one does over hostile captures."""
    slow(tmp_path, monkeypatch, 'printf "{\\"layers\\":{\\"frame_len\\":[\\"60\\"]}}\\n"; exec sleep 60')
    begun = time.monotonic()
    found = table_apart(b"", seconds=1.0)
    assert ([row.length for row in found.rows], found.cut) == (["60"], "seconds")
    assert time.monotonic() - begun < 20
    with pytest.raises(HelperFailed) as failed:
        layers_apart(b"", 1, seconds=3.0)
    assert failed.value.late or "could not be read" in failed.value.message
    assert not leftovers(tmp_path), "no process of it goes on"


def slow(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    folder.chmod(0o755)
    for above in folder.parents[:3]:
        if above.stat().st_uid == os.getuid() and above != Path("/tmp"):
            above.chmod(above.stat().st_mode | 0o111)
    program = folder / "tshark"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(os, "defpath", f"{folder}:{os.defpath}")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def leftovers(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes()
        except OSError:
            continue
        if os.fsencode(folder / "tshark") in line:
            found.append(line.decode("utf-8", "replace"))
    return found


@needs_tshark
def test_tshark_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(tmp_path, monkeypatch, "exit 2")
    assert table_apart(b"").cut == "tshark"


@needs_tshark
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up root")
def test_what_dissects_is_nobody_and_can_write_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "open"
    target.mkdir()
    target.chmod(0o777)
    script = f'echo x >{target}/written; printf "{{\\"layers\\":{{\\"frame_len\\":[\\"$(id -un) $(ulimit -f)\\"]}}}}\\n"'
    slow(tmp_path, monkeypatch, script)
    assert [row.length for row in table_apart(b"").rows] in ([], ["nobody 0"])  # the shell may die of the signal first
    assert not (target / "written").exists() or not (target / "written").read_bytes()


@needs_tshark
def test_hostile_captures_of_others_end_in_time(shared: Path) -> None:
    """Every capture of the shared set that is small: a table or a plain error, within the limit."""
    captures = sorted((shared / "corpora/ot-pcaps").glob("*.pcap"), key=lambda path: path.stat().st_size)[:12]
    assert captures
    for path in captures:
        assert table_apart(path.read_bytes(), most=50).cut in ("", "packets", "tshark")


def test_octets_that_are_no_capture_give_no_rows(tmp_path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    assert (table_apart(b"MZ no capture").rows, table_apart(b"MZ no capture").cut) == ([], "tshark")


def test_a_slice_apart_is_the_slice_and_its_errors_come_over(tmp_path: Path) -> None:
    octets(tmp_path, [dns(b"a"), web(b"x")])
    span = Span(0, 1_800_000_000 * SECOND)
    found = slice_apart([CapturePlace(str(tmp_path))], TALK, span)
    assert (found.packets, found.problems, len(found.times)) == (1, [], 1)
    with pytest.raises(LiandunError, match="no conversation"):
        slice_apart([CapturePlace(str(tmp_path))], Conversation("x", "y"), span)


def test_a_helper_without_memory_says_so_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("prlimit") is None:
        pytest.skip("prlimit is not installed")
    monkeypatch.setattr(packet_helper, "MEMORY", 8 << 20)
    with pytest.raises(HelperFailed, match="could not be read"):
        slice_apart([CapturePlace(str(tmp_path))], TALK, Span(0, 1), SliceLimits())


def test_fields_of_a_deep_tree_do_not_need_a_deep_stack() -> None:
    tree: Any = "leaf"
    for _level in range(sys.getrecursionlimit() * 3):
        tree = {"x": tree}
    assert len(list(packet_dissection._fields(tree, 0))) == sys.getrecursionlimit() * 3
