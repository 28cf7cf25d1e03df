"""What somebody who starts a playbook, or answers a question of it, could try with values: other servers, paths and members.

Real servers get it, or nothing at all.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.secret import MasterKey
from kernel.db import Database
from operations.audit.schema import Actor
from playbooks import bodies
from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.destination import Reach
from playbooks.actions.http_api import HttpApi
from playbooks.actions.registry import standard
from playbooks.check import check
from playbooks.json_text import write_json
from playbooks.model import Action, Authentication, Command, Party, Playbook, Variable
from playbooks.run import journal
from playbooks.run.executor import Executor, Settings
from playbooks.run.journal import Wanted
from playbooks.run.resolve import request_for
from playbooks.variables import Scope, Value, VariableError, substitute
from playbooks.vault import service as vault
from tests.playbooks.documents import document, playbook
from tests.playbooks.run.target import Target, running_target
from tests.state_database import migrated

LOOPBACK = Reach(("127.0.0.0/8",), ("127.0.0.1",))
FORM = {"Content-Type": ["application/x-www-form-urlencoded; charset=utf-8"]}
CALLED = Path(__file__).parent.parent / "conformance" / "called.json"
LOGIN = "oauth2--7ffb5d2a-3e6f-4d37-8f8d-0a4b3a3d2c11"


@pytest.fixture
def target() -> Iterator[Target]:
    with running_target() as running:
        yield running


@pytest.fixture
def other() -> Iterator[Target]:
    with running_target() as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = migrated(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


# -- other servers ----------------------------------------------------------------------------------------------------------------


def _elsewhere(address: dict[str, list[str]]) -> bytes:
    """A playbook whose target is what its starter says (``__gateway__``), with a login out of the secret store."""
    document: dict[str, Any] = json.loads(CALLED.read_text())
    document["playbook_variables"]["__gateway__"] = {"type": "string", "external": True}
    document["authentication_info_definitions"] = {
        LOGIN: {"type": "oauth2", "oauth_header": "Bearer", "kms": True, "kms_key_identifier": "gateway"}
    }
    for party in document["target_definitions"].values():
        party.update(address=address, authentication_info=LOGIN)
        if "url" in address:
            party.pop("port")
    return write_json(document)


def _ended(database: Database, key: MasterKey, wanted: Wanted) -> journal.State:
    secrets = vault.secrets(database, key)
    with Executor(database, standard(LOOPBACK), Settings(workers=2), secrets=secrets) as executor:
        run_id = executor.submit(wanted)
        executor.wait(run_id, 20)
    with database.read() as session:
        return journal.state_of(session, run_id)


def test_a_secret_does_not_follow_whoever_chooses_the_server(
    target: Target, other: Target, database: Database, tmp_path: Path
) -> None:
    key = MasterKey.load(tmp_path / "master.key")
    with database.write() as session:
        vault.set_secret(session, Actor("zhou"), key, "gateway", "geheim", [f"127.0.0.1:{target.port}", "gw.example.cn"])
    body = _elsewhere({"url": ["__gateway__:value"]})
    for url in (f"http://127.0.0.1:{other.port}", f"http://127.0.0.1:{other.port}/gw.example.cn", f"http://127.1:{target.port}"):
        state = _ended(database, key, Wanted(body=body, variables={"__gateway__": url, "__host__": "h"}, by="a"))
        assert state.state == "failed"
        assert "SECRET_NOT_FOR_HOST" in str(state)
    assert target.requests + other.requests == []

    # a second address would be tried where the first does not answer: it has to be meant, too
    both = _elsewhere({"ipv4": ["127.0.0.2", "127.0.0.1"]})
    _ended(database, key, Wanted(body=both, variables={"__port__": str(target.port), "__host__": "h"}, by="a"))
    assert target.requests == []

    right: dict[str, Value] = {"__gateway__": f"http://127.0.0.1:{target.port}", "__host__": "h"}
    assert _ended(database, key, Wanted(body=body, variables=right, by="a")).state == "finished"
    assert [one["headers"]["Authorization"] for one in target.requests] == ["Bearer geheim"]


# -- other paths and members ------------------------------------------------------------------------------------------------------


def _send(target: Target, command: Command, **values: Value) -> dict[str, Any]:
    """What arrives of a command whose variables have these values."""
    scope = Scope({f"__{name}__": Variable(type="string", value=value) for name, value in values.items()})
    party = Party(type="http-api", address={"ipv4": ["127.0.0.1"]}, port=str(target.port))
    step = Action(commands=[command], agent="http-api--1")
    request = request_for(Playbook(agent_definitions={"http-api--1": party}), "action--1", step, (0, ""), scope, "1.1")
    HttpApi(LOOPBACK).run(request, Context(time.monotonic() + 20))
    return target.requests[-1]


def _line(text: str) -> Command:
    return Command(type="http-api", command=text)


@pytest.mark.parametrize(
    ("line", "value", "path"),
    [
        ("GET /Users/__u__:value HTTP/1.1", "a/b?c=d&e#f;g=%2e", "/Users/a%2Fb%3Fc%3Dd%26e%23f%3Bg%3D%252e"),
        ("GET /Users/__u__:value/x HTTP/1.1", "张 三", "/Users/%E5%BC%A0%20%E4%B8%89/x"),
        ("GET /Users/__u__:value HTTP/1.1", "2001:db8::1", "/Users/2001%3Adb8%3A%3A1"),
        ("GET /Users?q=__u__:value&n=1 HTTP/1.1", "../x&n=2", "/Users?q=..%2Fx%26n%3D2&n=1"),
        ("GET /Users/__u__:value HTTP/1.1", "a..b", "/Users/a..b"),
        ("GET /Users/a~__u__:value HTTP/1.1", "-._~", "/Users/a~-._~"),
        ("GET __u__:value HTTP/1.1", "/a/b?c=d&e=%20", "/a/b?c=d&e=%20"),
    ],
)
def test_a_value_stays_in_its_part_of_the_target(target: Target, line: str, value: str, path: str) -> None:
    assert _send(target, _line(line), u=value)["path"] == path


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("GET /Users/__u__:value HTTP/1.1", "../Groups/admins"),
        ("GET /Users/__u__:value HTTP/1.1", ".."),
        ("GET /Users/__u__:value/x HTTP/1.1", "."),
        ("GET /Users/.__u__:value/x HTTP/1.1", "."),
        ("GET /Users/__u__:value HTTP/1.1", "..\\Groups"),
        ("GET /Users/__u__:value HTTP/1.1", "a\r\nX: y"),
        ("GET __u__:value HTTP/1.1", "/Users/../Groups"),
        ("GET __u__:value HTTP/1.1", "/Users/%2E%2e/Groups"),
        ("GET __u__:value HTTP/1.1", "/Users/..;x/Groups"),
        ("GET __u__:value HTTP/1.1", "http://127.0.0.1/a/.."),
        ("GET __u__:value HTTP/1.1", " "),
    ],
)
def test_a_value_does_not_climb(target: Target, line: str, value: str) -> None:
    with pytest.raises(VariableError):
        _send(target, _line(line), u=value)
    assert target.requests == []


def _body(content: str, headers: dict[str, list[str]] | None = None) -> Command:
    return Command(type="http-api", command="POST /x HTTP/1.1", content=content, headers=headers or {})


BLOCK = '{"user": "__u__:value", "minutes": __n__:value}'
HOSTILE = 'x","role":"admin'


@pytest.mark.parametrize("number", ["5", "-0.5e+3", "true", "false", "null"])
def test_json_stays_what_it_was(target: Target, number: str) -> None:
    for command in (
        _body(BLOCK),
        Command(type="http-api", command="POST /x HTTP/1.1", content_b64=base64.b64encode(BLOCK.encode()).decode()),
    ):
        got = json.loads(_send(target, command, u=HOSTILE, n=number)["body"])
        assert got == {"user": HOSTILE, "minutes": json.loads(number)}


@pytest.mark.parametrize(
    "number", ["", " 5", "5 ", "+5", "05", "5,6", '5,"role":"admin"', '"x"', "{}", "[]", "NaN", "٥", "5\n", "True"]
)
def test_without_quotes_there_are_numbers_only(target: Target, number: str) -> None:
    with pytest.raises(VariableError):
        _send(target, _body(BLOCK), u="x", n=number)
    assert target.requests == []


@pytest.mark.parametrize(
    "content",
    [
        '{"user": __u__:value, }', '[__u__:value] x', '{__u__:value: 1}', '{"a": "\\__u__:value"}',
        '{"a": "__u__:value}', "\ufeff{__u__:value}",
        '{"a": 1}\n{"a": "__u__:value"}', " \u00a0{'a': '__u__:value'}",
    ],
)  # fmt: skip
def test_what_begins_like_json_and_is_none_is_not_sent(target: Target, content: str) -> None:
    with pytest.raises(VariableError):
        _send(target, _body(content), u="1")
    assert target.requests == []
    told = [str(one) for one in check(_checked({"type": "http-api", "command": "POST /x HTTP/1.1", "content": content}))]
    assert any("begins like JSON and is none" in one for one in told)


def test_a_number_glued_to_others_has_to_stay_one(target: Target) -> None:
    assert json.loads(_send(target, _body('{"n": 1__n__:value}'), n="5")["body"]) == {"n": 15}
    for value in ("true", "-5"):
        with pytest.raises(VariableError):
            _send(target, _body('{"n": 1__n__:value}'), n=value)


def test_the_check_takes_what_can_be_sent() -> None:
    for content, headers in ((BLOCK, {}), ("[a]=__u__:value", FORM), ("user __u__:value", {}), ('["\\"__u__:value\\\\"]', {})):
        command = {"type": "http-api", "command": "POST /x HTTP/1.1", "content": content, "headers": headers}
        assert not [one for one in check(_checked(command)) if "JSON" in one.message]


def _checked(command: dict[str, Any]) -> Playbook:
    raw = document()
    next(step for step in raw["workflow"].values() if step["type"] == "action")["commands"] = [command]
    return playbook(raw)


def test_a_form_keeps_its_fields(target: Target) -> None:
    sent = _send(target, _body("user=__u__:value&op=block", FORM), u="x&op=allow=+%26 张")
    assert parse_qsl(sent["body"].decode()) == [("user", "x&op=allow=+%26 张"), ("op", "block")]
    assert _send(target, _body('{"a": "__u__:value"}', FORM), u="&op=allow")["body"] == b'{"a": "%26op%3Dallow"}'


@given(st.text())
def test_any_text_is_one_json_string(value: str) -> None:
    scope = {"__u__": Variable(type="string", value=value)}
    text = '[{"a": "__u__:value"}, "x\\"__u__:value"]'
    written = substitute(text, scope, None, bodies.writer(text, frozenset()))
    assert json.loads(written) == [{"a": value}, f'x"{value}']


# -- logins that come back --------------------------------------------------------------------------------------------------------


def _logged_in(target: Target, line: str, login: Authentication, secret: str, *wanted: str) -> Mapping[str, Value]:
    party = Party(type="http-api", address={"ipv4": ["127.0.0.1"]}, port=str(target.port))
    request = Request(key="1.1", step_id="a", command=_line(line), target=party, authentication=login, out_args=wanted)
    return HttpApi(LOOPBACK).run(request, Context(time.monotonic() + 20, lambda _name, _places: secret))


BEARER = Authentication(type="oauth2", kms=True, kms_key_identifier="gateway")
BASIC = Authentication(type="http-basic", user_id="soc", kms=True, kms_key_identifier="gateway")


@pytest.mark.parametrize(
    "secret", ["geheim\nX-Y: z", "-----BEGIN KEY-----\ngeheim\n-----END KEY-----", "geheim\x01", "geheim\u4e2d"]
)
def test_a_secret_that_is_no_header_stands_in_no_message(target: Target, secret: str) -> None:
    with pytest.raises(ActionError) as raised:
        _logged_in(target, "GET /say HTTP/1.1", BEARER, secret)
    assert "geheim" not in str(raised.value)
    assert target.requests == []


def test_blanks_around_a_token_are_not_part_of_it(target: Target) -> None:
    _logged_in(target, "GET /say HTTP/1.1", BEARER, " geheim \n")
    assert target.requests[-1]["headers"]["Authorization"] == "Bearer geheim"


@pytest.mark.parametrize("login", [BEARER, BASIC])
def test_a_server_that_says_the_login_back_does_not_bring_it_into_the_journal(target: Target, login: Authentication) -> None:
    encoded = base64.b64encode(b"soc:geheim").decode()
    gave = _logged_in(target, f"GET /say?a=geheim&b={encoded.rstrip('=')}%3D%3D HTTP/1.1", login, "geheim", "__http_body__")
    assert "geheim" not in str(gave)
    with pytest.raises(ActionError) as raised:
        _logged_in(target, "GET /fail/x?reason=bad+token+geheim HTTP/1.1", login, "geheim")
    assert "bad token ***" in str(raised.value)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW"])
def test_a_value_is_no_method_that_says_the_request_back(target: Target, method: str) -> None:
    with pytest.raises(ActionError):
        _send(target, _line("__m__:value /x HTTP/1.1"), m=method)
    assert target.requests == []
