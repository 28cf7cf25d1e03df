"""Mail, by a real SMTP conversation over TLS."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from operations.errors import Invalid
from operations.webhooks import service
from tests.operations.webhooks.bench import KEY, POLICY, Bench
from tests.operations.webhooks.receivers import Authority, MailReceiver

TO = ["duty@city.example", "lead@city.example"]


def settings(authority: Authority, **more: Any) -> dict[str, Any]:
    return {"from": "liandun@city.example", "to": TO, "ca": authority.pem} | more


def target(bench: Bench, mail: MailReceiver, authority: Authority, *, secret: str = "", **more: Any) -> int:
    scheme = "smtps" if mail.implicit else "smtp"
    url = f"{scheme}://127.0.0.1:{mail.port}"
    return bench.target("mail", url, settings=settings(authority, **more), secret=secret)[0].id


@pytest.mark.parametrize("implicit", [False, True])
def test_a_mail_arrives_over_tls(bench: Bench, mail: MailReceiver, authority: Authority, implicit: bool) -> None:
    mail.implicit = implicit
    target(bench, mail, authority, user="liandun", secret="p=ss wörd")
    bench.tell(rule_name="蚁剑 Webshell", host="web-1")
    assert bench.send().delivered == 1
    [letter] = mail.mails
    assert letter["Subject"] == "[高危] 新告警：蚁剑 Webshell"
    assert (letter["From"], letter["To"]) == ("liandun@city.example", ", ".join(TO))
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"] == f"<{bench.deliveries()[0].message_id}@city.example>"
    assert "主机：web-1" in letter.get_content()
    assert mail.recipients == [TO]
    assert mail.logins == ["\0liandun\0p=ss wörd".encode()]
    said = [verb for verb in mail.verbs if verb.upper() in ("AUTH", "MAIL", "RCPT", "DATA")]
    assert said
    assert all(verb.isupper() for verb in said)  # nothing of it before TLS


def test_several_messages_are_one_mail(bench: Bench, mail: MailReceiver, authority: Authority) -> None:
    target(bench, mail, authority, language="en")
    for number in range(3):
        bench.tell(host=f"web-{number}")
    assert bench.send().delivered == 3
    [letter] = mail.mails
    assert letter["Subject"] == "Liandun: 3 notifications"
    assert "Webshell ×3 (web-0, web-1, web-2)" in letter.get_content()


def test_a_heading_cannot_add_a_header_nor_end_the_mail(bench: Bench, mail: MailReceiver, authority: Authority) -> None:
    target(bench, mail, authority)
    bench.tell(rule_name="x\r\nBcc: eve@evil.example\r\n\r\n.\r\nMAIL FROM:<a@b>")
    assert bench.send().delivered == 1
    [letter] = mail.mails
    assert letter["Bcc"] is None
    assert mail.recipients == [TO]


def test_a_server_without_starttls_gets_nothing(bench: Bench, mail: MailReceiver, authority: Authority) -> None:
    mail.starttls = False
    target(bench, mail, authority, user="liandun", secret="secret")
    bench.tell()
    assert bench.send().failed == 1
    assert "STARTTLS" in bench.error()
    assert not {"mail", "MAIL", "auth", "AUTH"} & set(mail.verbs)


def test_a_certificate_of_nobody_we_trust_gets_nothing(bench: Bench, mail: MailReceiver, authority: Authority) -> None:
    target(bench, mail, authority, ca="")
    bench.tell()
    assert bench.send().failed == 1
    assert "certificate" in bench.error().lower()
    assert "MAIL" not in mail.verbs


def test_a_certificate_of_another_host_gets_nothing(bench: Bench, tmp_path: Path) -> None:
    other = Authority(tmp_path, "mail.other.example")
    mail = MailReceiver(other)
    target(bench, mail, other)
    bench.tell()
    assert bench.send().failed == 1
    assert "certificate" in bench.error().lower()
    mail.close()


@pytest.mark.parametrize(
    ("answers", "reason", "dead"),
    [
        ({"DATA.": "554 5.7.1 looks like spam"}, "SMTP 554: 5.7.1 looks like spam", True),
        ({"DATA.": "552 too large"}, "SMTP 552", True),
        ({"DATA.": "451 try later"}, "SMTP 451", False),
        ({"MAIL": "421 too busy"}, "SMTP 421", False),
        ({"RCPT": "550 no such mailbox"}, "SMTP 550", False),
        ({"AUTH": "535 wrong password"}, "SMTP 535", False),
        ({"EHLO": "hang"}, "no answer within 1.5 s", False),
        ({"MAIL": "drip"}, "no answer within 1.5 s", False),
        ({"STARTTLS": "close"}, "", False),
        ({"RCPT": "close"}, "", False),
        ({"DATA": "close"}, "", False),
        ({"STARTTLS": "454 not now"}, "454", False),
        ({"EHLO": "nonsense"}, "", False),
    ],
)
def test_failures_are_told_and_nothing_is_lost(
    bench: Bench, mail: MailReceiver, authority: Authority, answers: dict[str, str], reason: str, dead: bool
) -> None:
    mail.answers = answers
    number = target(bench, mail, authority, user="liandun", secret="secret")
    bench.tell()
    start = time.monotonic()
    sent = bench.send()
    assert time.monotonic() - start < 3
    assert (sent.delivered, sent.failed, sent.dead) == (0, not dead, dead)
    assert reason in bench.error()
    assert bench.error()
    assert mail.mails == []
    mail.answers = {}
    bench.later()
    if dead:
        with bench.database.write() as session:
            assert service.replay_dead(session, bench.who.actor, number) == 1
    assert bench.send().delivered == 1


def test_a_mail_whose_answer_is_lost_comes_again_under_the_same_id(bench: Bench, mail: MailReceiver, authority: Authority) -> None:
    mail.answers = {"DATA.": "close"}
    target(bench, mail, authority)
    bench.tell()
    assert bench.send().failed == 1
    mail.answers = {}
    bench.later()
    assert bench.send().delivered == 1
    assert len(mail.mails) == 2
    assert len({letter["Message-ID"] for letter in mail.mails}) == 1


def test_one_refused_recipient_does_not_keep_the_others_from_being_told(
    bench: Bench, mail: MailReceiver, authority: Authority
) -> None:
    mail.answers = {"RCPT:lead@city.example": "550 gone"}
    target(bench, mail, authority)
    bench.tell()
    assert bench.send().delivered == 1
    assert mail.recipients == [TO[:1]]
    assert bench.attempts()[0].answer == "lead@city.example refused: 550 gone"


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("smtp://127.0.0.1:25/path", {}),
        ("smtp://user:pw@127.0.0.1", {}),
        ("smtp://10.0.0.1", {}),
        ("http://127.0.0.1", {}),
        ("smtp://127.0.0.1", {"to": []}),
        ("smtp://127.0.0.1", {"to": ["a@b.example\r\nRCPT TO:<x@y>"]}),
        ("smtp://127.0.0.1", {"from": ""}),
        ("smtp://127.0.0.1", {"from": "no address"}),
        ("smtp://127.0.0.1", {"to": ["a@b.example"] * 51}),
        ("smtp://127.0.0.1", {"user": "a\nb"}),
    ],
)
def test_refusals(bench: Bench, authority: Authority, url: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        bench.target("mail", url, settings=settings(authority) | wrong)


def test_a_changed_password_is_used(bench: Bench, mail: MailReceiver, authority: Authority) -> None:
    number = target(bench, mail, authority, user="liandun", secret="old")
    with bench.database.write() as session:
        service.change_target(session, bench.who.actor, number, key=KEY, secret="new", policy=POLICY)
    bench.tell()
    bench.send()
    assert mail.logins == [b"\0liandun\0new"]
