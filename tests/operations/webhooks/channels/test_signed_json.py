"""Standard Webhooks and CloudEvents: what arrives, checked by a receiver of our own making and by the reference library."""

from __future__ import annotations

import json

import pytest
from standardwebhooks import Webhook

from operations.errors import Invalid
from operations.webhooks import signing
from tests.operations.webhooks.bench import Bench
from tests.operations.webhooks.receivers import HttpReceiver, standard_ok


def test_sm3_stands_beside_sha256_and_both_verify(bench: Bench, http: HttpReceiver) -> None:
    _, secret = bench.target("standard", http.url(), settings={"sm3": True})
    bench.tell()
    assert bench.send().delivered == 1
    [(_, headers, body)] = http.requests
    assert standard_ok(secret, headers, body, "v1")
    assert standard_ok(secret, headers, body, "v1sm3")
    assert not standard_ok(secret, headers, body + b" ", "v1sm3")
    Webhook(secret).verify(body, headers)  # the reference library passes over what it does not know


def test_without_sm3_there_is_one_signature(bench: Bench, http: HttpReceiver) -> None:
    _, secret = bench.target("standard", http.url())
    bench.tell()
    bench.send()
    [(_, headers, body)] = http.requests
    assert headers["webhook-signature"].count(",") == 1
    assert standard_ok(secret, headers, body)


def test_a_cloud_event_has_what_the_specification_requires(bench: Bench, http: HttpReceiver) -> None:
    _, secret = bench.target("cloudevents", http.url(), settings={"sm3": True})
    bench.tell(rule_name="蚁剑 Webshell")
    http.answers = [(500, {}, b""), (204, {}, b"")]
    bench.send()
    bench.later()
    assert bench.send().delivered == 1
    (_, headers, body), (_, again, same) = http.requests
    assert standard_ok(secret, headers, body)
    assert standard_ok(secret, headers, body, "v1sm3")
    event = json.loads(body)
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "liandun.alert.created", "7")
    assert event["id"] == headers["webhook-id"] == again["webhook-id"]
    assert event["source"]
    assert event["data"]["rule_name"] == "蚁剑 Webshell"
    assert event["time"].endswith("Z")
    assert all(name.isalnum() and name.islower() for name in event if name != "data")  # 3.1: names of attributes
    assert body == same


def test_signatures_are_verified_as_a_receiver_must(bench: Bench) -> None:
    secret = signing.new_secret()
    both = signing.headers(secret, "msg_1", 1795408800, b"{}", sm3=True)["webhook-signature"]
    v1, sm3 = both.split(" ")
    for good in (both, v1, sm3, f"v1a,xyz {sm3}", f"v1,%%% {v1}"):
        assert signing.verifies(secret, "msg_1", 1795408800, b"{}", good)
    for bad in ("", "v1,", v1.replace("v1,", "v1sm3,"), sm3.replace("v1sm3,", "v1,"), v1[:-4], "v1 " + v1[3:], "x " * 40 + v1):
        assert not signing.verifies(secret, "msg_1", 1795408800, b"{}", bad)
    assert not signing.verifies(secret, "msg_2", 1795408800, b"{}", v1)
    assert not signing.verifies(secret, "msg_1", 1795408801, b"{}", v1)
    assert not signing.verifies(signing.new_secret(), "msg_1", 1795408800, b"{}", v1)


@pytest.mark.parametrize(
    ("kind", "settings", "secret", "field"),
    [
        ("standard", {"sm3": "yes"}, "", "settings.sm3"),
        ("standard", {"colour": 1}, "", "settings"),
        ("standard", {"ca": "no certificate"}, "", "settings.ca"),
        ("standard", {}, "mine", "secret"),
        ("wecom", {}, "mine", "secret"),
        ("dingtalk", {"language": "fr"}, "", "settings.language"),
        ("dingtalk", {}, "two\nlines", "secret"),
        ("fax", {}, "", "kind"),
    ],
)
def test_what_a_kind_does_not_know_is_refused(
    bench: Bench, kind: str, settings: dict[str, object], secret: str, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        bench.target(kind, "http://127.0.0.1:9/", settings=settings, secret=secret)
    assert refusal.value.field == field
