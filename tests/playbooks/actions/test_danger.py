"""What counts as a change of a system beyond the platform."""

from __future__ import annotations

from typing import Any

import pytest

from playbooks.actions.contract import Request
from playbooks.actions.danger import DESTRUCTIVE, changes_a_system
from playbooks.actions.own_kinds import own
from playbooks.actions.system_kinds import system
from playbooks.model import Command


def _request(kind: str, command: str = "", content: str = "", **parameters: Any) -> Request:
    made = Command(type=kind, command=command, content=content, more={"parameters": parameters})
    return Request(key="1.1", step_id="action--1", command=made)


def _openc2(content: str) -> Request:
    return _request("openc2-http", "POST /openc2 HTTP/1.1", content)


def test_every_kind_that_acts_on_systems_is_listed() -> None:
    assert system().keys() <= DESTRUCTIVE
    assert not own(None).keys() & DESTRUCTIVE


@pytest.mark.parametrize(
    ("request_", "changes"),
    [
        (_request("manual", "pull the plug"), False),
        (_request("liandun-ticket", title="x"), False),
        (_request("liandun-nft-block", address="203.0.113.7"), True),
        (_request("liandun-nft-unblock", address="203.0.113.7"), True),
        (_request("liandun-nft-unblock", address="203.0.113.7", force="true"), True),
        (_request("liandun-host-release", force="__force__:value"), True),
        (_request("ssh", "true"), True),
        (_request("bash", "true"), True),
        (_request("liandun-unheard-of"), True),
        (_request("elastic"), False),
        (_request("sigma"), False),
        (_request("kestrel"), True),
        (_request("http-api", "GET /x HTTP/1.1"), False),
        (_request("http-api", "POST /x HTTP/1.1"), True),
        (_request("http-api", "__method__:value /x HTTP/1.1"), True),
        (_request("http-api"), True),
        (_openc2('{"action": "query", "target": {"features": []}}'), False),
        (_openc2('{"action": "deny", "target": {}}'), True),
        (_openc2('{"action": "allow", "target": {}}'), True),
        (_openc2('{"body": {"openc2": {"request": {"action": "query"}}}}'), False),
        (_openc2('{"body": {"openc2": {"request": {"action": "contain"}}}}'), True),
        (_openc2('{"action": "__action__:value"}'), True),
        (_openc2('{"action": ["query"]}'), True),
        (_openc2("query"), True),
        (_openc2(""), True),
        (_openc2('{"action": "query", "body": {"openc2": {"request": {"action": "deny"}}}}'), True),
        (_openc2('{"body": ["action", "query"]}'), True),
    ],
)
def test_danger(request_: Request, changes: bool) -> None:
    assert changes_a_system(request_) is changes
