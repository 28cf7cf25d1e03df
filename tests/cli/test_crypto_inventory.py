"""The inventory of links: against tshark on real captures, and on handshakes captured here."""

from __future__ import annotations

import contextlib
import datetime
import json
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from scapy.all import IP, TCP, Ether, IPv6, wrpcap

from cli.certificate_files import describe
from cli.crypto_inventory import inventory
from collectors.tls_streams import Stream, tls_streams
from crypto.certificates import make_root, name
from crypto.channel.handshake import read_handshake
from crypto.channel.link import Credentials
from crypto.channel.probe import domestic_hello, ordinary_hello, tlcp_hello
from crypto.channel.served import served_certificates
from crypto.sm2 import PrivateKey
from kernel.errors import LiandunError
from tests.crypto.channel.authority import Authority
from tests.crypto.channel.conftest import start

CAPTURES = ("rfc8998-tls13-sm4.pcapng", "tlcp-four-suites-mutual.pcapng")


def run(*arguments: str) -> tuple[list[dict[str, Any]], dict[str, int]]:
    result = CliRunner().invoke(inventory, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    *links, totals = map(json.loads, result.output.splitlines())
    return links, totals["totals"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def tshark(capture: Path) -> list[dict[str, str]]:
    """Client port → what tshark says of each ServerHello."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    fields = ("tcp.dstport", "tls.handshake.version", "tls.handshake.ciphersuite", "tls.handshake.extensions_key_share_group")
    columns = [argument for field in (*fields, "_ws.col.Protocol") for argument in ("-e", field)]
    command = ["tshark", "-r", str(capture), "-Y", "tls.handshake.type == 2", "-T", "fields", *columns]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    names = ("port", "version", "suite", "group", "protocol")
    return [dict(zip(names, line.split("\t"), strict=True)) for line in answer.stdout.splitlines()]


@pytest.mark.parametrize("name", CAPTURES)
def test_same_as_tshark(shared: Path, name: str) -> None:
    capture = shared / "gm-vectors" / "pcap" / name
    links, _ = run(str(capture))
    ours = [(link["client"].rpartition(":")[2], link["suite_code"].lower(), str(link["group_code"] or "")) for link in links]
    assert ours == [(row["port"], row["suite"].lower(), row["group"]) for row in tshark(capture)]


def test_verdicts_on_real_captures(shared: Path) -> None:
    folder = shared / "gm-vectors" / "pcap"
    links, totals = run(*(str(folder / name) for name in CAPTURES))
    assert totals == {"domestic": 11, "partly domestic": 1}
    assert [link["finished"] for link in links[:4]] == [False, True, True, False]  # SOURCES.md: two were refused
    assert {key for link in links if link["version"] == "TLCP 1.1" for key in link["keys"]} == {"SM2"}
    assert {link["suite"] for link in links[4:]} == {
        "ECC_SM4_CBC_SM3", "ECC_SM4_GCM_SM3", "ECDHE_SM4_CBC_SM3", "ECDHE_SM4_GCM_SM3",
    }  # fmt: skip


@pytest.mark.parametrize("suite", ["domestic", "tlcp"])
def test_our_own_handshake_is_what_it_claims(tmp_path: Path, suite: str) -> None:
    """Both ends are processes of ours; the bytes between them are written down on the way and judged by tshark."""
    authority = Authority(tmp_path / "ca")
    server, client = authority.leaf("server.test"), authority.leaf("collector-1")
    if suite == "tlcp":
        pytest.importorskip("tongsuopy")
        usage = "keyEncipherment,dataEncipherment,keyAgreement"
        enc = [authority.leaf(name, tag="-enc", usage=usage) for name in ("server.test", "collector-1")]
        server = server._replace(enc_certificate=enc[0].certificate, enc_key=enc[0].key)
        client = client._replace(enc_certificate=enc[1].certificate, enc_key=enc[1].key)
    sent = overheard(tmp_path, server, client, suite)
    capture = tmp_path / "own.pcap"
    write_capture(capture, sent)
    [link], _ = run(str(capture))
    assert link["verdict"] == "domestic"
    assert link["finished"]
    [row] = tshark(capture)
    if suite == "tlcp":
        assert (row["protocol"], row["version"], row["suite"].lower()) == ("GMTLSv1", "0x0101", "0xe051")
        assert (link["suite"], link["keys"]) == ("ECDHE_SM4_GCM_SM3", ["SM2"])
        assert {one["name"] for one in link["certificates"]} == {"server.test", "collector-1", "Root"}
    else:
        assert (row["protocol"], row["suite"].lower(), row["group"]) == ("TLSv1.3", "0x00c6", "41")
        assert (link["suite"], link["group"], link["signatures_offered"]) == ("TLS_SM4_GCM_SM3", "curveSM2", ["sm2sig_sm3"])


def asked(port: int, host: str = "127.0.0.1") -> dict[str, dict[str, Any]]:
    """Question → what the inventory says of a server."""
    links, _ = run(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", "--timeout", "3")
    return {link["evidence"].removeprefix("asked: "): link for link in links}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_certificates_of_a_domestic_tls13_server(tmp_path: Path, authority: Authority, host: str) -> None:
    """It wants a certificate of its clients, too: its own are seen all the same."""
    server = authority.leaf("server.test")
    with start("standing", server, tmp_path, host=host) as process:
        try:
            assert process.stdout is not None
            found = asked(int(process.stdout.readline()), host)
        finally:
            process.kill()
    link = found["rfc8998"]
    assert (link["verdict"], link["suite"], link["group"], link["keys"]) == ("domestic", "TLS_SM4_GCM_SM3", "curveSM2", ["SM2"])
    own = link["certificates"][0]
    text = subprocess.run(
        ["openssl", "x509", "-in", str(server.certificate), "-noout", "-serial", "-enddate", "-dateopt", "iso_8601"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"serial={own['serial'].upper()}" in text.replace("serial=0", "serial=")
    assert own["not_after"][:10] in text
    assert (own["name"], own["key"], own["signature"], own["verdict"], own["problem"]) == (
        "server.test",
        "SM2",
        "SM2 with SM3",
        "domestic",
        "",
    )
    assert found["ordinary"]["verdict"] == "no agreement"


def test_certificates_of_an_ordinary_tls13_server(tmp_path: Path) -> None:
    """openssl s_server with an RSA certificate that is over."""
    key = rsa.generate_private_key(65537, 2048)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "old.example")])
    over = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key()).serial_number(0x7AB)
    builder = builder.not_valid_before(over - datetime.timedelta(days=9)).not_valid_after(over)
    (tmp_path / "old.crt").write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    (tmp_path / "old.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    command = [
        "openssl",
        "s_server",
        "-accept",
        "127.0.0.1:0",
        "-cert",
        str(tmp_path / "old.crt"),
        "-key",
        str(tmp_path / "old.key"),
    ]
    with subprocess.Popen([*command, "-tls1_3", "-www"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            line = next(line for line in server.stdout if line.startswith("ACCEPT "))
            port = int(line.rpartition(":")[2])
            link = asked(port)["ordinary"]
            told = CliRunner().invoke(inventory, [f"127.0.0.1:{port}"]).output
        finally:
            server.kill()
    assert (link["version"], link["verdict"], link["keys"]) == ("TLS 1.3", "foreign", ["RSA-2048"])
    [own] = link["certificates"]
    assert (own["name"], own["serial"], own["signature"], own["problem"]) == ("old.example", "7ab", "RSA with SHA-256", "expired")
    assert own["not_after"][:10] == over.date().isoformat()
    assert "certificate of old.example expired" in link["note"]
    assert "RSA-2048 key, signed RSA with SHA-256" in told
    assert ": foreign, expired" in told


def test_nobody_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert {link["verdict"] for link in asked(port).values()} == {"no agreement"}
    assert served_certificates("127.0.0.1", port, "domestic").problem.startswith("no connection")


def overheard(folder: Path, server: Credentials, client: Credentials, suite: str) -> list[tuple[bool, bytes]]:
    """(from the client?, bytes) in the order of passing, through a relay between the two."""
    sent: list[tuple[bool, bytes]] = []
    with socket.create_server(("127.0.0.1", 0)) as relay, start("server", server, folder, suite=suite) as first:
        assert first.stdout is not None
        port = int(first.stdout.readline())

        def pass_on(source: socket.socket, target: socket.socket, from_client: bool) -> None:
            while data := source.recv(65536):
                sent.append((from_client, data))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

        with start("client", client, folder, suite=suite, host="127.0.0.1", port=relay.getsockname()[1]) as second:
            near, _ = relay.accept()
            with near, socket.create_connection(("127.0.0.1", port)) as far:
                threads = [threading.Thread(target=pass_on, args=ends) for ends in ((near, far, True), (far, near, False))]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(30)
            assert "refused" not in json.loads(second.communicate(timeout=30)[0])
        first.communicate(timeout=30)
    return sent


def write_capture(path: Path, sent: list[tuple[bool, bytes]], *, six: bool = False, size: int = 1400, swap: bool = False) -> None:
    """A capture of these bytes as TCP segments; ``swap``: every second pair of segments arrives in the wrong order, some twice."""
    layer = IPv6 if six else IP
    ends = (("fd00::1", "fd00::2") if six else ("10.0.0.1", "10.0.0.2"), (50000, 443))
    sequence = {True: 1000, False: (1 << 32) - 50}  # the second one wraps
    packets = [packet(layer, ends, True, 999, "S", b""), packet(layer, ends, False, sequence[False] - 1, "SA", b"")]
    for from_client, data in sent:
        burst = []
        for at in range(0, len(data), size):
            part = data[at : at + size]
            burst.append(packet(layer, ends, from_client, sequence[from_client], "PA", part))
            sequence[from_client] = (sequence[from_client] + len(part)) & 0xFFFFFFFF
        packets += [*burst[::-1], *burst[:1]] if swap else burst
    wrpcap(str(path), packets)


def packet(layer: Any, ends: Any, from_client: bool, sequence: int, flags: str, payload: bytes) -> Any:
    addresses, ports = (ends[0], ends[1]) if from_client else (ends[0][::-1], ends[1][::-1])
    tcp = TCP(sport=ports[0], dport=ports[1], seq=sequence, flags=flags)
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / layer(src=addresses[0], dst=addresses[1]) / tcp / payload


@pytest.mark.parametrize("six", [False, True])
def test_streams_in_any_order_of_segments(tmp_path: Path, six: bool) -> None:
    first, second = tlcp_hello() + bytes(range(256)) * 20, b"\x16\x01\x01\x00\x04\x02\x00\x00\x00" + b"x" * 3000
    write_capture(tmp_path / "a.pcap", [(True, first), (False, second)], six=six, size=100, swap=True)
    client, server = (("fd00::1", 50000), ("fd00::2", 443)) if six else (("10.0.0.1", 50000), ("10.0.0.2", 443))
    assert list(tls_streams(tmp_path / "a.pcap")) == [Stream(client, server, first, second)]


def test_asking_a_server(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    with start("server", authority.leaf("server.test"), tmp_path) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        links, _ = run(f"127.0.0.1:{port}", "--timeout", "3")
    by_question = {link["evidence"]: link for link in links}
    found = by_question["asked: rfc8998"]
    assert (found["suite"], found["group"], found["verdict"]) == ("TLS_SM4_GCM_SM3", "curveSM2", "not proven")
    assert found["note"].startswith("no handshake: ")  # this server has taken its one connection by then
    assert all(link["verdict"] == "no agreement" for question, link in by_question.items() if question != "asked: rfc8998")


@pytest.mark.parametrize("address", ["a..b:443", f"{'x' * 64}.example:443"])
def test_no_name_of_a_host(address: str) -> None:
    with pytest.raises(LiandunError, match="neither a capture file nor HOST:PORT"):
        CliRunner().invoke(inventory, [address], catch_exceptions=False)


def test_a_server_that_only_says_so() -> None:
    """A ServerHello with the domestic suite and group costs nothing: without a certificate it is no evidence."""
    body = b"\x03\x03" + bytes(32) + b"\x00\x00\xc6\x00"
    body += bytes.fromhex("004f") + bytes.fromhex("002b00020304") + bytes.fromhex("0033004500290041") + b"\4" + bytes(64)
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    with socket.create_server(("127.0.0.1", 0)) as server:

        def say() -> None:
            with contextlib.suppress(OSError):
                while True:
                    with server.accept()[0] as peer:
                        peer.recv(4096)
                        peer.sendall(b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message)

        threading.Thread(target=say, daemon=True).start()
        links, totals = run(f"127.0.0.1:{server.getsockname()[1]}", "--timeout", "2")
        server.shutdown(socket.SHUT_RDWR)
    first = links[0]
    assert (first["suite"], first["group"], first["certificates"]) == ("TLS_SM4_GCM_SM3", "curveSM2", [])
    assert "domestic" not in totals
    assert first["verdict"] == "not proven"


def test_names_cannot_write_lines_of_their_own() -> None:
    """Certificates of others are shown on a terminal; their names are whatever somebody likes."""
    evil = make_root(name("bank\nserial         1\x1b[2J"), PrivateKey.generate()).certificate
    shown = describe(evil)
    assert len(shown.splitlines()) == len(describe(make_root(name("bank"), PrivateKey.generate()).certificate).splitlines())
    assert "\x1b" not in shown


def test_neither_file_nor_address() -> None:
    result = CliRunner().invoke(inventory, ["nonsense"])
    assert "neither a capture file nor HOST:PORT" in str(result.exception)


@pytest.mark.parametrize("hello", [domestic_hello("host.test"), ordinary_hello("host.test"), tlcp_hello()])
def test_own_hellos_are_read_back(hello: bytes) -> None:
    found = read_handshake(hello, b"")
    assert found.client is not None
    assert not found.problem
    assert found.client.suites


@given(st.binary(max_size=400), st.binary(max_size=400), st.integers(0, 200), st.integers(0, 255))
def test_hostile_bytes_never_raise(client: bytes, server: bytes, at: int, value: int) -> None:
    read_handshake(client, server)
    hello = bytearray(ordinary_hello("host.test"))
    hello[at] = value
    read_handshake(bytes(hello), bytes(hello[:at]) + server)
