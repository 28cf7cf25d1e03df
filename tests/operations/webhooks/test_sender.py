"""Sending to a real local receiver that accepts, fails, hangs, redirects, drips, floods and hangs up."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from crypto.secret import MasterKey
from kernel.db import Database
from kernel.detection import Detection
from operations import clock
from operations.accounts.schema import Principal
from operations.alerts.record import record_detections
from operations.audit import service as audit
from operations.errors import Conflict, Invalid, NotFound
from operations.webhooks import sender, service
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.schema import Sent

Make = Callable[..., Detection]
KEY = MasterKey(b"0123456789abcdef")
POLICY = WebhookPolicy(allow=("127.0.0.0/8",), deadline=2.0, max_attempts=3)


class Receiver(ThreadingHTTPServer):
    """Behaves as the path says; remembers what came."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        act = getattr(self, "act_" + self.path.strip("/").split("?")[0], None)
        if act:
            act()
        else:
            self.send_response(int(self.path.strip("/").split("?")[0]))
            self.end_headers()
            self.wfile.write(b"said \xff\x00 so")

    def act_hang(self) -> None:
        time.sleep(5)

    def act_drip(self) -> None:
        for _ in range(50):
            self.wfile.write(b"H")
            self.wfile.flush()
            time.sleep(0.1)

    def act_redirect(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.server.url("/200"))
        self.end_headers()

    def act_close(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")

    def act_nothing(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)

    def act_garbage(self) -> None:
        self.wfile.write(b"\x00\xffthis is not HTTP\r\n\r\n")

    def act_flood(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(2000):
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def target(database: Database, alice: Principal, url: str, min_level: str = "low") -> tuple[int, str]:
    with database.write() as session:
        record, secret = service.create_target(session, alice.actor, KEY, name="t", url=url, min_level=min_level, policy=POLICY)
    return record.id, secret


def send(database: Database) -> Sent:
    return sender.deliver_due(database, KEY, POLICY)


def later(database: Database) -> None:
    """Let the waits run out."""
    with database.write() as session:
        session.execute(text("UPDATE webhook_deliveries SET due_at = :now"), {"now": clock.shift(clock.now(), -1)})


def statuses(database: Database) -> list[tuple[str, int]]:
    with database.read() as session:
        return [(row.status, row.attempts) for row in service.list_deliveries(session).deliveries]


def last_error(database: Database) -> str:
    with database.read() as session:
        delivery = service.list_deliveries(session).deliveries[0]
        return service.list_attempts(session, delivery.id)[0].error


def test_a_new_alert_is_announced_and_the_signature_verifies(
    database: Database, alice: Principal, make: Make, receiver: Receiver
) -> None:
    _, secret = target(database, alice, receiver.url("/200?x=1"))
    with database.write() as session:
        [alert_id] = record_detections(session, [make(level="high", user__name="bob"), make(user__name="bob")]).new_alert_ids
    assert send(database) == Sent(delivered=1)
    [(path, headers, body)] = receiver.requests
    message = Webhook(secret).verify(body, headers)
    assert path == "/200?x=1"
    assert (message["type"], message["data"]["id"], message["data"]["user"], message["data"]["count"]) == (
        "alert.created",
        alert_id,
        "bob",
        2,
    )
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"bob", b"eve"), headers)
    assert send(database) == Sent()
    with database.write() as session:  # counting up is no news
        record_detections(session, [make(user__name="bob")])
    assert send(database) == Sent()


def test_levels_below_the_target_and_switched_off_targets_get_nothing(
    database: Database, alice: Principal, make: Make, receiver: Receiver
) -> None:
    high, _ = target(database, alice, receiver.url("/200"), "high")
    off, _ = target(database, alice, receiver.url("/200"))
    with database.write() as session:
        service.change_target(session, alice.actor, off, enabled=False, policy=POLICY)
        record_detections(session, [make(rule="a", level="medium"), make(rule="b", level="critical")])
    assert send(database) == Sent(delivered=1)
    assert json.loads(receiver.requests[0][2])["data"]["rule_id"] == "b"
    assert high


def test_an_alert_that_is_rolled_back_is_not_announced(
    database: Database, alice: Principal, make: Make, receiver: Receiver
) -> None:
    target(database, alice, receiver.url("/200"))

    def crash() -> None:
        with database.write() as session:
            record_detections(session, [make()])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()
    assert send(database) == Sent()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/500", "HTTP 500"),
        ("/404", "HTTP 404"),
        ("/redirect", "redirects are not followed"),
        ("/hang", "no answer within 2 s"),
        ("/drip", "no answer within 2 s"),
        ("/close", "RemoteProtocolError"),
        ("/nothing", "Error"),
        ("/garbage", "RemoteProtocolError"),
    ],
)
def test_failures_are_told_tried_again_and_end_in_the_dead_letters(
    database: Database, alice: Principal, receiver: Receiver, path: str, reason: str
) -> None:
    target_id, _ = target(database, alice, receiver.url(path))
    with database.write() as session:
        service.send_test(session, alice.actor, target_id)
    start = time.monotonic()
    assert send(database) == Sent(failed=1)
    assert time.monotonic() - start < 4
    assert reason in last_error(database)
    assert send(database) == Sent()  # not before its wait is over
    later(database)
    assert send(database) == Sent(failed=1)
    later(database)
    assert send(database) == Sent(dead=1)
    assert statuses(database) == [("dead", 3)]
    assert len({request[1]["webhook-id"] for request in receiver.requests}) == 1
    assert all(request[0] == path for request in receiver.requests)


def test_a_dead_letter_can_be_sent_again(database: Database, alice: Principal, receiver: Receiver) -> None:
    target_id, secret = target(database, alice, receiver.url("/500"))
    with database.write() as session:
        delivery = service.send_test(session, alice.actor, target_id)
    for _ in range(3):
        later(database)
        send(database)
    with database.write() as session:
        service.change_target(session, alice.actor, target_id, url=receiver.url("/204"), policy=POLICY)
        service.replay(session, alice.actor, delivery)
    assert send(database) == Sent(delivered=1)
    assert len({request[1]["webhook-id"] for request in receiver.requests}) == 1
    Webhook(secret).verify(receiver.requests[-1][2], receiver.requests[-1][1])


def test_a_flood_is_not_read(database: Database, alice: Principal, receiver: Receiver) -> None:
    target_id, _ = target(database, alice, receiver.url("/flood"))
    with database.write() as session:
        delivery = service.send_test(session, alice.actor, target_id)
    assert send(database) == Sent(delivered=1)
    with database.read() as session:
        [attempt] = service.list_attempts(session, delivery)
    assert attempt.answer == "x" * 2048


def test_gone_switches_the_target_off(database: Database, alice: Principal, receiver: Receiver) -> None:
    target_id, _ = target(database, alice, receiver.url("/410"))
    with database.write() as session:
        service.send_test(session, alice.actor, target_id)
    assert send(database) == Sent(dead=1)
    with database.read() as session:
        switched_off = service.get_target(session, target_id)
        assert (switched_off.enabled, switched_off.version) == (False, 2)  # an editor who saw it enabled is told
        assert audit.listing(session, action="webhook.disable").entries


def test_a_hanging_target_does_not_hold_up_the_others(database: Database, alice: Principal, make: Make, receiver: Receiver) -> None:
    target(database, alice, receiver.url("/hang"))
    target(database, alice, receiver.url("/200"))
    with database.write() as session:
        record_detections(session, [make(host=f"h{number}") for number in range(5)])
    start = time.monotonic()
    assert send(database) == Sent(delivered=5, failed=5)
    assert time.monotonic() - start < 4.5


def test_a_target_that_is_not_allowed_any_more_is_not_connected_to(
    database: Database, alice: Principal, receiver: Receiver
) -> None:
    target_id, _ = target(database, alice, receiver.url("/200"))
    with database.write() as session:
        service.send_test(session, alice.actor, target_id)
    assert sender.deliver_due(database, KEY, WebhookPolicy()) == Sent(failed=1)
    assert "not a public address" in last_error(database)
    assert receiver.requests == []


def test_the_environment_cannot_put_a_proxy_between(
    database: Database, alice: Principal, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    target_id, _ = target(database, alice, receiver.url("/200"))
    with database.write() as session:
        service.send_test(session, alice.actor, target_id)
    assert send(database) == Sent(delivered=1)


def test_a_sender_killed_after_claiming_leaves_it_for_the_next(database: Database, alice: Principal, receiver: Receiver) -> None:
    target_id, _ = target(database, alice, receiver.url("/200"))
    with database.write() as session:
        service.send_test(session, alice.actor, target_id)
    assert len(sender._claim(database, KEY, POLICY)) == 1
    assert send(database) == Sent()  # leased to the other one
    later(database)
    assert send(database) == Sent(delivered=1)


def test_another_master_key_is_told_not_sent(database: Database, alice: Principal, receiver: Receiver) -> None:
    target_id, _ = target(database, alice, receiver.url("/200"))
    with database.write() as session:
        service.send_test(session, alice.actor, target_id)
    assert sender.deliver_due(database, MasterKey(b"another key 1234"), POLICY) == Sent(failed=1)
    assert "master key" in last_error(database)
    with database.write() as session:
        secret = service.renew_secret(session, alice.actor, KEY, target_id)
    later(database)
    assert send(database) == Sent(delivered=1)
    Webhook(secret).verify(receiver.requests[0][2], receiver.requests[0][1])


def test_secrets_are_sealed(database: Database, alice: Principal, receiver: Receiver) -> None:
    _, secret = target(database, alice, receiver.url("/200"))
    with database.read() as session:
        stored = session.execute(text("SELECT sealed_secret FROM webhook_targets")).scalar_one()
        trail = str(session.execute(text("SELECT detail FROM audit_entries")).all())
    assert secret not in stored
    assert secret not in trail


def test_waits_grow() -> None:
    waits = [sender._wait(attempt) for attempt in range(1, 9)]
    assert waits == sorted(waits)
    assert 4 <= waits[0] <= 6
    assert sum(sender.WAITS) > 18 * 3600


def test_refusals(database: Database, alice: Principal) -> None:
    with database.write() as session:
        for wrong in ({"name": ""}, {"url": "http://10.0.0.1/"}, {"min_level": "huge"}):
            with pytest.raises(Invalid):
                service.create_target(session, alice.actor, KEY, **({"name": "x", "url": "https://example.com/"} | wrong))
        made, _ = service.create_target(session, alice.actor, KEY, name="x", url="https://example.com/")
        with pytest.raises(Conflict):
            service.change_target(session, alice.actor, made.id, name="y", expected_version=7)
        service.delete_target(session, alice.actor, made.id)
        with pytest.raises(NotFound):
            service.get_target(session, made.id)


def test_the_audit_trail_does_not_hold_the_token_of_a_url(database: Database, alice: Principal) -> None:
    with database.write() as session:
        made, _ = service.create_target(session, alice.actor, KEY, name="x", url="https://chat.example:8443/send/T0ken1?key=T0ken2")
        service.change_target(session, alice.actor, made.id, url="https://chat.example/send/T0ken3")
        service.delete_target(session, alice.actor, made.id)
        entries = audit.listing(session, object_type="webhook").entries
    assert len(entries) == 3
    assert "T0ken" not in str(entries)
    assert entries[-1].detail["url"] == "https://chat.example:8443/…"


@pytest.mark.parametrize("cursor", ["x", "²", "9" * 19])
def test_a_made_up_cursor_is_refused(database: Database, cursor: str) -> None:
    with database.read() as session, pytest.raises(Invalid):
        service.list_deliveries(session, cursor=cursor)


def test_a_name_service_that_hangs_for_one_target_does_not_hold_up_the_others(
    database: Database, alice: Principal, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: object, **more: object) -> object:
        asked.append(host)
        if host == "slow.example":
            time.sleep(POLICY.deadline + 0.5)
            raise socket.gaierror("no answer")
        return real(host, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    slow, _ = target(database, alice, "https://slow.example/")
    quick, _ = target(database, alice, receiver.url("/200"))
    with database.write() as session:
        for _ in range(sender.PER_TARGET):
            service.send_test(session, alice.actor, slow)
        service.send_test(session, alice.actor, quick)
    assert send(database) == Sent(delivered=1, failed=sender.PER_TARGET)
    assert sorted(asked) == ["127.0.0.1", "slow.example"]
