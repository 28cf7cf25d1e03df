"""Pages of triggers and secrets of playbooks: every kind of trigger through its form, a second person, names only."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from crypto.secret import MasterKey
from operations.accounts.schema import Principal
from operations.accounts.service import create_user
from operations.audit.schema import SYSTEM
from operations.inbound import service as inbound
from playbooks.actions.contract import Destination
from playbooks.triggers import service
from playbooks.triggers.schema import Definition
from playbooks.vault import service as vault
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD, fill
from tests.soc_ui.seed_playbooks import EVIL, fill_shelf, shipped
from tests.soc_ui.seed_zones import fill_zones

DRILL = json.loads(shipped("drill"))["id"]
LIST = "/playbooks/triggers"
Open = Callable[..., FlaskClient]
BASE = {"name": "nightly", "throttle": "60", "most_per_hour": "5", "playbook": DRILL}
KINDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"kind": "alert", "level": "high", "zones": ["water-ot"], "entities": "ip: 203.0.113.0/24\nhost:web*", "per": "host"},
        {"level": "high", "zones": ["water-ot"], "per": "host",
         "entities": [{"kind": "ip", "pattern": "203.0.113.0/24"}, {"kind": "host", "pattern": "web*"}]},
    ),
    (
        {"kind": "incident", "phases": ["containment"], "level": "2", "drills": "1"},
        {"phases": ["containment"], "level": 2, "drills": True},
    ),
    ({"kind": "warning", "levels": ["orange", "red"]}, {"levels": ["orange", "red"]}),
    ({"kind": "schedule", "at": "03:30", "days": ["mon", "fri"]}, {"at": "03:30", "days": ["mon", "fri"]}),
    ({"kind": "schedule", "every_minutes": "15"}, {"every_minutes": 15}),
    ({"kind": "webhook", "source": "1", "level": "low"}, {"source": 1, "level": "low"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    made = fill(tmp_path_factory.mktemp("triggers"), events=0)
    fill_zones(made, events=10)
    for role in ("analyst", "responder", "duty"):
        create_user(made.database, SYSTEM, f"the.{role}", PASSWORD, role)
    fill_shelf(made.database)
    key = MasterKey(b"0123456789abcdef")
    with made.database.write() as session:
        inbound.create(session, SYSTEM, key, name=EVIL)
    return replace(made, master_key=key)


@pytest.fixture(scope="module")
def app(filled: Services) -> APIFlask:
    return create_app(filled)


@pytest.fixture
def as_(app: APIFlask) -> Open:
    return lambda role, lang="en": browser_of(app, f"the.{role}", lang)


def stored(filled: Services, location: str) -> Definition:
    with filled.database.read() as session:
        return service.get(session, int(re.findall(r"\d+", location)[0])).definition


@pytest.mark.parametrize(("typed", "condition"), KINDS)
def test_every_kind_comes_through_its_form(filled: Services, as_: Open, typed: dict[str, Any], condition: dict[str, Any]) -> None:
    writer = as_("responder")
    form = writer.get(f"{LIST}/new?kind={typed['kind']}&playbook={DRILL}")
    assert form.status_code == 200
    assert "<script>alert(1)" not in form.text
    made = post(writer, f"{LIST}/new", BASE | typed | {"value.__scenario__": "{alert.rule_name}"})
    assert made.status_code == 302, html.unescape(made.text)
    definition = stored(filled, made.location)
    assert {name: value for name, value in definition.condition.items() if value} == condition
    assert (definition.variables, definition.throttle_seconds) == ({"__scenario__": "{alert.rule_name}"}, 3600)
    page = writer.get(made.location).text
    again = _fields(page)
    changed = post(writer, made.location.partition("?")[0], again | {"name": "other"})
    assert changed.status_code == 302, html.unescape(changed.text)
    assert stored(filled, made.location) == Definition(**{**_as_dict(definition), "name": "other"})
    assert "剧本触发器" in as_("analyst", "zh").get(made.location).text


def _as_dict(given: Definition) -> dict[str, Any]:
    return {name: getattr(given, name) for name in given.__struct_fields__}


def _fields(page: str) -> dict[str, Any]:
    """What the form of a page holds, as a browser would send it."""
    form = re.search(r'<form class="card-body" method="post" action="[^"]*/triggers/\d+".*?</form>', page, re.DOTALL)
    assert form is not None
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name is None or ('type="checkbox"' in tag and " checked" not in tag):
            continue
        text = html.unescape(value[1]) if value else ""
        if 'type="checkbox"' in tag:
            found.setdefault(name[1], []).append(text)
        else:
            found[name[1]] = text
    for name_, body in re.findall(r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', form[0], re.DOTALL):
        found[name_] = html.unescape(body)
    for name_, body in re.findall(r'<select name="([^"]+)">(.*?)</select>', form[0], re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name_] = chosen[1] if chosen else ""
    found.pop("csrf_token", None)
    return found


WRONG = [
    {"name": ""}, {"name": "x" * 129}, {"level": "worst"}, {"most_per_hour": "0"}, {"most_per_hour": "x"},
    {"throttle": "-1"}, {"entities": "nothing"}, {"entities": "moon:x"}, {"kind": "moon"}, {"value.__scenario__": "{"},
    {"value.<b>": "x"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_refused_is_shown_again(as_: Open, wrong: dict[str, str]) -> None:
    answer = post(as_("responder"), f"{LIST}/new", BASE | {"kind": "alert", "level": "high", "rules": "kept"} | wrong)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "kept" in answer.text or "kind" in wrong
    assert post(as_("responder"), f"{LIST}/new", BASE | {"kind": "alert", "playbook": "none"}).status_code in (404, 422)


def test_a_second_person_switches_it_on(filled: Services, as_: Open) -> None:
    made = post(as_("responder"), f"{LIST}/new", BASE | {"kind": "alert", "level": "high", "name": EVIL}).location.partition("?")[0]
    revision = {"revision": "1"}
    assert post(as_("responder"), f"{made}/switch", revision | {"enabled": "on"}).status_code == 403
    assert post(as_("analyst"), f"{made}/switch", revision | {"enabled": "on"}).status_code == 403
    assert post(as_("duty"), f"{made}/switch", {"revision": "9", "enabled": "on"}).status_code == 409
    assert post(as_("duty"), f"{made}/switch", revision | {"enabled": "on"}).status_code == 302
    page = as_("analyst").get(LIST).text
    assert "<script>alert(1)" not in page
    assert "the.duty" in as_("analyst").get(made).text
    assert post(as_("analyst"), f"{made}/remove", {"revision": "2"}).status_code == 403
    assert post(as_("responder"), f"{made}/remove", {"revision": "2"}).status_code == 302
    assert as_("analyst").get(made).status_code == 404
    with filled.database.read() as session:
        writer = Principal(0, "the.responder", "", "responder")
        assert all(one.author == writer.name for one in service.listing(session).triggers)


def test_secrets_are_names(filled: Services, app: APIFlask) -> None:
    browser, path = browser_of(app, ADMINISTRATORS["sysadmin"][0]), "/playbooks/secrets"
    assert "No secret is kept" in browser.get(path).text
    sent = {"name": "gateway", "value": "hunter2-hunter2", "hosts": "GW.example.cn:443, [2001:db8::7]\r\n192.0.2.7"}
    assert post(browser, path, sent).status_code == 302
    page = browser.get(path).text
    assert "gateway" in page
    for host in ("gw.example.cn:443", "2001:db8::7", "192.0.2.7"):
        assert f"<div>{host}</div>" in page
    assert "hunter2" not in page
    for wrong in (
        {"name": "<b>", "value": "x"},
        {"name": "gateway", "value": " "},
        {"name": "", "value": "x"},
        {"name": "gateway", "value": "x", "hosts": "<b>"},
    ):
        refused = post(browser, path, wrong)
        assert refused.status_code == 422
        assert not any(mark in refused.text.partition('<div class="detail">')[2] for mark in ("<b>", "x</textarea>"))
    here = [Destination("gw.example.cn", 443)]
    assert vault.secrets(filled.database, filled.master_key)("gateway", here) == "hunter2-hunter2"  # type: ignore[arg-type]
    assert post(browser, f"{path}/remove", {"name": "nothing"}).status_code == 404
    assert post(browser, f"{path}/remove", {"name": "gateway"}).status_code == 302
    assert browser_of(app, "the.duty").get(path).status_code == 403


def test_known_hosts_are_listed_with_their_fingerprints(app: APIFlask, tmp_path: Path) -> None:
    browser, path = browser_of(app, ADMINISTRATORS["sysadmin"][0]), "/playbooks/secrets"
    assert "names no file of host keys" in browser.get(path).text
    file = tmp_path / "known_hosts"
    app.extensions["liandun"].known_hosts = file
    try:
        assert "holds no key yet" in browser.get(path).text
        keys = []
        for name in ("one", "two"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", tmp_path / name], check=True)
            keys.append((tmp_path / f"{name}.pub").read_text().strip())
        file.write_text(f"[2001:db8::7]:2222,gw<b> {keys[0]}\n|1|c2FsdA==|aGFzaA== {keys[0]}\n@revoked * {keys[1]}\nnonsense\n")
        page = browser.get(path).text
        listed = page[page.index('id="known-hosts"') :]
        told = subprocess.run(["ssh-keygen", "-lf", tmp_path / "one.pub"], capture_output=True, text=True, check=True).stdout
        assert listed.count(html.escape(told.split()[1])) == 2
        assert "<div>[2001:db8::7]:2222</div><div>gw&lt;b&gt;</div>" in listed
        assert "(name is hashed)" in listed
        assert "revoked" in listed
        file.write_bytes(b"#" * 1_048_577)
        assert "has more than" in browser.get(path).text
    finally:
        app.extensions["liandun"].known_hosts = None
