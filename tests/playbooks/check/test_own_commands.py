"""Parameters of our own commands are told wrong before the playbook runs, with step and path."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from playbooks.check import check
from playbooks.extension import EXTENSION
from playbooks.problems import Problem
from tests.playbooks.documents import FIRST, document, playbook

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
PATH = f"workflow.{FIRST}.commands[0]"


def _problems(parameters: Any, kind: str = "liandun-ticket", *, draft: bool = False, **step: Any) -> list[Problem]:
    one = document()
    command = {"type": kind} if parameters is None else {"type": kind, "parameters": parameters}
    del one["workflow"][FIRST]["out_args"]
    one["workflow"][FIRST] |= {"commands": [command], **step}
    return check(playbook(one), now=NOW, draft=draft)


def test_right_parameters_with_variables_anywhere() -> None:
    given = {
        "title": "__ip__:value",
        "level": "__gateway__:value",
        "due_hours": "__answer__:value",
        "zones": ["__gateway__:value"],
        "alert": 7,
    }
    assert _problems(given) == []


@pytest.mark.parametrize(
    ("given", "path", "message", "hint"),
    [
        (None, ".parameters.title", "needs the parameter title", "add it"),
        ([], ".parameters", "are an object", "parameters"),
        ({"title": "x", "levle": "high"}, ".parameters.levle", "no parameter 'levle'", "level is meant?"),
        ({"title": "x", "level": "grave"}, ".parameters.level", "Invalid enum value 'grave'", "low, medium, high, critical"),
        ({"title": "x", "due_hours": 0}, ".parameters.due_hours", ">= 1", "docs/playbooks.md"),
        ({"title": "x", "alert": "seven"}, ".parameters.alert", "Expected 'int'", "docs/playbooks.md"),
        ({"title": "x", "zones": ["a", 1]}, ".parameters.zones", "Expected 'str'", "docs/playbooks.md"),
        ({"title": ""}, ".parameters.title", "length >= 1", "docs/playbooks.md"),
        ({"title": "__nobody__:value"}, "", "__nobody__ is not declared", "declare it"),
    ],
)
def test_wrong_parameters(given: Any, path: str, message: str, hint: str) -> None:
    (found,) = _problems(given)
    assert (found.path, found.step, found.severity) == (PATH + path, FIRST, "error")
    assert message in found.message
    assert hint in found.hint


def test_a_draft_may_lack_a_parameter_but_holds_no_wrong_one() -> None:
    assert [one.severity for one in _problems({}, draft=True)] == ["warning"]
    assert [one.severity for one in _problems({"title": "x", "kind": "y"}, draft=True)] == ["error"]


def test_values_that_the_command_does_not_give() -> None:
    (found,) = _problems({"title": "x"}, out_args=["__answer__"])
    assert (found.path, found.hint) == (f"workflow.{FIRST}.out_args[0]", "they give ticket_id")
    pointed = {EXTENSION: {"outputs": {"__answer__": "/ticket_id"}}}
    (undefined,) = _problems({"title": "x"}, out_args=["__answer__"], step_extensions=pointed)
    assert "our extension is not defined" in undefined.message
    assert "give nothing" in _problems({"warning": 1, "reason": "x"}, "liandun-warning-discard", out_args=["__answer__"])[0].hint


def test_properties_beside_the_parameters_are_refused() -> None:
    one = document()
    del one["workflow"][FIRST]["out_args"]
    one["workflow"][FIRST]["commands"] = [{"type": "liandun-notify", "parameters": {"subject": "x"}, "subject": "y"}]
    (found,) = check(playbook(one), now=NOW)
    assert (found.path, found.hint) == (f"{PATH}.subject", "put it into parameters")


def test_commands_by_ssh_go_to_ssh_targets() -> None:
    one = document()
    del one["workflow"][FIRST]["out_args"]
    command = {"type": "liandun-nft-block", "parameters": {"address": "203.0.113.7", "reason": "x"}}
    target = {"type": "http-api", "name": "gateway", "address": {"ipv4": ["10.9.0.1"]}}
    name = "http-api--7b1e3f0a-6c1d-4f5e-9a3b-2d5c8e4f6a19"
    one["target_definitions"] = {name: target}
    one["workflow"][FIRST] |= {"commands": [command], "targets": [name]}
    assert "targets of the type ssh" in " ".join(str(found) for found in check(playbook(one), now=NOW))
    ssh = name.replace("http-api", "ssh")
    one["target_definitions"] = {ssh: target | {"type": "ssh"}}
    one["workflow"][FIRST]["targets"] = [ssh]
    (found,) = (found for found in check(playbook(one), now=NOW) if found.path.startswith("workflow"))
    assert (found.severity, found.message) == ("warning", "the target 'gateway' has no login")
