"""Messages as a sender sends them: signature, time, replay, renewal, rate, and the alert that comes of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update
from standardwebhooks import Webhook

from crypto.errors import SecretError
from crypto.secret import MasterKey
from kernel.db import Database
from operations import clock
from operations.accounts.schema import Principal
from operations.alerts import service as alerts
from operations.alerts.models import Alert, AlertDetection
from operations.alerts.schema import AlertFilter
from operations.audit import service as audit
from operations.errors import Conflict, Invalid, NotFound, Stale
from operations.inbound import counting, service
from operations.inbound.models import InboundMessage, InboundSource
from operations.inbound.receiving import KEPT_SECONDS, forget, receive
from operations.inbound.schema import Headers, SourceRecord
from operations.reach import SESSION_KEY
from operations.webhooks import service as webhooks
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.models import WebhookDelivery
from operations.zones.models import ZoneRow
from tests.operations.inbound.sending import body, signed

KEY = MasterKey(b"0123456789abcdef")
Send = Callable[..., str]


@pytest.fixture
def zones(database: Database) -> None:
    with database.write() as session:
        for zone, owner in (("water-ot", "水务局"), ("water-office", "水务局"), ("traffic", "交通局")):
            session.add(
                ZoneRow(
                    id=zone, name=zone, name_en=zone, layer="perception", owner=owner, importance=3, ranges="[]", vlans="[]",
                    sensors="[]", internet="forbidden", admission="registered", changed_at=clock.now(), changed_by="t", version=1,
                )
            )  # fmt: skip


@pytest.fixture
def made(database: Database, alice: Principal, zones: None) -> tuple[SourceRecord, str]:
    with database.write() as session:
        return service.create(session, alice.actor, KEY, name="IDS", zone="water-ot", rate=600)


@pytest.fixture
def send(database: Database, made: tuple[SourceRecord, str]) -> Send:
    """``send(body, secret=…, to=…, message_id=…, at=…, scheme=…)`` → the outcome."""
    source, known = made

    def deliver(message: bytes | None = None, *, secret: str = known, to: str = source.public_id, **more: Any) -> str:
        message = body() if message is None else message
        sent = signed(secret, message, **more)
        headers = Headers(sent["webhook-id"], sent["webhook-timestamp"], sent["webhook-signature"])
        return receive(database, KEY, to, headers, message).outcome

    return deliver


def number(database: Database, model: Any = Alert) -> int:
    with database.read() as session:
        return session.execute(select(func.count()).select_from(model)).scalar_one()


def counts(database: Database, source: SourceRecord) -> dict[str, int]:
    with database.read() as session:
        return {count.outcome: count.number for count in service.get(session, source.id).counts if count.number}


def test_an_alert_with_all_that_hangs_on_it(database: Database, alice: Principal, made: Any, send: Send) -> None:
    policy = WebhookPolicy(allow=("127.0.0.0/8",))
    with database.write() as session:
        webhooks.create_target(session, alice.actor, KEY, name="chat", url="http://127.0.0.1:9/", policy=policy)
    assert send(body(source_ip="2001:db8::7", user="bob", fields={"port": 22})) == "accepted"
    assert send(body(source_ip="2001:db8::7", user="bob"), message_id="msg_2") == "accepted"  # the same matter
    with database.read() as session:
        (alert,) = session.execute(select(Alert)).scalars()
        assert (alert.engine, alert.rule_name, alert.level, alert.count) == ("inbound", "Port scan", "high", 2)
        assert (alert.host, alert.user, alert.source_ip) == ("fw-1", "bob", "2001:db8::7")
        (delivery,) = session.execute(select(WebhookDelivery)).scalars()
        assert delivery.event_type == "alert.created"
        assert '"engine":"inbound"' in delivery.body
    assert counts(database, made[0]) == {"accepted": 2}


def test_only_people_of_the_zone_see_it(database: Database, send: Send) -> None:
    send()
    for zone, seen in (("water-ot", 1), ("traffic", 0), ("water-office", 0)):
        with database.carrying({SESSION_KEY: frozenset({zone})}).read() as session:
            assert len(alerts.matching_ids(session, AlertFilter(), 10)) == seen, zone


@pytest.mark.parametrize("scheme", ["v1", "v1sm3"])
def test_both_schemes(send: Send, scheme: str) -> None:
    assert send(scheme=scheme) == "accepted"


def test_the_package_of_the_specification_signs(database: Database, made: tuple[SourceRecord, str]) -> None:
    source, secret = made
    message, moment = body(), datetime.now(UTC)
    signature = Webhook(secret).sign("msg_p", moment, message.decode())
    headers = Headers("msg_p", str(int(moment.timestamp())), f"v1,AAAA v1a,x {signature}")
    assert receive(database, KEY, source.public_id, headers, message).outcome == "accepted"


def test_the_same_id_again_is_acknowledged_and_changes_nothing(database: Database, made: Any, send: Send) -> None:
    assert [send(), send(), send(body(title="another"))] == ["accepted", "repeated", "repeated"]
    assert (number(database), number(database, AlertDetection)) == (1, 1)
    assert counts(database, made[0]) == {"accepted": 1, "repeated": 2}


def test_once_its_id_is_forgotten_it_still_counts_once(database: Database, send: Send) -> None:
    send()
    with database.write() as session:
        session.execute(update(InboundMessage).values(seen_at=clock.shift(clock.now(), -KEPT_SECONDS - 5)))
        forget(session)
    assert number(database, InboundMessage) == 0
    assert send() == "accepted"
    assert number(database, AlertDetection) == 1


@pytest.mark.parametrize(("skew", "outcome"), [(-290, "accepted"), (290, "accepted"), (-310, "time"), (310, "time")])
def test_skew(send: Send, skew: int, outcome: str) -> None:
    assert send(at=time.time() + skew) == outcome


def test_wrong_signatures(database: Database, alice: Principal, made: tuple[SourceRecord, str], send: Send) -> None:
    source, secret = made
    with database.write() as session:
        other, foreign = service.create(session, alice.actor, KEY, name="other")
    assert send(secret=foreign) == "signature"
    assert send(to=other.public_id) == "signature"
    assert send(to="in_" + "0" * 32) == send(to="") == send(to="in_\0") == "unknown"
    message = body()
    good = signed(secret, message)
    tries = [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": good["webhook-signature"].replace("v1,", "v2,")},
        {"webhook-signature": good["webhook-signature"].replace("v1,", "v1sm3,")},
        {"webhook-signature": "v1,é"},
        {"webhook-id": "msg_9"},
        {"webhook-id": ""},
        {"webhook-id": "x" * 257},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "+" + good["webhook-timestamp"]},
        {"webhook-timestamp": "0" + good["webhook-timestamp"]},
        {"webhook-timestamp": "9" * 400},
    ]
    for wrong in tries:
        sent = good | wrong
        headers = Headers(sent["webhook-id"], sent["webhook-timestamp"], sent["webhook-signature"])
        assert receive(database, KEY, source.public_id, headers, message).outcome == "signature", wrong
    headers = Headers(*good.values())
    assert receive(database, KEY, source.public_id, headers, message + b" ").outcome == "signature"
    assert number(database) == 0
    with pytest.raises(SecretError):
        receive(database, MasterKey(b"fedcba9876543210"), source.public_id, headers, message)


def test_a_renewed_secret(database: Database, alice: Principal, made: tuple[SourceRecord, str], send: Send) -> None:
    source, first = made
    with database.write() as session:
        second = service.renew(session, alice.actor, KEY, source.id)
    assert (send(secret=first, message_id="a"), send(secret=second, message_id="b")) == ("accepted", "accepted")
    with database.write() as session:
        assert service.get(session, source.id).previous_until
        session.execute(update(InboundSource).values(previous_until=clock.shift(clock.now(), -1)))
    assert (send(secret=first, message_id="c"), send(secret=second, message_id="d")) == ("signature", "accepted")
    with database.write() as session:
        forget(session)
        assert session.get(InboundSource, source.id).sealed_previous == ""  # type: ignore[union-attr]
        third = service.renew(session, alice.actor, KEY, source.id)
        service.end_previous(session, alice.actor, source.id)
    assert (send(secret=second, message_id="e"), send(secret=third, message_id="f")) == ("signature", "accepted")
    with database.read() as session:
        rows = [row for row in audit.since(session, 0) if row.action.startswith("inbound.")]
        told = " ".join(str(row) for row in rows)
    assert [row.action for row in rows] == ["inbound.create", *["inbound.renew"] * 3]
    assert not any(secret in told for secret in (first, second, third))


def test_equal_messages_at_once_make_one_alert(database: Database, made: Any, send: Send) -> None:
    message, outcomes = body(), list[str]()
    barrier = threading.Barrier(8)

    def go() -> None:
        barrier.wait()
        outcomes.append(send(message))

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["accepted", *["repeated"] * 7]
    assert (number(database), number(database, AlertDetection)) == (1, 1)
    assert counts(database, made[0]) == {"accepted": 1, "repeated": 7}


def test_a_source_that_is_switched_off(database: Database, alice: Principal, made: Any, send: Send) -> None:
    with database.write() as session:
        service.change(session, alice.actor, made[0].id, enabled=False)
    assert (send(), send(secret="whsec_AAAA")) == ("disabled", "signature")
    assert number(database) == 0


def test_too_many(database: Database, alice: Principal, made: Any, send: Send) -> None:
    with database.write() as session:
        service.change(session, alice.actor, made[0].id, rate=3)
    assert [send(message_id=f"m{n}") for n in range(5)] == ["accepted", "accepted", "accepted", "rate", "rate"]
    message, secret = body(), made[1]
    answer = receive(database, KEY, made[0].public_id, Headers(*signed(secret, message, message_id="m3").values()), message)
    assert (answer.outcome, 1 <= answer.retry_after <= 20) == ("rate", True)
    with database.write() as session:
        session.execute(update(InboundSource).values(allowance_at=clock.shift(clock.now(), -21)))
    assert [send(message_id="m3"), send(message_id="m4")] == ["accepted", "rate"]  # what was refused is not taken for seen


def test_a_body_that_does_not_fit_may_be_mended(database: Database, made: Any, send: Send) -> None:
    assert [send(body(level="x")), send()] == ["body", "accepted"]
    assert counts(database, made[0]) == {"accepted": 1, "body": 1}


def test_nothing_is_acknowledged_that_is_not_committed(database: Database, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("the disk")

    with monkeypatch.context() as broken:
        broken.setattr("operations.alerts.record.announce_alerts", fails)
        with pytest.raises(RuntimeError):
            send()
    assert (number(database), number(database, InboundMessage)) == (0, 0)
    assert send() == "accepted"


def test_refusals_are_counted_with_few_writes(database: Database, made: Any) -> None:
    waiting = counting.Refusals()
    for _ in range(50):
        waiting.add(database, made[0].id, "signature")
    assert counts(database, made[0]) == {"signature": 1}
    waiting.write(database)
    assert counts(database, made[0]) == {"signature": 50}
    waiting.add(database, 999, "time")  # a source that is gone
    waiting.write(database)


def test_sources(database: Database, alice: Principal, made: Any) -> None:
    source = made[0]
    assert (source.organisation, source.version, source.enabled) == ("水务局", 1, True)
    with database.write() as session:
        with pytest.raises(Stale):
            service.change(session, alice.actor, source.id, name="x", expected_version=9)
        moved = service.change(session, alice.actor, source.id, zone="traffic", expected_version=1)
        assert (moved.organisation, moved.version) == ("交通局", 2)
        assert service.change(session, alice.actor, source.id, zone="traffic").version == 2
        assert service.change(session, alice.actor, source.id, zone="").organisation == ""
    wrong = (
        {"name": " "}, {"name": "x" * 129}, {"zone": "nowhere"}, {"organisation": "交通局"},
        {"zone": "traffic", "organisation": "水务局"}, {"max_level": "x"}, {"rate": 0}, {"rate": 6001},
    )  # fmt: skip
    for one in wrong:
        with database.write() as session, pytest.raises(Invalid):
            service.create(session, alice.actor, KEY, **{"name": "x"} | one)
    with database.write() as session:
        service.remove(session, alice.actor, source.id)
        with pytest.raises(NotFound):
            service.get(session, source.id)
        for n in range(service.MAX_SOURCES):
            service.create(session, alice.actor, KEY, name=f"s{n}")
        with pytest.raises(Conflict):
            service.create(session, alice.actor, KEY, name="one more")
