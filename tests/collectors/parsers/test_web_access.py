# ruff: noqa: E501 - tables of raw log lines
"""Web and proxy logs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.parsers import PARSERS
from kernel.errors import ParseError
from kernel.event import Event, conform
from kernel.record import RawRecord

RECEIVED = 1_795_400_000_000_000


def parse(raw: str, origin: str = "test") -> Event:
    return conform(PARSERS["web-access"](RawRecord("test", "web-access", RECEIVED, origin, raw.encode()))[0], RECEIVED, {})


def test_combined() -> None:
    event = parse(
        '2001:db8::5 - ann [08/Jun/2020:06:49:01 +0800] "POST /up/x.PHP?a=b%20c HTTP/1.1" 200 803 "http://r/" "Mozilla \\"x\\""'
    )
    expected = {
        "@timestamp": "2020-06-07T22:49:01.000000Z",
        "event.dataset": "web.access",
        "event.outcome": "success",
        "source.ip": "2001:db8::5",
        "user.name": "ann",
        "http.request.method": "POST",
        "url.original": "/up/x.PHP?a=b%20c",
        "url.path": "/up/x.PHP",
        "url.query": "a=b%20c",
        "url.extension": "php",
        "http.response.status_code": 200,
        "http.response.bytes": 803,
        "http.request.referrer": "http://r/",
        "user_agent.original": 'Mozilla \\"x\\"',
        "http.version": "1.1",
    }
    assert {field: event.get(field) for field in expected} == expected


def test_common_with_virtual_host_and_module_by_file_name() -> None:
    event = parse('website.com:443 192.0.2.4 - - [25/Oct/2021:11:05:52 +0200] "GET / HTTP/1.1" 403 -', "/var/log/nginx/access.log")
    assert (event["url.domain"], event["source.ip"], event["event.outcome"]) == ("website.com", "192.0.2.4", "failure")
    assert event["event.module"] == "nginx"


def test_a_request_that_is_no_http_is_kept() -> None:
    event = parse('1.2.3.4 - - [29/Jul/2023:10:26:06 -0700] "\\x16\\x03\\x01" 400 157 "-" "-"')
    assert event["url.original"] == "\\x16\\x03\\x01"
    assert "http.request.method" not in event


def test_iis_with_and_without_directive() -> None:
    line = "2026-11-22 08:00:00 10.0.0.1 GET /owa/x.aspx cmd=whoami 443 - 192.0.2.8 Mozilla/5.0+(X11) - 500 0 0 15"
    told = parse(f"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n{line}")  # fmt: skip
    guessed = parse(line)
    assert told == guessed
    assert (told["url.original"], told["source.ip"], told["destination.port"]) == ("/owa/x.aspx?cmd=whoami", "192.0.2.8", 443)
    assert (told["user_agent.original"], told["event.module"], told["event.original"]) == ("Mozilla/5.0 (X11)", "iis", line)
    assert told["event.duration"] == 15_000_000


def test_w3c_line_of_other_length_is_refused() -> None:
    with pytest.raises(ParseError, match="2 values for 3 fields at test"):
        parse("#Fields: date time c-ip\na b")


def test_squid() -> None:
    event = parse(
        "1286536309.586    921 192.168.0.68 TCP_MISS/200 507 POST http://c2.example:8080/a?b - DIRECT/203.0.113.3 text/html"
    )
    assert (event["event.dataset"], event["url.domain"], event["url.port"]) == ("proxy.access", "c2.example", 8080)
    assert (event["destination.ip"], event["http.response.status_code"]) == ("203.0.113.3", 200)


def test_error_logs() -> None:
    nginx = parse(
        '2021/09/30 09:23:53 [error] 19#19: *17 user "foo" was not found in "/a", client: 192.0.2.1, server: _, request: "GET /x HTTP/1.1", host: "h"'
    )
    assert (nginx["event.dataset"], nginx["user.name"], nginx["url.path"], nginx["event.outcome"]) == (
        "web.error",
        "foo",
        "/x",
        "failure",
    )
    apache = parse(
        "[Thu Oct 13 12:24:49.880562 2022] [auth_basic:error] [pid 10:tid 14] [client 192.0.2.2:50229] AH01618: user sss not found: /"
    )
    assert (apache["user.name"], apache["source.port"], apache["@timestamp"]) == ("sss", 50229, "2022-10-13T12:24:49.880562Z")


def test_haproxy() -> None:
    event = parse(
        '192.0.2.9:14853 [14/Jan/2015:12:48:57.127] https-in~ be/node 170/0/0/3/173 200 739 - - --NN 0/0/0/0/0 0/0 "GET /x HTTP/1.1"'
    )
    assert (event["source.ip"], event["url.path"], event["http.response.status_code"]) == ("192.0.2.9", "/x", 200)


def test_other_text_is_refused() -> None:
    with pytest.raises(ParseError, match="not a web log line at test"):
        parse("hello")


@given(st.text(max_size=120))
def test_any_request_is_read(request_line: str) -> None:
    clean = request_line.replace("\\", "").replace('"', "").replace("\n", "").replace("\r", "")
    event = parse(f'192.0.2.1 - - [08/Jun/2020:06:49:01 +0000] "{clean}" 200 1 "-" "-"')
    assert event["http.response.status_code"] == 200
