"""Queries, rules and their parameters are told wrong before the playbook runs."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from playbooks.check import check
from playbooks.extension import EXTENSION
from playbooks.problems import Problem
from tests.playbooks.documents import FIREWALL, FIRST, document, playbook

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
STEP = f"workflow.{FIRST}"
COMMAND = f"{STEP}.commands[0].command_b64"
PARAMETERS = f"{STEP}.step_extensions.{EXTENSION}.parameters"


def problems(kind: str, text: str, given: dict[str, Any] | None = None, **step: Any) -> list[Problem]:
    one = document()
    extension: dict[str, Any] = {"parameters": {kind: given}} if given is not None else {}
    extension |= step.pop("extension", {})
    command = {"type": kind, "command_b64": base64.b64encode(text.encode()).decode()}
    one["workflow"][FIRST] |= {"commands": [command], "step_extensions": {EXTENSION: extension}, **step}
    one["extension_definitions"] = {
        EXTENSION: {
            "type": "extension-definition", "name": "x", "created_by": one["created_by"], "schema": "x", "version": "1",
        }
    }  # fmt: skip
    return check(playbook(one), now=NOW)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ('user.name:"__ip__:value"', None),
        ('{"term": {"source.ip": "__ip__:value"}}', {"index": "logs-*", "size": "__answer__:value"}),
        ('{"query": {"range": {"n": {"gt": __answer__:value}}}, "size": 0}', {"index": "__gateway__:value"}),
        ('{"query": {"match_all": {}}}', {"call": "count"}),
    ],
)
def test_right_queries(text: str, given: dict[str, Any] | None) -> None:
    assert problems("elastic", text, given) == []


@pytest.mark.parametrize(
    ("text", "given", "path", "message"),
    [
        (" ", None, COMMAND, "is empty"),
        ('{"query": ', None, COMMAND, "begins like JSON and is none"),
        ('{"query": {}, "script_fields": {}}', None, COMMAND, "brings a program"),
        ('{"query": {"query_string": {"query": "a:__ip__:value"}}}', None, COMMAND, "cannot stand in a query_string query"),
        ('{"query": {"match_all": {}}, "size": 1}', {"call": "count"}, COMMAND, "no size"),
        ("a:1", {"index": "../_cluster"}, COMMAND, "no name or pattern"),
        ("a:1", {"size": 1000}, f"{PARAMETERS}.elastic.size", "<= 100"),
        ("a:1", {"indx": "x"}, f"{PARAMETERS}.elastic.indx", "no parameter 'indx'"),
        ("a:1", {"index": "__nobody__:value"}, f"{STEP}.commands[0]", "__nobody__ is not declared"),
        ("a:__nobody__:value", None, f"{STEP}.commands[0]", "__nobody__ is not declared"),
    ],
)
def test_wrong_queries(text: str, given: dict[str, Any] | None, path: str, message: str) -> None:
    found = [one for one in problems("elastic", text, given) if one.severity == "error"]
    assert [(one.path, one.step) for one in found] == [(path, FIRST)]
    assert message in found[0].message


RULE = """title: Word
logsource: {product: liandun, service: test}
detection:
  selection: {source.ip: __ip__:value}
  condition: selection
"""


def test_right_rules() -> None:
    assert problems("sigma", RULE, {"hours": "__answer__:value"}, targets=["http-api--" + FIREWALL.partition("--")[2]]) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "no YAML"),
        ("title: x", "no Sigma rule with a detection"),
        (RULE.replace("condition: selection", "condition: __ip__:value"), "cannot stand in condition"),
        (RULE.replace("product: liandun", "product: __ip__:value"), "cannot stand in logsource"),
        (RULE.replace("__ip__", "__nobody__"), "__nobody__ is not declared"),
    ],
)
def test_wrong_rules(text: str, message: str) -> None:
    found = [one.message for one in problems("sigma", text) if one.severity == "error"]
    assert message in " ".join(found)


YARA = 'rule one { strings: $a = "__ip__:value" condition: $a }'


def test_right_yara_rules() -> None:
    found = problems("yara", YARA, {"incident": "__answer__:value"}, targets=[])
    assert [one.message for one in found] == ["targets is empty"]


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        ("strings", {"incident": 1}, "there is no YARA rule"),
        ('include "x" ' + YARA, {"incident": 1}, "cannot include a file"),
        (YARA.replace("condition: $a", "condition: __ip__:value"), {"incident": 1}, "cannot stand in names"),
        (YARA.replace("__ip__", "__nobody__"), {"incident": 1}, "__nobody__ is not declared"),
        (YARA, None, "nothing to look through"),
        (YARA, {"incident": 1, "path": ["/srv"]}, "no parameter 'path'"),
        (YARA, {"paths": ["/srv/../x"]}, "no whole path"),
        (YARA, {"paths": ["/srv"]}, "goes to targets of the type ssh"),
        (YARA, {"paths": ["/srv"], "targets": []}, "there is no host whose files"),
    ],
)
def test_wrong_yara_rules(text: str, given: dict[str, Any] | None, message: str) -> None:
    step = {"targets": given.pop("targets")} if given and "targets" in given else {}
    found = [one.message for one in problems("yara", text, given, **step) if one.severity == "error"]
    assert message in " ".join(found)


def test_wanted_values_are_given() -> None:
    (found,) = problems("elastic", "a:1", out_args=["__answer__", "__ip__"], extension={"outputs": {"__ip__": "/x"}})
    assert (found.path, "do not give answer" in found.message) == (f"{STEP}.out_args[0]", True)


def test_parameters_for_other_kinds() -> None:
    found = problems("elastic", "a:1", extension={"parameters": {"bash": {}}})
    assert [(one.path, one.severity) for one in found] == [(f"{PARAMETERS}.bash", "error")]


def test_plain_text_is_read_and_told() -> None:
    one = document()
    one["workflow"][FIRST]["commands"] = [{"type": "elastic", "command": "a:1"}]
    assert [(found.severity, found.path) for found in check(playbook(one), now=NOW)] == [("warning", f"{STEP}.commands[0].command")]


def test_where_it_goes() -> None:
    one = document()
    one["target_definitions"][FIREWALL] |= {"type": "ssh"}
    one["workflow"][FIRST]["commands"] = [{"type": "elastic", "command_b64": base64.b64encode(b"a:1").decode()}]
    assert "an ssh target does not speak HTTP" in [found.message for found in check(playbook(one), now=NOW)]
