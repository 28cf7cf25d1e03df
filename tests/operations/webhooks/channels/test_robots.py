"""DingTalk, WeCom, Feishu against stand-ins that check as the providers do, and that say no in an answer of 200."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from operations import clock
from operations.errors import Conflict
from operations.webhooks import service
from tests.operations.webhooks.bench import KEY, POLICY, Bench
from tests.operations.webhooks.receivers import HttpReceiver, dingtalk_ok, feishu_ok

GOOD = {
    "dingtalk": {"errcode": 0, "errmsg": "ok"},
    "wecom": {"errcode": 0, "errmsg": "ok"},
    "feishu": {"code": 0, "msg": "success"},
}
PATHS = {
    "dingtalk": "/robot/send?access_token=T0ken",
    "wecom": "/cgi-bin/webhook/send?key=T0ken",
    "feishu": "/open-apis/bot/v2/hook/T0ken",
}
KINDS = sorted(GOOD)


def says(answer: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()


def text_in(kind: str, body: bytes) -> str:
    told = json.loads(body)
    return str(told["content"]["text"] if kind == "feishu" else told["text"]["content"])


@pytest.mark.parametrize("turn", range(8))  # base64 has "+" and "/" in most signatures, and not in all
def test_the_signature_of_dingtalk(bench: Bench, http: HttpReceiver, turn: int) -> None:
    http.answers = [says(GOOD["dingtalk"])]
    bench.target("dingtalk", http.url(PATHS["dingtalk"]), secret=f"SEC{turn}+/=&")
    bench.tell()
    assert bench.send().delivered == 1
    [(path, headers, body)] = http.requests
    assert path.startswith(PATHS["dingtalk"] + "&timestamp=")
    assert dingtalk_ok(f"SEC{turn}+/=&", path)
    assert not dingtalk_ok("SECother", path)
    assert headers["content-type"].startswith("application/json")
    assert json.loads(body)["msgtype"] == "text"


def test_the_signature_of_feishu(bench: Bench, http: HttpReceiver) -> None:
    http.answers = [says(GOOD["feishu"])]
    bench.target("feishu", http.url(PATHS["feishu"]), secret="s3cret")
    bench.tell()
    assert bench.send().delivered == 1
    [(path, _, body)] = http.requests
    assert path == PATHS["feishu"]
    assert feishu_ok("s3cret", body)
    assert not feishu_ok("other", body)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_secret_nothing_is_signed(bench: Bench, http: HttpReceiver, kind: str) -> None:
    http.answers = [says(GOOD[kind])]
    bench.target(kind, http.url(PATHS[kind]))
    bench.tell(host="web-1", source_ip="192.0.2.7")
    assert bench.send().delivered == 1
    [(path, _, body)] = http.requests
    assert path == PATHS[kind]
    assert "sign" not in json.loads(body)
    said = text_in(kind, body)
    assert said.splitlines()[0] == "[高危] 新告警：Webshell"
    assert "主机：web-1" in said
    assert "源地址：192.0.2.7" in said


@pytest.mark.parametrize(
    ("kind", "answer", "dead"),
    [
        ("dingtalk", {"errcode": 310000, "errmsg": "sign not match"}, False),
        ("dingtalk", {"errcode": 300001, "errmsg": "token is not exist"}, False),
        ("dingtalk", {"errcode": 430102, "errmsg": "unsafe content"}, True),
        ("dingtalk", {"errcode": "310000"}, False),
        ("dingtalk", {"errcode": False}, False),
        ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url"}, False),
        ("wecom", {"errcode": 45002, "errmsg": "content size out of limit"}, True),
        ("feishu", {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"}, False),
        ("feishu", {"code": 9499, "msg": "Bad Request"}, True),
        ("feishu", {"code": 9499, "msg": "too many request"}, False),
        ("feishu", {"StatusCode": 0}, False),
        ("wecom", [], False),
        ("wecom", None, False),
        ("dingtalk", "<html>", False),
    ],
)
def test_no_in_an_answer_of_200_is_a_failure(bench: Bench, http: HttpReceiver, kind: str, answer: Any, dead: bool) -> None:
    http.answers = [says(answer)]
    bench.target(kind, http.url(PATHS[kind]))
    bench.tell()
    sent = bench.send()
    assert (sent.delivered, sent.failed, sent.dead) == (0, not dead, dead)
    assert bench.error()
    if isinstance(answer, dict) and "errmsg" in answer:
        assert answer["errmsg"] in bench.error()


@pytest.mark.parametrize("answer", ["hang", "close", "redirect", (500, {}, b""), (200, {}, b"login page"), (200, {}, b"")])
@pytest.mark.parametrize("kind", KINDS)
def test_a_robot_that_fails_otherwise_is_tried_again(bench: Bench, http: HttpReceiver, kind: str, answer: Any) -> None:
    http.answers = [answer, says(GOOD[kind])]
    bench.target(kind, http.url(PATHS[kind]))
    bench.tell()
    assert bench.send().failed == 1
    bench.later()
    assert bench.send().delivered == 1
    assert {path for path, _, _ in http.requests} == {PATHS[kind]}


def test_a_robot_that_is_throttled_is_left_alone_for_ten_minutes(bench: Bench, http: HttpReceiver) -> None:
    http.answers = [says({"errcode": 410100, "errmsg": "send too fast"}), says(GOOD["dingtalk"])]
    target, _ = bench.target("dingtalk", http.url(PATHS["dingtalk"]))
    bench.tell()
    assert bench.send().failed == 1
    bench.tell()  # nor is what comes later tried meanwhile
    assert bench.send().delivered == 0
    with bench.database.read() as session:
        ready = session.execute(text("SELECT ready_at FROM webhook_targets")).scalar_one()
    assert clock.shift(clock.now(), 590) < ready < clock.shift(clock.now(), 610)
    assert bench.state(target.id).paused_until == ""  # a wish of the provider, no broken target
    bench.later()
    assert bench.send().delivered == 2
    assert len(http.requests) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_together_goes_as_one_digest_and_keeps_the_rate(bench: Bench, http: HttpReceiver, kind: str) -> None:
    http.answers = [says(GOOD[kind])]
    bench.target(kind, http.url(PATHS[kind]))
    for number in range(6):
        bench.tell(host=f"web-{number % 2}", rule_name="Webshell" if number else "Mining")
    assert bench.send().delivered == 6
    bench.tell()
    assert bench.send().delivered == 0  # not before the spacing is over
    [(_, _, body)] = http.requests
    said = text_in(kind, body)
    assert said.splitlines()[0] == "莲盾：合并 6 条通知"
    assert "Webshell ×5 (web-1, web-0)" in said
    assert "Mining" in said
    assert len(bench.deliveries(status="delivered")) == 6


def test_a_digest_keeps_to_the_bytes_and_what_does_not_fit_comes_next(bench: Bench, http: HttpReceiver) -> None:
    http.answers = [says(GOOD["wecom"])]
    bench.target("wecom", http.url(PATHS["wecom"]))
    for number in range(60):
        bench.tell(rule_name=f"规则 {number} " + "很长" * 20)
    rounds = 0
    while bench.deliveries(status="pending"):
        bench.send()
        bench.later()
        rounds += 1
    assert 3 < rounds < 60
    assert len(http.requests) == rounds
    texts = [text_in("wecom", body) for _, _, body in http.requests]
    assert all(len(one.encode()) <= 2048 for one in texts)
    assert all(any(f"规则 {number} " in one for one in texts) for number in range(60))


def test_one_message_that_is_too_long_is_cut_and_not_lost(bench: Bench, http: HttpReceiver) -> None:
    http.answers = [says(GOOD["wecom"])]
    bench.target("wecom", http.url(PATHS["wecom"]))
    names = ("rule_name", "host", "user", "source_ip", "destination_ip", "organisation", "reason", "phase", "state", "from_name")
    bench.tell(**dict.fromkeys(names, "长" * 5000))
    assert bench.send().delivered == 1
    said = text_in("wecom", http.requests[0][2])
    assert len(said.encode()) <= 2048
    assert said.endswith("…")


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_attacker_writes_into_an_event_stays_one_harmless_line(bench: Bench, http: HttpReceiver, kind: str) -> None:
    http.answers = [says(GOOD[kind])]
    bench.target(kind, http.url(PATHS[kind]), settings={"language": "en"})
    bench.tell(rule_name='x\n[critical] New alert: fake\r\n<at user_id="all">all</at>', host="\u202egnp.exe\x00\x1b[31m")
    bench.send()
    said = text_in(kind, http.requests[0][2])
    lines = said.splitlines()
    assert lines[0].startswith("[high] New alert: x [critical] New alert: fake")
    assert lines[1] == "Host: gnp.exe[31m"
    assert len(lines) == 3
    if kind == "feishu":
        assert "<at" not in said


@pytest.mark.parametrize("kind", KINDS)
def test_the_token_of_a_robot_lies_sealed_only(bench: Bench, http: HttpReceiver, kind: str) -> None:
    target, made = bench.target(kind, http.url(PATHS[kind]))
    assert made == ""
    assert "T0ken" not in str(bench.state(target.id))
    with bench.database.read() as session:
        assert "T0ken" not in str(session.execute(text("SELECT * FROM webhook_targets")).all())
        assert "T0ken" not in str(session.execute(text("SELECT detail FROM audit_entries")).all())


def test_the_shown_url_may_be_saved_again_and_a_new_one_is_used(bench: Bench, http: HttpReceiver) -> None:
    http.answers = [says(GOOD["dingtalk"])]
    target, _ = bench.target("dingtalk", http.url(PATHS["dingtalk"]), secret="SEC1")
    with bench.database.write() as session:
        service.change_target(session, bench.who.actor, target.id, name="renamed", url=target.url, policy=POLICY)
    bench.tell()
    bench.send()
    assert dingtalk_ok("SEC1", http.requests[-1][0])
    with bench.database.write() as session:
        with pytest.raises(Conflict, match="master key"):
            service.change_target(session, bench.who.actor, target.id, url=http.url("/robot/send?access_token=New"), policy=POLICY)
        service.change_target(
            session, bench.who.actor, target.id, key=KEY, url=http.url("/robot/send?access_token=New"), policy=POLICY
        )
    bench.tell()
    bench.later()
    assert bench.send().delivered == 1
    path = http.requests[-1][0]
    assert "access_token=New&" in path
    assert dingtalk_ok("SEC1", path)  # the same server: its secret stays


def test_a_given_secret_does_not_go_to_another_server(bench: Bench, http: HttpReceiver) -> None:
    other = HttpReceiver()
    other.answers = [says(GOOD["dingtalk"])]
    target, _ = bench.target("dingtalk", http.url(PATHS["dingtalk"]), secret="SEC1")
    with bench.database.write() as session:
        service.change_target(session, bench.who.actor, target.id, key=KEY, url=other.url(PATHS["dingtalk"]), policy=POLICY)
    bench.tell()
    assert bench.send().delivered == 1
    assert "sign=" not in other.requests[0][0]
    other.shutdown()
    other.server_close()


def test_a_template_that_cannot_be_rendered_keeps_nobody_back(bench: Bench, http: HttpReceiver) -> None:
    """Kept by an earlier version: how many messages fit is looked at before anything is sent to anybody."""
    http.answers = [says(GOOD["dingtalk"])]
    bench.target("dingtalk", http.url(PATHS["dingtalk"]), secret="SEC")
    with bench.database.write() as session:
        session.execute(
            text("UPDATE webhook_targets SET settings = :bad"), {"bad": json.dumps({"template": "{{ id|truncate(2) }}"})}
        )
    for _ in range(3):
        bench.tell()
    assert bench.send().delivered == 3
