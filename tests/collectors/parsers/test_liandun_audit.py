"""The platform's audit entries as events: what rules that watch the platform read."""

from __future__ import annotations

import msgspec

from collectors.parsers import liandun_audit
from kernel.event import Event
from kernel.record import RawRecord


def read(**entry: object) -> Event:
    raw = msgspec.json.encode({"id": 7, "time": "2026-11-25T04:00:00Z", "actor": "li.na", "action": "key.create", **entry})
    return liandun_audit.parse(RawRecord("audit", "liandun-audit", 0, "", raw))[0]


def test_the_detail_of_an_entry_is_flat_beside_its_object() -> None:
    detail = {"before": {"role": "viewer"}, "after": {"role": "admin"}, "days": 30}
    event = read(object_type="account", object_id="zhou", detail=detail)
    assert event["liandun.audit.detail.before.role"] == "viewer"
    assert event["liandun.audit.detail.after.role"] == "admin"
    assert event["liandun.audit.detail.days"] == 30
    assert (event["event.action"], event["event.dataset"], event["user.name"]) == ("key-create", "liandun.audit", "li.na")


def test_a_login_belongs_to_the_account_that_was_named() -> None:
    tried = {"actor": "guest", "object_id": "li.na", "result": "denied", "address": "2001:db8::7"}
    event = read(action="session.login", **tried, detail={"reason": "locked"})
    assert (event["event.dataset"], event["event.action"], event["event.outcome"]) == ("liandun.auth", "login", "failure")
    assert (event["user.name"], event["source.ip"]) == ("li.na", "2001:db8::7")
    assert event["liandun.audit.detail.reason"] == "locked"
