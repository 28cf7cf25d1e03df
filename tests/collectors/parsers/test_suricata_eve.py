"""collectors/parsers/suricata_eve.py on lines that Suricata 7.0.10 wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.parsers.suricata_eve import parse, parse_eve, parse_stored
from collectors.parsers.suricata_sections import SECTIONS
from kernel.errors import ParseError
from kernel.event import conform
from kernel.record import RawRecord

_BASE = {
    "timestamp": "2026-11-22T08:00:00.123456+0800",
    "flow_id": 1,
    "src_ip": "10.1.0.7",
    "src_port": 40000,
    "dest_ip": "198.51.100.9",
    "dest_port": 80,
    "proto": "TCP",
    "in_iface": "span0",
    "vlan": [120],
    "community_id": "1:vmuKZFV6IfYF/3WMVJdtUQygRUs=",
}


def _subset(event: dict[str, Any], **expected: Any) -> None:
    wanted = {key.replace("__", "."): value for key, value in expected.items()}
    assert {key: event.get(key) for key in wanted} == wanted


def test_common_fields_and_zone_of_the_time() -> None:
    event = parse_eve(_BASE | {"event_type": "http", "http": {}})
    assert event["@timestamp"] == "2026-11-22T00:00:00.123456Z"
    _subset(event, source__ip="10.1.0.7", source__port=40000, destination__ip="198.51.100.9", destination__port=80)
    _subset(event, client__ip="10.1.0.7", server__ip="198.51.100.9", network__transport="tcp", network__type="ipv4")
    _subset(event, network__protocol="http", network__vlan__id="120", observer__ingress__interface__name="span0")
    _subset(event, event__dataset="suricata.http", event__module="suricata", event__kind="event", suricata__eve__flow_id=1)
    assert event["network.community_id"] == _BASE["community_id"]
    assert sorted(event["related.ip"]) == ["10.1.0.7", "198.51.100.9"]


def test_ipv6_addresses_become_canonical() -> None:
    long = "2001:0db8:0000:0000:0000:0000:0000:0007"
    event = parse_eve(_BASE | {"event_type": "dns", "src_ip": long, "dest_ip": "2001:db8::53", "proto": "UDP"})
    _subset(event, source__ip="2001:db8::7", destination__ip="2001:db8::53", network__type="ipv6", network__transport="udp")


def test_http() -> None:
    http = {
        "hostname": "shop.example",
        "url": "/a/b.exe?x=1",
        "http_user_agent": "curl/8",
        "http_method": "GET",
        "protocol": "HTTP/1.1",
        "status": 200,
        "length": 4096,
        "http_content_type": "application/octet-stream",
        "http_refer": "http://ref.example/",
        "http_port": 8080,
    }
    event = parse_eve(_BASE | {"event_type": "http", "http": http})
    _subset(event, url__full="http://shop.example:8080/a/b.exe?x=1", url__path="/a/b.exe", url__query="x=1", url__extension="exe")
    _subset(event, url__domain="shop.example", destination__domain="shop.example", http__request__method="GET", http__version="1.1")
    _subset(event, http__response__status_code=200, http__response__body__bytes=4096, user_agent__original="curl/8")
    _subset(event, http__request__referrer="http://ref.example/", http__response__mime_type="application/octet-stream")


def test_a_request_that_was_not_seen_gives_no_url() -> None:
    event = parse_eve(_BASE | {"event_type": "http", "http": {"url": "/libhtp::request_uri_not_seen", "status": 200}})
    assert not [field for field in event if field.startswith("url.")]


@pytest.mark.parametrize(
    "dns",
    [
        {
            "version": 2,
            "type": "answer",
            "id": 7,
            "rrname": "www.example",
            "rrtype": "A",
            "rcode": "NOERROR",
            "answers": [
                {"rrname": "www.example", "rrtype": "CNAME", "rdata": "web.example"},
                {"rrname": "web.example", "rrtype": "A", "rdata": "192.0.2.1"},
                {"rrname": "web.example", "rrtype": "AAAA", "rdata": "2001:db8::1"},
            ],
        },
        {
            "version": 3,
            "type": "response",
            "id": 7,
            "queries": [{"rrname": "www.example", "rrtype": "A"}],
            "rcode": "NOERROR",
            "answers": [{"rrname": "www.example", "rrtype": "CNAME", "rdata": "web.example"}],
            "grouped": {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"]},
        },
    ],
)
def test_dns_versions_2_and_3(dns: dict[str, Any]) -> None:
    event = parse_eve(_BASE | {"event_type": "dns", "dns": dns})
    _subset(event, dns__question__name="www.example", dns__question__type="A", dns__id="7", dns__type="answer")
    _subset(event, dns__response_code="NOERROR", dns__resolved_ip=["192.0.2.1", "2001:db8::1"], event__dataset="suricata.dns")


def test_tls_with_both_fingerprints() -> None:
    tls = {
        "sni": "mail.example",
        "version": "TLS 1.2",
        "subject": "CN=mail.example",
        "issuerdn": "CN=Some CA",
        "serial": "4A:96:B3",
        "fingerprint": "30:83:82:c5",
        "notbefore": "2023-10-23T11:42:34",
        "notafter": "2024-11-21T11:42:33",
        "ja3": {"hash": "773906b0efdefa24a7f2b8eb6985bf37", "string": "771,4865"},
        "ja3s": {"hash": "9b340edddb1203ae20167d3089fa10af", "string": "771,49196"},
        "ja4": "t13d2014h2_a09f3c656075_14788d8d241b",
    }
    event = parse_eve(_BASE | {"event_type": "tls", "tls": tls})
    _subset(event, tls__client__server_name="mail.example", tls__version="1.2", tls__version_protocol="tls")
    _subset(event, tls__client__ja3=tls["ja3"]["hash"], tls__server__ja3s=tls["ja3s"]["hash"], tls__client__ja4=tls["ja4"])
    _subset(event, tls__server__hash__sha1="308382C5", tls__server__x509__serial_number="4A96B3", tls__server__issuer="CN=Some CA")
    _subset(event, tls__server__not_after="2024-11-21T11:42:33.000000Z", tls__server__not_before="2023-10-23T11:42:34.000000Z")


def test_flow_counts_belong_to_their_sides() -> None:
    flow = {"pkts_toserver": 3, "pkts_toclient": 2, "bytes_toserver": 162, "bytes_toclient": 373, "age": 2, "state": "closed"}
    flow |= {"start": "2026-11-22T08:00:00.000000+0800", "end": "2026-11-22T08:00:02.000000+0800", "reason": "timeout"}
    event = parse_eve(_BASE | {"event_type": "flow", "app_proto": "http", "flow": flow})
    _subset(event, source__bytes=162, destination__bytes=373, source__packets=3, destination__packets=2)
    _subset(event, network__bytes=535, network__packets=5, event__duration=2_000_000_000, event__reason="timeout")
    _subset(event, event__start="2026-11-22T00:00:00.000000Z", event__end="2026-11-22T00:00:02.000000Z")


def test_alert_on_an_answer_keeps_who_is_client() -> None:
    alert = {
        "action": "allowed",
        "gid": 1,
        "signature_id": 2100498,
        "rev": 7,
        "signature": "id check returned root",
        "category": "Potentially Bad Traffic",
        "severity": 2,
        "metadata": {"mitre_technique_id": ["T1059_001"], "mitre_tactic_name": ["Initial_Access"]},
    }
    turned = {"src_ip": "198.51.100.9", "src_port": 80, "dest_ip": "10.1.0.7", "dest_port": 40000}
    flow = {
        "src_ip": "10.1.0.7",
        "src_port": 40000,
        "dest_ip": "198.51.100.9",
        "dest_port": 80,
        "bytes_toserver": 1,
        "bytes_toclient": 9,
    }
    event = parse_eve(_BASE | turned | {"event_type": "alert", "alert": alert, "flow": flow, "http": {"hostname": "shop.example"}})
    _subset(event, source__ip="198.51.100.9", client__ip="10.1.0.7", server__ip="198.51.100.9", source__domain="shop.example")
    _subset(event, source__bytes=9, destination__bytes=1, destination__domain=None)
    _subset(event, rule__id="suricata:1:2100498", rule__name="id check returned root", rule__category="Potentially Bad Traffic")
    _subset(event, event__kind="alert", event__severity=2, event__type=["allowed"], message="id check returned root")
    _subset(event, threat__technique__id=["T1059.001"], threat__tactic__name=["Initial Access"])


def test_ot_events_have_their_own_datasets_and_function_names() -> None:
    modbus = {
        "id": 1,
        "request": {"unit_id": 4, "function_raw": 5, "function_code": "WrSingleCoil", "write": {"address": 1, "data": 1}},
    }
    event = parse_eve(_BASE | {"event_type": "modbus", "modbus": modbus})
    _subset(event, event__dataset="ot.modbus", event__action="WrSingleCoil", event__code="5", network__protocol="modbus")
    assert event["suricata.eve.modbus.request.write.address"] == 1
    dnp3 = {"type": "request", "src": 3, "dst": 2, "application": {"function_code": 13, "objects": []}}
    event = parse_eve(_BASE | {"event_type": "dnp3", "dnp3": dnp3})
    _subset(event, event__dataset="ot.dnp3", event__action="cold_restart", event__code="13")


def test_fileinfo() -> None:
    fileinfo = {"filename": "\\\\srv\\share\\PSEXESVC.EXE", "size": 9, "md5": "m", "sha1": "s", "sha256": "d" * 64, "stored": True}
    event = parse_eve(_BASE | {"event_type": "fileinfo", "app_proto": "smb", "fileinfo": fileinfo})
    _subset(event, file__name="PSEXESVC.EXE", file__extension="exe", file__size=9, file__hash__sha256="d" * 64)
    assert "client.ip" not in event, "the addresses of fileinfo follow the file, not the connection"


def test_parse_keeps_the_original_and_refuses_other_things() -> None:
    raw = json.dumps(_BASE | {"event_type": "flow"}).encode()
    assert parse(RawRecord("s", "eve", 0, "eve.json", raw))[0]["event.original"] == raw.decode()
    for bad in (b"", b"{", b"[]", b"{}", b'"x"', b"\xff\xfe", b'{"event_type": 5}', b"[" * 5000):
        with pytest.raises(ParseError, match=r"eve\.json"):
            parse(RawRecord("s", "eve", 0, "eve.json", bad))
        with pytest.raises(ParseError, match="stored file"):
            parse_stored(RawRecord("s", "file-stored", 0, "store", bad))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_sections = st.sampled_from(sorted(SECTIONS))
_inner_keys = st.sampled_from(
    [
        *("answers", "queries", "query", "grouped", "rrname", "url", "hostname", "ja3", "version", "metadata", "request", "src_ip"),
        *("application", "function_code", "filename", "signature_id", "start", "bytes_toserver", "client", "mitre_technique_id"),
        *("rcpt_to", "attachment", "ntlmssp", "http_port"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(_sections, _json | st.dictionaries(_inner_keys, _json, max_size=6)),
    _json,
    _json,
    st.sampled_from(["alert", "dns", "flow", "x"]),
)
def test_whatever_the_shape_it_becomes_a_conforming_event(sections: dict[str, Any], address: Any, stamp: Any, kind: str) -> None:
    event = parse_eve(sections | {"event_type": kind, "src_ip": address, "timestamp": stamp, "vlan": address, "files": [stamp]})
    conform(event, 1_700_000_000_000_000, {})
    for field, value in event.items():
        flat = value if isinstance(value, list) else [value]
        assert all(isinstance(one, (str, int, float, bool)) for one in flat), field
