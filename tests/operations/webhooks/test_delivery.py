"""What the outbox promises: nothing lost, the same id, Retry-After, circuit breaker, dead letters, and a sender that is killed."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from kernel.db import Database
from operations import clock
from operations.audit import service as audit
from operations.errors import NotFound
from operations.webhooks import breaker, service
from operations.webhooks.channels import network
from operations.webhooks.channels.network import MAX_RETRY_AFTER, retry_after
from operations.webhooks.guard import WebhookPolicy
from tests.operations.webhooks.bench import PATIENT, POLICY, Bench
from tests.operations.webhooks.receivers import HttpReceiver, standard_ok

ROOT = Path(__file__).resolve().parents[3]


def due_in(bench: Bench) -> float:
    """Seconds until the newest delivery is due."""
    return (clock.moment(bench.deliveries()[0].due_at) - clock.moment(clock.now())).total_seconds()


def ready_in(bench: Bench) -> float:
    with bench.database.read() as session:
        ready = session.execute(text("SELECT ready_at FROM webhook_targets")).scalar_one()
    return (clock.moment(ready) - clock.moment(clock.now())).total_seconds() if ready else 0.0


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_keeps_the_whole_target_away(bench: Bench, http: HttpReceiver, status: int) -> None:
    http.answers = [(status, {"Retry-After": "120"}, b""), (204, {}, b"")]
    bench.target("standard", http.url())
    bench.tell()
    assert bench.send().failed == 1
    assert 115 < due_in(bench) <= 121
    bench.tell()
    assert bench.send().delivered == 0
    assert 115 < ready_in(bench) <= 121
    assert len(http.requests) == 1
    bench.later()
    assert bench.send().delivered == 2


def test_the_wait_is_never_shorter_than_ours(bench: Bench, http: HttpReceiver) -> None:
    http.answers = [(503, {"Retry-After": "0"}, b"")]
    bench.target("standard", http.url())
    bench.tell()
    bench.send()
    assert 3 < due_in(bench) <= 6


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120), (" 7 ", 7), ("0", 0), ("99999999999", MAX_RETRY_AFTER),
        ("-5", None), ("1.5", None), ("", None), ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER),
        ("²", None), ("Fri, 99 Foo", None), ("Mon, 01 Jan 2020 00:00:00 +9999999999999999", None),
    ],
)  # fmt: skip
def test_retry_after_as_it_may_come(header: str, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_one_receiver_does_not_take_what_others_took_along(
    bench: Bench, http: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever an answer brings up in us, the outcomes of the round are written down: nobody gets messages again and again."""

    def odd(text: str) -> float | None:
        raise ArithmeticError(text)

    http.answers = [(204, {}, b""), (503, {"Retry-After": "odd"}, b"")]
    bench.target("standard", http.url())
    bench.tell()
    assert bench.send().delivered == 1
    monkeypatch.setattr(network, "retry_after", odd)
    bench.target("cloudevents", http.url())
    bench.tell()
    assert bench.send().failed == 2
    assert "not understood: ArithmeticError" in bench.error()


def test_the_breaker_opens_tries_with_one_and_closes(bench: Bench, http: HttpReceiver) -> None:
    http.answers = [(500, {}, b"")]
    patient = WebhookPolicy(allow=POLICY.allow, deadline=1.5, max_attempts=50)
    target, _ = bench.target("standard", http.url())
    for _ in range(3):
        bench.tell()
    for _ in range(breaker.AFTER):
        assert bench.state(target.id).paused_until == ""
        assert bench.send(patient).failed == 3
        with bench.database.write() as session:
            session.execute(text("UPDATE webhook_deliveries SET due_at = created_at"))
    assert bench.send(patient).failed == 0  # open: nobody is asked
    assert 20 < ready_in(bench) < 40
    assert bench.state(target.id).paused_until
    bench.later()
    before = len(http.requests)
    assert bench.send(patient).failed == 1  # one message tries
    assert len(http.requests) == before + 1
    assert 50 < ready_in(bench) < 70
    http.answers = [(204, {}, b"")]
    bench.later()
    assert bench.send(patient).delivered == 1
    assert bench.state(target.id).failures == 0
    bench.later()
    assert bench.send(patient).delivered == 2


def test_pauses_grow_to_ten_minutes() -> None:
    assert breaker.pause(breaker.AFTER - 1) == 0
    assert 27 <= breaker.pause(breaker.AFTER) <= 33
    assert 540 <= breaker.pause(10**6) <= 660


@pytest.mark.parametrize("act", ["test", "replay", "change"])
def test_a_person_who_acts_has_it_tried_at_once(bench: Bench, http: HttpReceiver, act: str) -> None:
    http.answers = [(204, {}, b"")]
    target, _ = bench.target("standard", http.url())
    bench.tell()
    with bench.database.write() as session:
        away = {"ready": clock.shift(clock.now(), 600)}
        session.execute(text("UPDATE webhook_targets SET failures = 9, ready_at = :ready"), away)
    assert bench.send().delivered == 0
    with bench.database.write() as session:
        if act == "test":
            service.send_test(session, bench.who.actor, target.id)
        elif act == "replay":
            service.replay(session, bench.who.actor, 1)
        else:
            service.change_target(session, bench.who.actor, target.id, name="mended", policy=POLICY)
    assert bench.send().delivered >= 1


def test_dead_letters_are_replayed_one_and_all(bench: Bench, http: HttpReceiver) -> None:
    http.answers = [(500, {}, b"")]
    target, secret = bench.target("standard", http.url())
    other, _ = bench.target("cloudevents", http.url("/other"))
    for _ in range(4):
        bench.tell()
    for _ in range(3):
        bench.later()
        bench.send()
    assert len(bench.deliveries(status="dead")) == 8
    first = {headers["webhook-id"] for path, headers, _ in http.requests if path == "/hook"}
    http.requests.clear()
    http.answers = [(204, {}, b"")]
    with bench.database.write() as session:
        assert service.replay_dead(session, bench.who.actor, target.id) == 4
        assert service.replay_dead(session, bench.who.actor, target.id) == 0
        with pytest.raises(NotFound):
            service.replay_dead(session, bench.who.actor, 99)
    assert bench.send().delivered == 4
    assert {headers["webhook-id"] for _, headers, _ in http.requests} == first
    assert all(standard_ok(secret, headers, body) for _, headers, body in http.requests)
    assert len(bench.deliveries(status="dead")) == 4
    with bench.database.read() as session:
        [entry] = audit.listing(session, action="webhook.replay_all").entries
        assert (entry.object_id, entry.detail) == (str(target.id), {"deliveries": 4})
        assert service.list_deliveries(session, other.id, status="dead").deliveries


def test_the_log_is_paged(bench: Bench) -> None:
    target, _ = bench.target("standard", "http://127.0.0.1:9/")
    for _ in range(7):
        bench.tell()
    seen: list[int] = []
    cursor = ""
    while True:
        with bench.database.read() as session:
            page = service.list_deliveries(session, target.id, status="pending", limit=3, cursor=cursor)
        seen += [delivery.id for delivery in page.deliveries]
        cursor = page.cursor
        if not cursor:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 7


@pytest.mark.parametrize("kind", ["standard", "dingtalk", "mail", "cef"])
def test_a_name_that_changes_its_answer_leads_nowhere(
    bench: Bench, http: HttpReceiver, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the check sees a public address, and a second look-up would find an inner one. There is no second look-up."""
    asked: list[str] = []
    real, connect = socket.getaddrinfo, socket.create_connection
    went: list[Any] = []

    def getaddrinfo(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host != "rebind.example":
            return real(host, port, *args, **more)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port, *args, **more)

    def create_connection(address: tuple[str, int], *args: Any, **more: Any) -> socket.socket:
        went.append(address[0])
        return connect(address, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    port = http.server_address[1]
    scheme = {"mail": "smtp", "cef": "tls"}.get(kind, "http")
    settings = {"from": "a@b.example", "to": ["c@d.example"]} if kind == "mail" else {}
    bench.target(kind, f"{scheme}://rebind.example:{port}", settings=settings)
    bench.tell()
    bench.send()
    assert asked == ["rebind.example"]
    assert set(went) <= {"127.0.0.1"}


@pytest.mark.parametrize("kind", ["standard", "feishu", "mail", "leef"])
def test_no_kind_reaches_an_inner_address_that_is_not_listed(bench: Bench, http: HttpReceiver, kind: str) -> None:
    scheme = {"mail": "smtp", "leef": "tls"}.get(kind, "http")
    settings = {"from": "a@b.example", "to": ["c@d.example"]} if kind == "mail" else {}
    bench.target(kind, f"{scheme}://127.0.0.1:{http.server_address[1]}", settings=settings)
    bench.tell()
    bench.send(WebhookPolicy(deadline=1.5))
    assert "not a public address" in bench.error()
    assert http.requests == []


KILLED = """
import sys
import threading
from kernel.db import open_database
from tests.operations.webhooks.bench import KEY, PATIENT
from operations.webhooks.sender import deliver_due
database = open_database(sys.argv[1])
print("up", flush=True)
while True:
    deliver_due(database, KEY, PATIENT)
"""


@pytest.mark.parametrize("kind", ["standard", "dingtalk"])
def test_a_sender_that_is_killed_again_and_again_loses_nothing(
    bench: Bench, database: Database, http: HttpReceiver, kind: str
) -> None:
    http.answers = [(200, {}, b'{"errcode":0}')]
    bench.target(kind, http.url())
    total = 120
    for number in range(total):
        bench.tell(host=f"host-{number:03d}.")
    url = database.engine.url.render_as_string(hide_password=False)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for turn in range(4):
        process = subprocess.Popen([sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, env=environment, cwd=ROOT)
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        time.sleep(0.05 + 0.07 * turn)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        bench.later()
    for _ in range(20):
        bench.send(PATIENT)
        bench.later()
    assert len(bench.deliveries(status="delivered", limit=500)) == total
    arrived = b"\n".join(body for _, _, body in http.requests).decode()
    if kind == "standard":
        ids = [headers["webhook-id"] for _, headers, _ in http.requests]
        assert len(set(ids)) == total
        bodies = {(headers["webhook-id"], body) for _, headers, body in http.requests}
        assert len(bodies) == total  # a repetition is the same message
        assert all(f"host-{number:03d}." in arrived for number in range(total))
    else:
        assert http.requests


@pytest.mark.parametrize("kind", ["standard", "dingtalk"])
def test_two_senders_at_the_same_time_send_nothing_twice_and_keep_the_rate(bench: Bench, http: HttpReceiver, kind: str) -> None:
    http.answers = [(200, {}, b'{"errcode":0}')]
    bench.target(kind, http.url())
    for _ in range(60):
        bench.tell()
    sent: list[int] = []

    def work() -> None:
        for _ in range(6):
            sent.append(bench.send(PATIENT).delivered)

    senders = [threading.Thread(target=work) for _ in range(3)]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join()
    assert sum(sent) == 60
    if kind == "standard":
        assert len({headers["webhook-id"] for _, headers, _ in http.requests}) == len(http.requests) == 60
    else:
        assert all(later - earlier >= 3 for earlier, later in itertools.pairwise(http.times))
