"""Pages of webhooks: kinds, their fields, routing, the breaker, dead letters."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from crypto.secret import MasterKey
from operations import clock
from operations.audit.schema import SYSTEM
from operations.webhooks import service
from operations.webhooks.channels.registry import KINDS
from operations.webhooks.guard import WebhookPolicy
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import ADMINISTRATORS, fill

URLS = {
    "mail": "smtp://127.0.0.1:2525", "cef": "tls://127.0.0.1:6514", "leef": "tls://127.0.0.1:6514", "kafka": "kafkas://127.0.0.1:9093",
    "apprise": "json://127.0.0.1:9/send?key=T0ken",
}  # fmt: skip
GIVEN = ("dingtalk", "feishu", "mail", "kafka")
FORM = {
    "topic": "alerts",
    "mechanism": "SCRAM-SHA-512",
    "name": "n",
    "min_level": "high",
    "from": "a@b.example",
    "to": "c@d.example, e@f.example",
    "language": "en",
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    made = fill(tmp_path_factory.mktemp("webhooks"), events=0)
    return replace(made, master_key=MasterKey(b"0123456789abcdef"), webhook_policy=WebhookPolicy(allow=("127.0.0.0/8",)))


@pytest.fixture(scope="module")
def open_as(filled: Services) -> Callable[[str], FlaskClient]:
    app = create_app(filled)
    return lambda lang: browser_of(app, ADMINISTRATORS["sysadmin"][0], lang)


@pytest.fixture(scope="module")
def browser(open_as: Callable[[str], FlaskClient]) -> FlaskClient:
    return open_as("en")


def create(browser: FlaskClient, kind: str, **more: Any) -> Any:
    form = FORM | {"kind": kind, "url": URLS.get(kind, "http://127.0.0.1:9/send?key=T0ken")} | more
    return post(browser, "/webhooks", form, page="/account")


def newest(filled: Services) -> Any:
    with filled.database.read() as session:
        return max(service.list_targets(session), key=lambda target: target.id)


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_of_every_kind_is_made_shown_and_saved_again(browser: FlaskClient, filled: Services, kind: str) -> None:
    form = browser.get(f"/webhooks?kind={kind}").text
    assert f'name="kind" value="{kind}"' in form
    assert ('name="to"' in form) == (kind == "mail")
    assert ('name="sm3"' in form) == (kind in ("standard", "cloudevents"))
    assert ('name="secret"' in form) == (kind in GIVEN)
    given = {"secret": "SEC-given"} if kind in GIVEN else {}
    answer = create(browser, kind, waiting="on", **given)
    assert answer.status_code == 200, answer.text
    assert ("whsec_" in answer.text) == (kind in ("standard", "cloudevents"))
    target = newest(filled)
    assert (target.kind, target.enabled) == (kind, False)
    page = browser.get(f"/webhooks/{target.id}").text
    assert "SEC-given" not in page
    assert ("T0ken" in page) == (kind in ("standard", "cloudevents"))
    assert ("Webshell (example)" in page) == (kind in ("dingtalk", "wecom", "feishu", "mail", "apprise"))
    again = FORM | {"url": target.url, "name": "renamed", "version": str(target.version)}
    assert post(browser, f"/webhooks/{target.id}", again, page="/account").status_code == 302
    assert newest(filled).name == "renamed"


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("mail", {"to": "nobody"}),
        ("mail", {"url": "http://127.0.0.1/"}),
        ("dingtalk", {"template": "{% for a in b %}{% endfor %}<script>"}),
        ("standard", {"name": ""}),
        ("standard", {"ca": "nothing"}),
        ("standard", {"ca": "证书"}),
        ("cef", {"url": "tls://10.0.0.1"}),
        ("kafka", {"topic": "a b"}),
        ("dingtalk", {"secret": "x" * 513}),
        ("apprise", {"url": "gnome://"}),
        ("apprise", {"url": "json://127.0.0.1/?verify=no"}),
        ("apprise", {"url": "pover://x"}),
        ("apprise", {"url": "json://…"}),
    ],
)
def test_what_is_wrong_is_refused_and_stays_in_the_form(browser: FlaskClient, kind: str, wrong: dict[str, str]) -> None:
    answer = create(browser, kind, **wrong)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    field = next(iter(wrong))
    assert re.search(rf'name="{field}" aria-invalid="true" aria-describedby="wrong"', answer.text)
    assert answer.text.count('<small class="field-wrong" id="wrong">') == 1
    assert f'name="kind" value="{kind}"' in answer.text
    assert "<script>alert" not in answer.text


def test_a_made_up_kind_makes_nothing(browser: FlaskClient) -> None:
    assert browser.get("/webhooks?kind=fax").status_code == 200
    assert create(browser, "fax").status_code == 422


def test_a_paused_target_says_so_and_dead_letters_go_again(browser: FlaskClient, filled: Services) -> None:
    create(browser, "standard")
    target = newest(filled)
    with filled.database.write() as session:
        service.send_test(session, SYSTEM, target.id)
        session.execute(text("UPDATE webhook_deliveries SET status = 'dead' WHERE target_id = :id"), {"id": target.id})
        until = {"id": target.id, "until": clock.shift(clock.now(), 600)}
        session.execute(text("UPDATE webhook_targets SET failures = 7, ready_at = :until WHERE id = :id"), until)
    assert "Paused after 7 failures" in browser.get(f"/webhooks/{target.id}").text
    assert "paused" in browser.get("/webhooks").text
    assert post(browser, f"/webhooks/{target.id}/replay", {}, page="/account").status_code == 302
    with filled.database.read() as session:
        assert [one.status for one in service.list_deliveries(session, target.id).deliveries] == ["pending"]
    assert "Paused after" not in browser.get(f"/webhooks/{target.id}").text
    assert browser.post(f"/webhooks/{target.id}/replay", data={}).status_code == 400


def test_the_pages_are_chinese(open_as: Callable[[str], FlaskClient]) -> None:
    page = open_as("zh").get("/webhooks?kind=dingtalk").text
    assert all(word in page for word in ("钉钉", "企业微信", "机器人加签密钥", "先停用", "消息模板"))
