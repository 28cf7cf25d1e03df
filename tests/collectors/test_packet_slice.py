"""collectors/packet_slice.py: scapy writes the captures, tshark says independently which packets belong to a conversation."""

from __future__ import annotations

import gzip
import itertools
import os
import random
import shutil
import struct
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.all import (
    GRE,
    ICMP,
    IP,
    TCP,
    UDP,
    VXLAN,
    Dot1AD,
    Dot1Q,
    Ether,
    ICMPv6DestUnreach,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    PcapNgWriter,
    PcapReader,
    PcapWriter,
    Raw,
    fragment,
    fragment6,
)

from collectors import packet_slice
from collectors.packet_files import LONGEST_PACKET, open_capture, packets_of
from collectors.packet_helper import slice_apart
from collectors.packet_slice import SECOND, CapturePlace, Conversation, Slice, SliceLimits, Span, slice_packets
from kernel.errors import ParseError
from tests.collectors.conversations import MACS

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

NOON = 1_790_000_000
WHOLE = Span((NOON - 1000) * SECOND, (NOON + 1000) * SECOND)
A4, B4, C4 = "10.1.0.7", "203.0.113.5", "198.51.100.9"
A6, B6, C6 = "2001:db8:1::7", "2001:db8:2::5", "2001:db8:3::9"
TALK = Conversation(A4, B4, 40000, 80, "tcp")


def ether() -> Any:
    return Ether(**MACS)


def at(packet: Any, moment: float) -> Any:
    packet.time = moment
    return packet


def write(path: Path, packets: list[Any], *, nano: bool = False, ng: bool = False, **more: Any) -> Path:
    writer = PcapNgWriter(str(path)) if ng else PcapWriter(str(path), nano=nano, linktype=more.pop("linktype", None), **more)
    with writer:
        for number, packet in enumerate(packets):
            made_now = packet.time > NOON + 100_000  # scapy's own idea of when
            writer.write(at(packet, NOON + number * 0.001) if made_now else packet)
    return path


def cut_out(folder: Path, conversation: Conversation = TALK, span: Span = WHOLE, **limits: Any) -> Slice:
    return slice_packets([CapturePlace(str(folder))], conversation, span, SliceLimits(**limits))


def frames(found: Slice, folder: Path) -> list[bytes]:
    if not found.pcap:
        return []
    path = folder / "slice.out"
    path.write_bytes(found.pcap)
    with open_capture(path) as file:
        return [packet.data for packet in packets_of(file, "slice")]


def tcp(a: str = A4, b: str = B4, ports: tuple[int, int] = (40000, 80), load: bytes = b"x") -> Any:
    return (IPv6(src=a, dst=b) if ":" in a else IP(src=a, dst=b)) / TCP(sport=ports[0], dport=ports[1]) / Raw(load)


def udp(a: str, b: str, ports: tuple[int, int] = (5000, 53), load: bytes = b"x") -> Any:
    return (IPv6(src=a, dst=b) if ":" in a else IP(src=a, dst=b)) / UDP(sport=ports[0], dport=ports[1]) / Raw(load)


# ------------------------------------------------------------------------------------------------ an independent judge


ADDRESSES4, ADDRESSES6, PORTS = (A4, B4, C4), (A6, B6, C6), (80, 40000, 40001)


@st.composite
def traffic(draw: st.DrawFn) -> list[Any]:
    """Packets among three hosts of a family, three ports, TCP or UDP, with tags, tunnels and extension headers."""
    made = []
    for _packet in range(draw(st.integers(1, 25))):
        hosts = draw(st.sampled_from((ADDRESSES4, ADDRESSES6)))
        pair = draw(st.permutations(hosts))[:2]
        ports = (draw(st.sampled_from(PORTS)), draw(st.sampled_from(PORTS)))
        make = draw(st.sampled_from((tcp, udp)))
        packet = make(*pair, ports, draw(st.binary(min_size=1, max_size=8)))
        if hosts is ADDRESSES6 and draw(st.booleans()):
            packet = IPv6(src=pair[0], dst=pair[1]) / IPv6ExtHdrDestOpt() / packet.payload
        shape = draw(st.sampled_from(("plain", "vlan", "qinq", "gre", "ip in ip", "raw")))
        if shape == "vlan":
            packet = Dot1Q(vlan=7) / packet
        elif shape == "qinq":
            packet = Dot1AD(vlan=100) / Dot1Q(vlan=7) / packet
        elif shape == "gre":
            packet = IP(src="192.0.2.1", dst="192.0.2.2") / GRE() / packet
        elif shape == "ip in ip":
            packet = IP(src="192.0.2.1", dst="192.0.2.2") / packet
        made.append(ether() / packet)
    return made


@needs_tshark
@pytest.mark.parametrize("ng", [False, True], ids=["pcap", "pcapng"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    packets=traffic(), six=st.booleans(), protocol=st.sampled_from(["tcp", "udp"]), ports=st.tuples(*[st.sampled_from(PORTS)] * 2)
)
def test_the_slice_is_what_tshark_finds(
    ng: bool, tmp_path: Path, packets: list[Any], six: bool, protocol: str, ports: tuple[int, int]
) -> None:
    for old in tmp_path.iterdir():
        old.unlink()
    capture = write(tmp_path / ("a.pcapng" if ng else "a.pcap"), packets, ng=ng)
    one, other = (A6, B6) if six else (A4, B4)
    found = cut_out(tmp_path, Conversation(one, other, *ports, protocol))
    ip = "ipv6" if six else "ip"
    there = f"{ip}.src=={one} && {ip}.dst=={other} && {protocol}.srcport=={ports[0]} && {protocol}.dstport=={ports[1]}"
    back = f"{ip}.src=={other} && {ip}.dst=={one} && {protocol}.srcport=={ports[1]} && {protocol}.dstport=={ports[0]}"
    assert found.problems == []
    assert frames(found, tmp_path) == [bytes(packets[number - 1]) for number in judged(capture, f"({there}) || ({back})")]


def judged(capture: Path, display_filter: str) -> list[int]:
    """Numbers of the packets that tshark finds."""
    command = ["tshark", "-n", "-r", str(capture), "-Y", display_filter, "-T", "fields", "-e", "frame.number"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(line) for line in done.stdout.split()]


# ---------------------------------------------------------------------------------------------------- fragments, ICMP


@pytest.mark.parametrize("order", ["as sent", "reversed"])
@pytest.mark.parametrize("family", [4, 6])
def test_fragments_come_with_their_first_one_in_any_order_and_no_others(family: int, order: str, tmp_path: Path) -> None:
    a, b = (A4, B4) if family == 4 else (A6, B6)

    def torn(ports: tuple[int, int], mark: int) -> list[Any]:
        whole = udp(a, b, ports, bytes(3000))
        if family == 4:
            whole[IP].id = mark
            return [ether() / piece for piece in fragment(whole, 1000)]
        framed = IPv6(src=a, dst=b) / IPv6ExtHdrFragment(id=mark) / UDP(sport=ports[0], dport=ports[1]) / Raw(bytes(3000))
        return [ether() / piece for piece in fragment6(framed, 1280)]

    wanted, foreign = torn((5000, 53), 77), torn((5001, 53), 78)
    assert len(wanted) > 2
    mixed = [piece for pair in zip(wanted, foreign, strict=True) for piece in pair]
    write(tmp_path / "a.pcap", mixed if order == "as sent" else mixed[::-1])
    found = frames(cut_out(tmp_path, Conversation(a, b, 5000, 53, "udp")), tmp_path)
    assert sorted(found) == sorted(bytes(piece) for piece in wanted)


def test_an_icmp_error_that_quotes_the_conversation_belongs_to_it(tmp_path: Path) -> None:
    asked, foreign = IP(src=A4, dst=B4) / UDP(sport=5000, dport=53), IP(src=A4, dst=B4) / UDP(sport=5001, dport=53)
    refused = ether() / IP(src=B4, dst=A4) / ICMP(type=3, code=3) / asked
    from_a_router = ether() / IP(src="192.0.2.254", dst=A4) / ICMP(type=11, code=0) / asked
    other = ether() / IP(src=B4, dst=A4) / ICMP(type=3, code=3) / foreign
    write(tmp_path / "a.pcap", [ether() / asked, refused, other, from_a_router])
    found = frames(cut_out(tmp_path, Conversation(A4, B4, 5000, 53, "udp")), tmp_path)
    # the protocol of the conversation is what is quoted; the error itself is ICMP
    assert found == [bytes(one) for one in (ether() / asked, refused, from_a_router)]
    asked6 = IPv6(src=A6, dst=B6) / UDP(sport=5000, dport=53)
    error6 = ether() / IPv6(src="2001:db8::fe", dst=A6) / ICMPv6DestUnreach(code=4) / asked6
    write(tmp_path / "b.pcap", [error6])
    assert frames(cut_out(tmp_path, Conversation(A6, B6, 5000, 53, "udp")), tmp_path) == [bytes(error6)]


def test_icmp_itself_is_found_whatever_stands_for_its_ports(tmp_path: Path) -> None:
    ping = ether() / IP(src=A4, dst=B4) / ICMP(type=8)
    write(tmp_path / "a.pcap", [ping, ether() / tcp()])
    assert frames(cut_out(tmp_path, Conversation(B4, A4, 8, 0, "icmp")), tmp_path) == [bytes(ping)]


def test_a_conversation_within_vxlan_is_found(tmp_path: Path) -> None:
    packet = ether() / IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=55555, dport=4789) / VXLAN(vni=5) / ether() / tcp()
    write(tmp_path / "a.pcap", [packet])
    assert cut_out(tmp_path).packets == 1


def test_ports_of_zero_stand_for_any_and_no_protocol_for_all(tmp_path: Path) -> None:
    write(tmp_path / "a.pcap", [ether() / tcp(), ether() / udp(A4, B4), ether() / tcp(A4, C4)])
    assert cut_out(tmp_path, Conversation(A4, B4)).packets == 2
    assert cut_out(tmp_path, Conversation(A4, B4, 0, 53)).packets == 1


# ----------------------------------------------------------------------------------------------------- times, formats


def test_only_the_span_of_time_both_ends_included_in_order_and_once(tmp_path: Path) -> None:
    packets = [at(ether() / tcp(load=bytes([n])), NOON + n) for n in (3, 1, 2, 4, 0)]
    write(tmp_path / "a.pcap", packets)
    write(tmp_path / "b.pcap", packets[:2])  # another sensor saw the same
    found = cut_out(tmp_path, span=Span((NOON + 1) * SECOND, (NOON + 3) * SECOND))
    assert [frame[-1] for frame in frames(found, tmp_path)] == [1, 2, 3]
    assert (found.first, found.last, found.packets, found.octets) == (
        (NOON + 1) * SECOND, (NOON + 3) * SECOND, 3, len(found.pcap),
    )  # fmt: skip


def test_nanoseconds_stay_and_microseconds_are_written_where_no_capture_has_finer(tmp_path: Path) -> None:
    header = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    data = bytes(ether() / tcp())
    (tmp_path / "a.pcap").write_bytes(header + struct.pack("<IIII", NOON, 123_456_789, len(data), 2000) + data)
    found = cut_out(tmp_path)
    assert found.first == NOON * SECOND + 123_456_789
    assert found.pcap[:4] == b"\x4d\x3c\xb2\xa1"
    assert struct.unpack_from("<IIII", found.pcap, 24) == (NOON, 123_456_789, len(data), 2000), "the length on the wire stays"
    (tmp_path / "a.pcap").unlink()
    write(tmp_path / "b.pcap", [ether() / tcp()])
    assert cut_out(tmp_path).pcap[:4] == b"\xd4\xc3\xb2\xa1"


def test_big_endian_gzip_and_pcapng_with_its_own_resolution_are_read(tmp_path: Path) -> None:
    data = bytes(ether() / tcp())
    big = struct.pack(">IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack(">IIII", NOON, 1, len(data), len(data)) + data
    (tmp_path / "a.pcap.gz").write_bytes(gzip.compress(big))
    (tmp_path / "b.pcapng").write_bytes(pcapng(data, NOON * 1000 + 2, order=">", resolution=3))
    found = cut_out(tmp_path)
    assert (found.packets, found.problems) == (2, [])
    assert (found.first, found.last) == (NOON * SECOND + 1000, NOON * SECOND + 2_000_000)


def pcapng(data: bytes, ticks: int, *, order: str = "<", resolution: int = 6) -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)

    interface = struct.pack(order + "HHI", 1, 0, 65535) + struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
    packet = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)) + data
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, interface) + block(6, packet)


def test_a_time_that_there_is_not_is_damage_and_hides_no_other_capture(tmp_path: Path) -> None:
    """Its numbers would not even fit into the helper's answer, so one hostile file would take the packets of every alert."""
    (tmp_path / "far.pcapng").write_bytes(pcapng(bytes(tcp()), (1 << 64) - 1, resolution=0))
    write(tmp_path / "near.pcap", [tcp()])
    found = slice_apart([CapturePlace(str(tmp_path))], TALK, WHOLE)
    assert found.packets == 1
    assert ["far.pcapng" in line for line in found.problems] == [True]


def test_captures_of_different_links_are_put_together_from_ip_upwards_and_said(tmp_path: Path) -> None:
    write(tmp_path / "a.pcap", [at(ether() / tcp(load=b"e"), NOON)])
    write(tmp_path / "b.pcap", [at(tcp(load=b"r"), NOON + 1)], linktype=101)
    found = cut_out(tmp_path)
    assert found.raw
    assert frames(found, tmp_path) == [bytes(tcp(load=b"e")), bytes(tcp(load=b"r"))]
    with PcapReader(str(tmp_path / "slice.out")) as reader:
        assert [packet[TCP].dport for packet in reader] == [80, 80]


def test_files_whose_times_cannot_match_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "late.pcap", [at(ether() / tcp(), NOON + 5000)])
    old = write(tmp_path / "old.pcap", [at(ether() / tcp(), NOON - 9000)])
    os.utime(old, (NOON - 8000, NOON - 8000))
    write(tmp_path / "a.pcap", [ether() / tcp()])
    found = cut_out(tmp_path)
    assert (found.packets, found.files, found.passed) == (1, 1, 2)


def test_what_an_earlier_search_learnt_of_a_file_spares_reading_it(tmp_path: Path) -> None:
    write(tmp_path / "old.pcap", [at(ether() / tcp(), NOON - 9000)])  # copied here later: its time of change says nothing
    write(tmp_path / "a.pcap", [ether() / tcp()])
    first = cut_out(tmp_path)
    assert (first.files, first.passed) == (2, 0)
    second = slice_packets([CapturePlace(str(tmp_path))], TALK, WHOLE, known=first.times)
    assert (second.packets, second.files, second.passed) == (1, 1, 1)
    assert second.times == first.times


def test_a_ring_is_known_by_its_prefix_and_links_are_not_followed(tmp_path: Path) -> None:
    ring, elsewhere = tmp_path / "log", tmp_path / "elsewhere"
    ring.mkdir()
    elsewhere.mkdir()
    write(ring / "packets.pcap.1790000000", [ether() / tcp()])
    write(elsewhere / "secret.pcap", [ether() / tcp(load=b"secret")])
    (ring / "packets.pcap.1790000001").symlink_to(elsewhere / "secret.pcap")
    (ring / "eve.json").write_text("{}")
    place = CapturePlace(str(ring), "packets.pcap.")
    found = slice_packets([place, CapturePlace(str(tmp_path / "not made yet"))], TALK, WHOLE)
    assert (found.packets, found.files, found.problems) == (1, 1, [])
    with pytest.raises(ParseError, match="cannot be read"):
        open_capture(ring / "packets.pcap.1790000001")
    os.mkfifo(ring / "packets.pcap.2")
    with pytest.raises(ParseError, match="no plain file"):
        open_capture(ring / "packets.pcap.2")


# ----------------------------------------------------------------------------------------------------- bounds, damage


@pytest.mark.parametrize(
    ("limits", "cut", "packets"),
    [({"packets": 3}, "packets", 3), ({"octets": 200}, "octets", 2), ({"read": 300}, "read", 4), ({"files": 1}, "files", 9)],
)
def test_a_bound_cuts_and_says_which(limits: dict[str, int], cut: str, packets: int, tmp_path: Path) -> None:
    for name in ("a.pcap", "b.pcap"):
        write(tmp_path / name, [ether() / tcp(load=name.encode()[:1] + bytes([n])) for n in range(9)])
    found = cut_out(tmp_path, **limits)
    assert (found.cut, found.packets) == (cut, packets)


def test_a_search_that_takes_too_long_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.pcap", [ether() / tcp(load=struct.pack(">H", n)) for n in range(5000)])
    looks = itertools.count()  # a clock that goes on by a second with each look: begun, one file found, 4,096 packets read
    monkeypatch.setattr(packet_slice, "time", SimpleNamespace(monotonic=lambda: float(next(looks))))
    found = cut_out(tmp_path, seconds=1.0)
    assert (found.cut, found.packets) == ("seconds", 4095)


def test_files_are_not_looked_at_longer_than_the_search_may_take(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"{number}.pcap", [ether() / tcp()])
    found = cut_out(tmp_path, seconds=-1.0)
    assert (found.cut, found.packets, found.files) == ("seconds", 0, 0)


def test_a_capture_that_is_cut_off_gives_what_stood_before(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", [ether() / tcp(load=bytes([n])) for n in range(5)])
    path.write_bytes(path.read_bytes()[:-3])
    found = cut_out(tmp_path)
    assert (found.packets, found.problems) == (4, ["a.pcap: cut off in packet 5"])


def test_absurd_lengths_are_named_and_take_no_memory(tmp_path: Path) -> None:
    good = write(tmp_path / "a.pcap", [ether() / tcp()]).read_bytes()
    (tmp_path / "a.pcap").write_bytes(good + struct.pack("<IIII", NOON, 0, 0xFFFFFFFF, 60))
    (tmp_path / "b.pcapng").write_bytes(pcapng(b"x", 0) + struct.pack("<II", 6, 0xFFFFFFFC))
    (tmp_path / "c.pcap").write_bytes(b"MZ\x90\x00 no capture")
    (tmp_path / "d.pcap").write_bytes(b"")
    (tmp_path / "e.pcap.gz").write_bytes(gzip.compress(good)[:-9])
    found = cut_out(tmp_path)
    assert found.packets == 1
    assert sorted(found.problems) == [
        "a.pcap: packet 2 claims 4294967295 octets: damaged from here on",
        "b.pcapng: block 3 claims 4294967292 octets: damaged from here on",
        "c.pcap: not a pcap or pcapng capture (first octets 4d5a9000)",
        "d.pcap: not a pcap or pcapng capture (first octets none)",
        "e.pcap.gz: cannot be read to its end: Compressed file ended before the end-of-stream marker was reached",
    ]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_happens_to_a_capture_there_is_a_slice_or_a_reason(tmp_path: Path, data: st.DataObject) -> None:
    """Flipped, cut and inserted octets, in both formats."""
    packet = bytes(ether() / Dot1Q(vlan=3) / tcp(A6, B6))
    form = data.draw(st.sampled_from(("pcap", "pcapng")))
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    whole = pcapng(packet, NOON * 1_000_000) * 2 if form == "pcapng" else header + (
        struct.pack("<IIII", NOON, 0, len(packet), len(packet)) + packet
    ) * 3  # fmt: skip
    broken = bytearray(whole)
    chance = random.Random(data.draw(st.integers(0, 1 << 32)))
    for _blow in range(data.draw(st.integers(1, 6))):
        broken[chance.randrange(len(broken))] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
    broken = broken[: data.draw(st.integers(0, len(broken)))] + data.draw(st.binary(max_size=40))
    (tmp_path / f"a.{form}").write_bytes(broken)
    for six in (Conversation(A6, B6, 40000, 80, "tcp"), Conversation(A6, B6)):
        found = cut_out(tmp_path, six)
        assert found.packets or found.problems or not found.cut
        assert len(found.pcap) <= len(broken) + 24 + 16 * found.packets
    (tmp_path / f"a.{form}").unlink()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([0, 1, 12, 101, 108, 113, 276, 147]))
def test_headers_of_any_octets_are_read_to_an_end(octets: bytes, link: int) -> None:
    from collectors.packet_headers import headers_of

    assert len(list(headers_of(octets, link))) < 10


def test_the_longest_packet_of_a_capture_is_kept_whole(tmp_path: Path) -> None:
    data = bytes(ether() / tcp()) + bytes(LONGEST_PACKET)
    record = struct.pack("<IIII", NOON, 0, LONGEST_PACKET, len(data)) + data[:LONGEST_PACKET]
    (tmp_path / "a.pcap").write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1) + record)
    assert cut_out(tmp_path).octets == 24 + len(record)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ParseError, match="no conversation"):
        slice_packets([], Conversation("camera-7", B4), WHOLE)
