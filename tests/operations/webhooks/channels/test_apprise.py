"""Apprise as a channel: its real library, in its own process, against receivers on loopback."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from operations.errors import Invalid
from operations.webhooks import service
from operations.webhooks.channels.apprise import redacted
from operations.webhooks.channels.apprise_schemes import FIXED, HOSTED
from operations.webhooks.guard import WebhookPolicy
from tests.operations.webhooks.bench import KEY, Bench
from tests.operations.webhooks.receivers import Authority, HttpReceiver

LOOPBACK = WebhookPolicy(allow=("127.0.0.0/8",), deadline=30.0, max_attempts=3)
ABROAD = WebhookPolicy(allow=("192.0.2.0/24",), deadline=30.0, max_attempts=3)
TOKEN = "AbCdEfGhIjKlMnO"


def place(http: HttpReceiver, scheme: str, path: str = "", host: str = "127.0.0.1") -> str:
    return f"{scheme}://{host}:{http.server_address[1]}/{path}"


@pytest.mark.parametrize(
    ("scheme", "path", "sent_to", "field"),
    [
        ("json", "T0ken", "/T0ken", "message"),
        ("gotify", TOKEN, "/message", "message"),
        ("ntfy", "alerts", "/", "message"),
        ("mmost", "3ccdd113474722377935511fc85d3dd4", "/hooks/3ccdd113474722377935511fc85d3dd4", "text"),
    ],
)
def test_what_a_service_gets(bench: Bench, http: HttpReceiver, scheme: str, path: str, sent_to: str, field: str) -> None:
    http.answers = [(200, {}, b"{}")]
    bench.target("apprise", place(http, scheme, path), settings={"language": "en"})
    bench.tell(host="web-1", rule_name="<!channel> @everyone")
    assert bench.send(LOOPBACK).delivered == 1, bench.error()
    [(asked, _, body)] = http.requests
    assert asked.partition("?")[0] == sent_to
    told = json.loads(body)[field]
    assert told.startswith("[high] New alert: ＜!channel＞ ＠everyone")
    assert "Host: web-1" in told


def test_what_came_together_goes_as_one_text(bench: Bench, http: HttpReceiver) -> None:
    bench.target("apprise", place(http, "json"))
    for number in range(3):
        bench.tell(host=f"h{number}")
    assert bench.send(LOOPBACK).delivered == 3
    assert "合并 3 条通知" in json.loads(http.requests[0][2])["message"]


@pytest.mark.parametrize(
    ("scheme", "answer", "error"),
    [
        ("json", (500, {}, b"broken"), "HTTP 500"),
        ("json", (302, {"Location": "http://127.0.0.1:1/"}, b""), "HTTP 302: redirects are not followed"),
        ("json", (200, {}, b'{"ok": false, "error": "no"}'), "the service refused it"),
        ("json", (200, {}, b'{"errcode": 310000}'), "the service refused it"),
        ("bark", (200, {}, b'{"code": 400, "message": "failed to get device token"}'), "code 400: failed to get"),
        ("bark", (200, {}, b"<html>Log in</html>"), "the answer is not the service's"),
        ("pushdeer", (200, {}, b'{"code": 80501, "error": "no such key"}'), "code 80501: no such key"),
    ],
)
def test_what_is_refused_has_failed_whatever_apprise_says(
    bench: Bench, http: HttpReceiver, scheme: str, answer: Any, error: str
) -> None:
    http.answers = [answer]
    bench.target("apprise", place(http, scheme, "T0kenT0ken"))
    bench.tell()
    assert bench.send(LOOPBACK).failed == 1
    assert bench.error().startswith(error)
    assert len(http.requests) == 1


def test_later_is_kept(bench: Bench, http: HttpReceiver) -> None:
    http.answers = [(429, {"Retry-After": "600"}, b"")]
    target, _ = bench.target("apprise", place(http, "json"))
    bench.tell()
    bench.send(LOOPBACK)
    with bench.database.read() as session:
        assert session.execute(text("SELECT ready_at FROM webhook_targets")).scalar_one() > target.created_at


def test_a_name_that_leads_inside_is_not_connected_to(bench: Bench, http: HttpReceiver) -> None:
    bench.target("apprise", place(http, "json", host="localhost"))
    bench.tell()
    assert bench.send(ABROAD).failed == 1
    assert "not a public address" in bench.error()
    assert http.requests == []


def test_plain_http_goes_to_listed_networks_only(bench: Bench) -> None:
    """192.0.2.7 is listed there and reached by no one; 198.51.100.7 is neither."""
    for url in ("json://198.51.100.7/x", "json://169.254.169.254/latest", "jsons://10.0.0.1/x", "json://[::1]/x"):
        with pytest.raises(Invalid) as refusal:
            bench.target("apprise", url)
        assert refusal.value.field == "url"


def test_a_certificate_that_is_nobodys_is_refused_and_an_own_authority_is_trusted(bench: Bench, authority: Authority) -> None:
    server = HttpReceiver()
    server.socket = authority.context.wrap_socket(server.socket, server_side=True)
    try:
        url = f"jsons://127.0.0.1:{server.server_address[1]}/x"
        bench.target("apprise", url)
        bench.tell()
        assert bench.send(LOOPBACK).failed == 1
        assert server.requests == []
        with bench.database.write() as session:
            target = service.list_targets(session)[0]
            service.change_target(session, bench.who.actor, target.id, settings={"ca": authority.pem}, policy=LOOPBACK)
        bench.later()
        assert bench.send(LOOPBACK).delivered == 1, bench.error()
        assert len(server.requests) == 1
    finally:
        server.shutdown()
        server.server_close()


def drip(server: socket.socket) -> None:
    """Answers with one header line after the other, without end: no timeout of a socket notices."""
    with contextlib.suppress(OSError):
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                connection.sendall(b"X-More: y\r\n")
                time.sleep(0.3)


def test_a_receiver_that_drips_is_left_at_the_deadline(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=(server,), daemon=True).start()
        bench.target("apprise", f"json://127.0.0.1:{server.getsockname()[1]}/x")
        bench.tell()
        start = time.monotonic()
        assert bench.send(WebhookPolicy(allow=("127.0.0.0/8",), deadline=8.0)).failed == 1
        assert time.monotonic() - start < 14
        assert bench.error() == "no answer within 8 s"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "gnome://",
            "dbus://",
            "windows://",
            "macosx://",
            "syslog://",
            "rsyslog://127.0.0.1",
            "mailto://u:p@127.0.0.1",
            "mqtt://h",
        ),
        *("dingtalk://token", "feishu://token", "https://hooks.slack.com/services/T/B/C", "file:///etc/passwd", "json", ""),
        *("json://127.0.0.1/?verify=no", "json://127.0.0.1/?redirect=yes", "slack://T1JJ3T3L2/A1BRTD4JD/x/?template=/etc/passwd"),
        *("json://127.0.0.1/\ud800", "json://127.0.0.1/a b", "json://127.0.0.1/" + "a" * 2048, "pover://x", "tgram://…"),
    ],
)
def test_urls_that_are_not_taken(bench: Bench, url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        bench.target("apprise", url)
    assert refusal.value.field == "url"
    assert len(url) < 12 or url.partition("://")[2] not in str(refusal.value)


def test_the_schemes_are_apprises(bench: Bench) -> None:
    from apprise import Apprise

    known = {
        one for told in Apprise().details()["schemas"] for one in (*(told["protocols"] or ()), *(told["secure_protocols"] or ()))
    }
    assert known >= FIXED
    assert known >= HOSTED | {one + "s" for one in HOSTED}


def test_the_url_is_sealed_and_nowhere_shown(
    bench: Bench, http: HttpReceiver, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    http.answers = [(403, {}, b"no: S3cretToken is unknown")]
    caplog.set_level(logging.DEBUG)
    port = http.server_address[1]
    target, _ = bench.target("apprise", f"json://someone:Passw0rd@127.0.0.1:{port}/S3cretToken")
    assert target.url == "json://…"
    bench.tell()
    assert bench.send(LOOPBACK).failed == 1
    assert http.requests[0][1]["authorization"].startswith("Basic ")
    [attempt] = bench.attempts()
    assert attempt.answer == "no: … is unknown"
    with bench.database.write() as session:
        renamed = service.change_target(
            session, bench.who.actor, target.id, key=KEY, url="json://…", name="renamed", policy=LOOPBACK
        )
        trail = str(session.execute(text("SELECT * FROM audit_entries")).all())
        rows = str(session.execute(text("SELECT * FROM webhook_targets")).all())
    assert renamed.name == "renamed"
    for place_ in (trail, rows, caplog.text):
        assert "S3cretToken" not in place_
        assert "Passw0rd" not in place_
    bench.later()
    bench.send(LOOPBACK)
    assert http.requests[1][0] == "/S3cretToken"


def test_redacting() -> None:
    assert redacted("tok%20en and tok en and abc", "tgram://tok%20en/abc") == "… and … and abc"
