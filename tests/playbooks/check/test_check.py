"""Each mistake is told with its place, the step, and what to do; a right playbook has none."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from playbooks.check import check, is_right
from playbooks.extension import EXTENSION
from playbooks.problems import Problem
from tests.playbooks.documents import (
    AGENT,
    END,
    FIREWALL,
    FIRST,
    IF,
    LOGIN,
    ON_TRUE,
    PERSON,
    START,
    TRUE_END,
    action,
    document,
    playbook,
    uuid,
)

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
OTHER, LOOP, SPLIT = f"action--{uuid(20)}", f"while-condition--{uuid(21)}", f"parallel--{uuid(22)}"
CASES, SUB, OTHER_END = f"switch-condition--{uuid(23)}", f"playbook-action--{uuid(24)}", f"end--{uuid(25)}"
B1, B2, E1, E2 = f"action--{uuid(26)}", f"action--{uuid(27)}", f"end--{uuid(28)}", f"end--{uuid(29)}"
CALLED = f"playbook--{uuid(200)}"
Change = Callable[[dict[str, Any]], Any]


def problems(change: Change | None = None, **options: Any) -> list[Problem]:
    one = document()
    if change is not None:
        change(one)
    return check(playbook(one), now=NOW, **options)


def test_a_right_playbook_has_no_problem() -> None:
    assert problems() == []
    assert is_right(problems())


def _set(path: str, value: Any) -> Change:
    """``path`` with / between keys; - in front of the last key removes it."""

    def change(one: Any) -> None:
        *before, last = path.split("/")
        for key in before:
            one = one[int(key)] if isinstance(one, list) else one[key]
        if last.startswith("-"):
            del one[last[1:]]
        elif isinstance(one, list):
            one[int(last)] = value
        else:
            one[last] = value

    return change


STEP = f"workflow/{FIRST}"
COMMAND = f"{STEP}/commands/0"
TARGET = f"target_definitions/{FIREWALL}"
ERRORS: list[tuple[Change, str, str]] = [
    # document
    (_set("-id", None), "id", "id is missing"),
    (_set("name", ""), "name", "name is empty"),
    (_set("id", f"identity--{uuid(1)}"), "id", "of the kind identity"),
    (_set("id", "playbook--1"), "id", "no identifier"),
    (_set("id", "playbook--00000000-0000-0000-0000-000000000000"), "id", "no identifier"),
    (_set("created_by", f"person--{uuid(1)}"), "created_by", "of the kind person"),
    (_set("wrkflow_exception", END), "wrkflow_exception", "no property 'wrkflow_exception'"),
    (_set("created", "yesterday"), "created", "is no time"),
    (_set("modified", "2026-11-27T14:30:00+08:00"), "modified", "is no time"),
    (_set("modified", "2025-11-27T06:30:00.000Z"), "modified", "before created"),
    (_set("valid_until", "2026-11-27T07:59:59Z"), "valid_until", "was valid until"),
    (_set("valid_from", "2026-11-27T08:00:01Z"), "valid_from", "not valid before"),
    (_set("revoked", True), "revoked", "revoked"),
    (_set("priority", 101), "priority", "0 to 100"),
    (_set("derived_from", [f"identity--{uuid(1)}"]), "derived_from[0]", "no identifier"),
    (_set("markings", [f"marking-tlp--{uuid(1)}"]), "markings[0]", "not defined"),
    (
        _set("playbook_extensions", {f"extension-definition--{uuid(1)}": {}}),
        f"playbook_extensions.extension-definition--{uuid(1)}",
        "not defined",
    ),
    (
        _set("data_marking_definitions", {f"marking-tlp--{uuid(1)}": {"type": "marking-tlp", "tlpv2_level": "RED"}}),
        f"data_marking_definitions.marking-tlp--{uuid(1)}.tlpv2_level",
        "TLP",
    ),
    # flow
    (_set("workflow_start", START.replace("1-", "9-", 1)), "workflow_start", "there is no step"),
    (_set("workflow_start", FIRST), "workflow_start", "names a step of the kind action"),
    (_set("workflow_exception", OTHER), "workflow_exception", "there is no step"),
    (_set("workflow_exception", START), "workflow_exception", "start step"),
    (_set(f"workflow/start--{uuid(77)}", {"type": "start", "on_completion": FIRST}), f"workflow.start--{uuid(77)}", "second start"),
    (_set(f"{STEP}/on_completion", OTHER), f"workflow.{FIRST}.on_completion", "there is no step"),
    (_set(f"{STEP}/on_completion", START), f"workflow.{FIRST}.on_completion", "start step"),
    (_set(f"{STEP}/on_completion", FIRST), f"workflow.{FIRST}.on_completion", "in a circle"),
    (_set(f"{STEP}/-on_completion", None), f"workflow.{FIRST}.on_completion", "way on is missing"),
    (_set(f"{STEP}/on_failure", END), f"workflow.{FIRST}.on_completion", "beside on_success or on_failure"),
    (_set(f"workflow/{END}/on_completion", FIRST), f"workflow.{END}.on_completion", "has no on_completion"),
    (_set(f"workflow/{START}/on_failure", END), f"workflow.{START}.on_failure", "has no on_failure"),
    (_set(f"workflow/{IF}/on_true", OTHER), f"workflow.{IF}.on_true", "there is no step"),
    (_set(f"workflow/{ON_TRUE}/on_completion", END), f"workflow.{ON_TRUE}.on_completion", "runs into the flow"),
    (_set(f"workflow/{ON_TRUE}/on_completion", IF), f"workflow.{ON_TRUE}.on_completion", "leads back to the step that opened it"),
    (_set(f"workflow/{IF}/on_false", ON_TRUE), f"workflow.{IF}.on_false", "runs into the branch on_true"),
    (_set(f"workflow/{ON_TRUE}/on_completion", ON_TRUE), f"workflow.{IF}.on_true", "reaches no end step"),
    (_set("workflow", {START: {"type": "start", "on_completion": END}, END: {"type": "end"}}), "workflow", "nothing is done"),
    # steps
    (
        _set(f"workflow/action--{uuid(99)}", {"type": "end"}),
        f"workflow.action--{uuid(99)}",
        "the id says action, the type says end",
    ),
    (_set("workflow/last", {"type": "end"}), "workflow.last", "no identifier of a step"),
    (_set(f"{STEP}/delay", -1), f"workflow.{FIRST}.delay", "0 to"),
    (_set(f"{STEP}/timeout", 0), f"workflow.{FIRST}.timeout", "at once"),
    (_set(f"{STEP}/timeout", 10**12), f"workflow.{FIRST}.timeout", "1 to"),
    (_set(f"{STEP}/owner", "me"), f"workflow.{FIRST}.owner", "identity"),
    (_set(f"{STEP}/comands", []), f"workflow.{FIRST}.comands", "no property 'comands'"),
    (_set(f"{STEP}/commands", []), f"workflow.{FIRST}.commands", "commands is empty"),
    (_set(f"{STEP}/-agent", None), f"workflow.{FIRST}.agent", "agent is missing"),
    (_set(f"{STEP}/agent", FIREWALL), f"workflow.{FIRST}.agent", "there is no agent"),
    (_set(f"{STEP}/targets/0", AGENT), f"workflow.{FIRST}.targets[0]", "there is no target"),
    # variables
    (_set("playbook_variables/bad name", {"type": "string"}), "playbook_variables.bad name", "cannot name a variable"),
    (
        _set("playbook_variables/__" + "a" * 247 + "__", {"type": "string"}),
        "playbook_variables.__" + "a" * 247 + "__",
        "cannot name",
    ),
    (_set("playbook_variables/__answer__/value", "many"), "playbook_variables.__answer__.value", "not a whole number"),
    (_set("playbook_variables/__answer__/value", 7), "playbook_variables.__answer__.value", "stands as text"),
    (_set("playbook_variables/__ip__/value", "2001:db8::1"), "playbook_variables.__ip__.value", "not an IPv4"),
    (_set("playbook_variables/__gateway__/-value", None), "playbook_variables.__gateway__.value", "a constant without a value"),
    (_set("playbook_variables/__ip__/-type", None), "playbook_variables.__ip__.type", "type is missing"),
    (_set(f"{STEP}/out_args", ["__gateway__"]), f"workflow.{FIRST}.out_args[0]", "constant and would be written"),
    (_set(f"{STEP}/out_args", ["__else__"]), f"workflow.{FIRST}.out_args[0]", "not declared"),
    (_set(f"{STEP}/in_args", ["else"]), f"workflow.{FIRST}.in_args[0]", "no name of a variable"),
    (_set(f"{STEP}/in_args", ["__ip__"]), f"workflow.{FIRST}.commands[0]", "__gateway__ may not be read"),
    (_set(f"{COMMAND}/content", "__else__:value"), f"workflow.{FIRST}.commands[0]", "__else__ is not declared"),
    (_set(f"{COMMAND}/headers/X", ["__else__:value"]), f"workflow.{FIRST}.commands[0]", "__else__ is not declared"),
    (_set(f"{TARGET}/address/dname", ["__else__:value"]), f"target_definitions.{FIREWALL}", "__else__ is not declared"),
    # conditions
    (_set(f"workflow/{IF}/condition", "answer is bad"), f"workflow.{IF}.condition", "at letter 1"),
    (_set(f"workflow/{IF}/condition", "__else__:value = 1"), f"workflow.{IF}.condition", "__else__ is not declared"),
    (_set(f"workflow/{IF}/condition", "__answer__:value = 'x'"), f"workflow.{IF}.condition", "not a whole number"),
    (_set(f"workflow/{IF}/-condition", None), f"workflow.{IF}.condition", "condition is missing"),
    # commands
    (_set(f"{COMMAND}/type", "ftp"), f"workflow.{FIRST}.commands[0].type", "no action for commands of the kind 'ftp'"),
    (_set(f"{COMMAND}/command", "POST /a"), f"workflow.{FIRST}.commands[0].command", "no HTTP start line"),
    (_set(f"{COMMAND}/command", "POST /a HTTP/1.1\r\nX: y"), f"workflow.{FIRST}.commands[0].command", "no HTTP start line"),
    (_set(f"{COMMAND}/command", "FETCH /a HTTP/1.1"), f"workflow.{FIRST}.commands[0].command", "no method 'FETCH'"),
    (_set(f"{COMMAND}/command", "GET a HTTP/1.1"), f"workflow.{FIRST}.commands[0].command", "does not begin with /"),
    (_set(f"{COMMAND}/command", "GET /a HTTP1.1"), f"workflow.{FIRST}.commands[0].command", "no version 'HTTP1.1'"),
    (_set(f"{COMMAND}/-command", None), f"workflow.{FIRST}.commands[0].command", "start line is missing"),
    (_set(f"{COMMAND}/content_b64", "YQ=="), f"workflow.{FIRST}.commands[0].content_b64", "stand together"),
    (_set(f"{COMMAND}/command_b64", "YQ=="), f"workflow.{FIRST}.commands[0].command_b64", "no property"),
    (_set(f"{COMMAND}/headers/a b", ["c"]), f"workflow.{FIRST}.commands[0].headers.a b", "no name of a header"),
    (_set(f"{COMMAND}/headers/A", ["c\r\nd"]), f"workflow.{FIRST}.commands[0].headers.A", "one line"),
    (_set(f"{COMMAND}/headers/Host", ["c"]), f"workflow.{FIRST}.commands[0].headers.Host", "written by the executor"),
    (
        _set(COMMAND, {"type": "openc2-http", "command": "GET / HTTP/1.1", "content_b64": "e30="}),
        f"workflow.{FIRST}.commands[0].command",
        "POST",
    ),
    (_set(COMMAND, {"type": "openc2-http", "command": "POST / HTTP/1.1"}), f"workflow.{FIRST}.commands[0].content_b64", "missing"),
    (
        _set(COMMAND, {"type": "openc2-http", "command": "POST / HTTP/1.1", "content_b64": "W10="}),
        f"workflow.{FIRST}.commands[0].content_b64",
        "JSON object",
    ),
    (_set(COMMAND, {"type": "bash"}), f"workflow.{FIRST}.commands[0].command", "bash command is empty"),
    (_set(COMMAND, {"type": "bash", "command_b64": "%%"}), f"workflow.{FIRST}.commands[0].command_b64", "no base64"),
    (_set(COMMAND, {"type": "bash", "command_b64": "/w=="}), f"workflow.{FIRST}.commands[0].command_b64", "no base64 of UTF-8"),
    (
        _set(COMMAND, {"type": "bash", "command": "a", "command_b64": "YQ=="}),
        f"workflow.{FIRST}.commands[0].command_b64",
        "together",
    ),
    (_set(COMMAND, {"type": "sigma"}), f"workflow.{FIRST}.commands[0].command_b64", "sigma command is missing"),
    (
        _set(COMMAND, {"type": "jupyter", "command_b64": "e30="}),
        f"workflow.{FIRST}.commands[0]",
        "jupyter commands cannot be executed",
    ),
    (_set(f"{STEP}/-targets", None), f"workflow.{FIRST}.commands[0]", "no address to send"),
    # agents, targets, logins
    (_set(f"{TARGET}/type", "software"), f"target_definitions.{FIREWALL}.type", "kind 'software' are unknown"),
    (_set(f"{TARGET}/type", "ssh"), f"target_definitions.{FIREWALL}", "the key says http-api, the type says ssh"),
    (_set(f"{TARGET}/-address", None), f"target_definitions.{FIREWALL}.address", "address is missing"),
    (_set(f"{TARGET}/-name", None), f"target_definitions.{FIREWALL}.name", "name is missing"),
    (_set(f"{TARGET}/colour", "red"), f"target_definitions.{FIREWALL}.colour", "no property 'colour'"),
    (_set(f"{TARGET}/address/ipv4/0", "192.0.2.300"), f"target_definitions.{FIREWALL}.address.ipv4[0]", "no IPv4 address"),
    (_set(f"{TARGET}/address/ipv6/0", "192.0.2.1"), f"target_definitions.{FIREWALL}.address.ipv6[0]", "no IPv6 address"),
    (_set(f"{TARGET}/address/url/0", "ftp://fw.example.org"), f"target_definitions.{FIREWALL}.address.url[0]", "no URL"),
    (_set(f"{TARGET}/address/dname", ["hxxp://a.example/"]), f"target_definitions.{FIREWALL}.address.dname[0]", "no domain name"),
    (_set(f"{TARGET}/address/l2mac", ["00:11"]), f"target_definitions.{FIREWALL}.address.l2mac[0]", "no MAC"),
    (_set(f"{TARGET}/address/vlan", [4095]), f"target_definitions.{FIREWALL}.address.vlan[0]", "no VLAN"),
    (_set(f"{TARGET}/address/phone", ["1"]), f"target_definitions.{FIREWALL}.address.phone", "no kind of address"),
    (_set(f"{TARGET}/port", "http"), f"target_definitions.{FIREWALL}.port", "no port"),
    (_set(f"{TARGET}/port", "65536"), f"target_definitions.{FIREWALL}.port", "no port"),
    (
        _set(f"{TARGET}/authentication_info", f"http-basic--{uuid(88)}"),
        f"target_definitions.{FIREWALL}.authentication_info",
        "no login",
    ),
    (
        _set(f"agent_definitions/{PERSON}/contact", {"email": {"work": "a@b;rm -rf"}}),
        f"agent_definitions.{PERSON}.contact.email.work",
        "no e-mail",
    ),
    # secrets
    (
        _set(f"authentication_info_definitions/{LOGIN}", {"type": "http-basic", "user_id": "a", "password": "b"}),
        f"authentication_info_definitions.{LOGIN}.password",
        "in plain",
    ),
    (
        _set(f"authentication_info_definitions/{LOGIN}/password", "b"),
        f"authentication_info_definitions.{LOGIN}.password",
        "in plain",
    ),
    (
        _set(f"authentication_info_definitions/{LOGIN}/password", "__gateway__:value"),
        f"authentication_info_definitions.{LOGIN}.password",
        "in plain",
    ),
    (
        _set(f"authentication_info_definitions/{LOGIN}/-kms_key_identifier", None),
        f"authentication_info_definitions.{LOGIN}.kms_key_identifier",
        "name of the secret is missing",
    ),
    (
        _set(f"authentication_info_definitions/{LOGIN}/-kms", None),
        f"authentication_info_definitions.{LOGIN}.kms",
        "with kms true only",
    ),
    (
        _set(f"{COMMAND}/headers/Authorization", ["Bearer eyJhbGciOi"]),
        f"workflow.{FIRST}.commands[0].headers.Authorization",
        "a secret in plain",
    ),
    (
        _set(f"{COMMAND}/headers/X-API-Key", ["__gateway__:value"]),
        f"workflow.{FIRST}.commands[0].headers.X-API-Key",
        "a secret in plain",
    ),
    (
        _set(f"{TARGET}/address/url/0", "https://a:b@fw.example.org"),
        f"target_definitions.{FIREWALL}.address.url[0]",
        "user name or password",
    ),
]


@pytest.mark.parametrize(("change", "path", "message"), ERRORS, ids=[f"{path}: {message}" for _, path, message in ERRORS])
def test_every_mistake_is_told(change: Change, path: str, message: str) -> None:
    found = [one for one in problems(change) if one.severity == "error"]
    told = [one for one in found if one.path == path and message in one.message]
    assert told, [str(one) for one in found]
    assert all(one.hint for one in found)
    if path.startswith("workflow."):
        assert told[0].step == path.split(".")[1]


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (_set("created", "2026-11-27T06:30:00Z"), "created", "three digits"),
        (_set("playbook_types", ["mitigation"]), "playbook_activities", "activities"),
        (_set(f"workflow/{OTHER}", action(on_completion=END)), f"workflow.{OTHER}", "no way leads to this step"),
        (
            _set(f"{STEP}/step_variables", {"__ip__": {"type": "ipv4-addr", "value": "10.0.0.1"}}),
            f"workflow.{FIRST}.step_variables.__ip__",
            "hides",
        ),
        (_set(f"{COMMAND}/content", '"for __ip__"'), f"workflow.{FIRST}.commands[0]", "__ip__ stays as it is"),
        (_set("playbook_variables/__ip__", {"type": "ipv4-addr"}), f"workflow.{FIRST}.commands[0]", "never gets a value"),
        (_set("playbook_variables/__own__", {"type": "colour", "value": "red"}), "playbook_variables.__own__.type", "not listed"),
        (_set(f"{STEP}/agent", PERSON), f"workflow.{FIRST}.commands[0]", "does this http-api command by hand"),
        (_set("labels", []), "labels", "labels is empty"),
    ],
)
def test_what_is_doubtful_is_a_warning(change: Change, path: str, message: str) -> None:
    found = problems(change)
    assert is_right(found), [str(one) for one in found]
    assert any(one.path == path and message in one.message for one in found), [str(one) for one in found]


def _branches(one: dict[str, Any]) -> None:
    """while around parallel around switch, each branch with its own end."""
    one["workflow"].update(
        {
            FIRST: {**one["workflow"][FIRST], "on_completion": LOOP},
            LOOP: {"type": "while-condition", "condition": "__answer__:value < 3", "on_true": SPLIT, "on_completion": IF,
                   "step_variables": {"__round__": {"type": "string", "value": "a"}}},
            SPLIT: {"type": "parallel", "next_steps": [B1, CASES], "on_completion": OTHER_END},
            OTHER_END: {"type": "end"},
            B1: action(on_completion=E1, commands=[{"type": "manual", "command": "look at __round__:value"}]),
            E1: {"type": "end"},
            CASES: {"type": "switch-condition", "switch": "__round__:value", "cases": {"a": B2, "default": f"end--{uuid(31)}"},
                    "on_success": f"end--{uuid(32)}", "on_failure": f"end--{uuid(32)}"},
            B2: action(on_completion=E2, out_args=["__round__"]),
            E2: {"type": "end"},
            f"end--{uuid(31)}": {"type": "end"},
            f"end--{uuid(32)}": {"type": "end"},
        }
    )  # fmt: skip


def test_branches_within_branches_and_their_variables() -> None:
    assert problems(_branches) == []


def _with_branches(change: Change) -> Change:
    def both(one: dict[str, Any]) -> None:
        _branches(one)
        change(one)

    return both


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (_set(f"workflow/{B2}/on_completion", E1), f"workflow.{B2}.on_completion", "runs into the branch next_steps[0]"),
        (_set(f"workflow/{B1}/on_completion", LOOP), f"workflow.{B1}.on_completion", "runs into"),
        (_set(f"workflow/{SPLIT}/on_completion", LOOP), f"workflow.{SPLIT}.on_completion", "leads back to the step that opened"),
        (_set(f"workflow/{SPLIT}/next_steps", [B1]), f"workflow.{SPLIT}.next_steps", "at least two branches"),
        (_set(f"workflow/{SPLIT}/next_steps", [B1, B1]), f"workflow.{SPLIT}.next_steps[1]", "runs into"),
        (_set(f"workflow/{SPLIT}/next_steps/1", OTHER), f"workflow.{SPLIT}.next_steps[1]", "there is no step"),
        (_set(f"workflow/{CASES}/cases", {"a": OTHER}), f"workflow.{CASES}.cases.a", "there is no step"),
        (_set(f"workflow/{CASES}/switch", "round"), f"workflow.{CASES}.switch", "no variable"),
        (_set(f"workflow/{CASES}/switch", "__answer__:value"), f"workflow.{CASES}.cases.a", "never met"),
        (_set(f"workflow/{CASES}/on_success", ""), f"workflow.{CASES}.on_completion", "on_failure alone"),
        (
            _set(f"workflow/{ON_TRUE}/commands/0/command", "__round__:value"),
            f"workflow.{ON_TRUE}.commands[0]",
            "__round__ is not declared",
        ),
    ],
)
def test_mistakes_within_branches(change: Change, path: str, message: str) -> None:
    found = [one for one in problems(_with_branches(change)) if one.severity == "error"]
    assert any(one.path == path and message in one.message for one in found), [str(one) for one in found]


def test_the_exception_flow_may_end_where_the_main_flow_ends() -> None:
    assert problems(_set("workflow_exception", END)) == []
    found = problems(_set("workflow_exception", TRUE_END))
    assert "runs into" in found[0].message


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("ssh://gw.example.org", True),
        ("ssh://[2001:db8::7]:2222", True),
        ("__where__:value", True),
        ("https://gw.example.org", False),
        ("ssh://root@gw.example.org", False),
        ("ssh://gw.example.org/etc", False),
    ],
)
def test_a_host_for_ssh_may_be_named_by_a_url(url: str, right: bool) -> None:
    target = {"type": "ssh", "name": "Gateway", "address": {"url": [url]}}
    made = document(
        playbook_variables={"__where__": {"type": "uri", "external": True}}, target_definitions={f"ssh--{uuid(33)}": target}
    )
    told = [problem.message for problem in check(playbook(made), now=NOW) if "address.url" in problem.path]
    assert bool(told) != right, told


def test_own_commands_are_known_by_their_name_or_by_the_list() -> None:
    change = _set(COMMAND, {"type": "liandun-block", "address": "__ip__:value"})
    assert problems(change) == []
    assert problems(change, own_commands={"liandun-block"}) == []
    assert "no action" in problems(change, own_commands={"liandun-unblock"})[0].message


def test_a_draft_may_lack_what_comes_later_but_holds_no_secret() -> None:
    def change(one: dict[str, Any]) -> None:
        one["workflow"] = {START: {"type": "start"}}
        del one["created_by"]

    assert is_right(problems(change, draft=True))
    assert not is_right(problems(change))
    secret = _set(f"authentication_info_definitions/{LOGIN}", {"type": "http-basic", "user_id": "a", "password": "b"})
    assert not is_right(problems(secret, draft=True))


def _calls(**more: Any) -> Change:
    def change(one: dict[str, Any]) -> None:
        one["workflow"][FIRST]["on_completion"] = SUB
        one["workflow"][SUB] = {"type": "playbook-action", "playbook_id": CALLED, "on_completion": IF, **more}

    return change


def test_called_playbooks_resolve() -> None:
    needs = document()["playbook_variables"] | {"__ip__": {"type": "ipv4-addr", "external": True}}
    called = playbook(document(id=CALLED, playbook_variables=needs))
    known = {CALLED: [called]}
    assert problems(_calls(in_args=["__ip__"], out_args=["__answer__"]), known_playbooks=known) == []
    assert problems(_calls(), known_playbooks=None) == []
    cases: list[tuple[Change, str, str]] = [
        (_calls(playbook_id=f"playbook--{uuid(7)}"), "playbook_id", "is not known"),
        (_calls(playbook_id="other"), "playbook_id", "no identifier"),
        (_calls(playbook_id=f"playbook--{uuid(100)}"), "playbook_id", "runs itself"),
        (_calls(playbook_version="2020-01-01T00:00:00.000Z"), "playbook_version", "the version"),
        (_calls(), "in_args", "needs __ip__ from its caller"),
        (_calls(in_args=["__ip__"], out_args=["__gateway__"]), "out_args[0]", "constant"),
    ]
    for change, name, message in cases:
        found = problems(change, known_playbooks=known)
        assert [one for one in found if one.path == f"workflow.{SUB}.{name}" and message in one.message], found


def test_playbooks_that_call_each_other_for_ever_are_refused() -> None:
    back = document(id=CALLED)
    back["workflow"][FIRST]["on_completion"] = SUB
    back["workflow"][SUB] = {"type": "playbook-action", "playbook_id": f"playbook--{uuid(100)}", "on_completion": IF}
    found = problems(_calls(in_args=["__ip__"]), known_playbooks={CALLED: [playbook(back)]})
    assert "would never end" in found[0].message


def _diamonds(count: int) -> dict[str, Any]:
    """``count`` joined diamonds: 2 to the power of ``count`` ways through."""
    one = document()
    steps: dict[str, Any] = {START: {"type": "start", "on_completion": f"action--{uuid(1000)}"}, END: {"type": "end"}}
    for number in range(count):
        top, left, right, following = (f"action--{uuid(1000 + 3 * number + place)}" for place in range(4))
        joined = following if number + 1 < count else END
        steps[top] = action(on_success=left, on_failure=right)
        steps[left] = action(on_completion=joined)
        steps[right] = action(on_completion=joined)
    return {**copy.deepcopy(one), "workflow": steps}


def test_joined_diamonds_are_right_and_take_linear_time() -> None:
    found = check(playbook(_diamonds(1_000)), now=NOW)  # 3,002 steps; by walking each way it would never end
    assert found == []


def test_deep_nesting_does_not_crash() -> None:
    one = document()
    steps = one["workflow"]
    steps[START]["on_completion"] = f"if-condition--{uuid(5000)}"
    for number in range(5000, 6000):
        inner = f"if-condition--{uuid(number + 1)}" if number < 5999 else FIRST
        steps[f"if-condition--{uuid(number)}"] = {"type": "if-condition", "condition": "__answer__:value = 1", "on_true": inner,
                                                  "on_completion": f"end--{uuid(number)}"}  # fmt: skip
        steps[f"end--{uuid(number)}"] = {"type": "end"}
    assert is_right(check(playbook(one), now=NOW))


UNDO = f"action--{uuid(40)}"
OURS = f"workflow.{FIRST}.step_extensions.{EXTENSION}"


def _extended(**options: Any) -> Change:
    def change(one: dict[str, Any]) -> None:
        one["workflow"][FIRST]["step_extensions"] = {EXTENSION: options}
        one["workflow"][FIRST]["step_variables"] = {"__ticket__": {"type": "string"}}
        one["workflow"][FIRST]["out_args"] = ["__answer__", "__ticket__"]
        one["workflow"][UNDO] = action(on_completion=END, commands=[{"type": "manual", "command": "close __ticket__:value"}])

    return change


def test_undo_steps_are_reached_by_our_extension_and_see_what_they_take_back() -> None:
    found = problems(_extended(undo=UNDO, outputs={"__ticket__": "/result/0/number"}, retry={"attempts": 3}))
    assert [one.message for one in found] == ["our extension is not defined"]


@pytest.mark.parametrize(
    ("options", "path", "message"),
    [
        ({"undo": END}, f"{OURS}.undo", "there is no action step"),
        ({"undo": FIRST}, f"{OURS}.undo", "cannot take itself back"),
        ({"retry": {"attempts": 0}}, OURS, ">= 1"),
        ({"idempotnet": True}, OURS, "unknown field"),
        ({"outputs": {"__ip__": "/a"}}, f"{OURS}.outputs.__ip__", "not among out_args"),
        ({"outputs": {"__ticket__": "a"}}, f"{OURS}.outputs.__ticket__", "no JSON pointer"),
    ],
)
def test_our_extension_can_be_understood(options: dict[str, Any], path: str, message: str) -> None:
    found = [one for one in problems(_extended(**options)) if one.severity == "error"]
    assert any(one.path == path and message in one.message for one in found), [str(one) for one in found]


@pytest.mark.parametrize(
    ("value", "is_plain"),
    [
        ("Bearer __token__:value", False),
        ("__token__:value", False),
        ("Basic __token__:value__ip__:value", False),
        ("Bearer", False),
        ("Bearer abc__token__:value", True),
        ("Bearer __gateway__:value", True),
        ("abc", True),
    ],
)
def test_a_header_may_carry_a_variable_but_no_secret(value: str, is_plain: bool) -> None:
    def change(one: dict[str, Any]) -> None:
        one["playbook_variables"] |= {name: {"type": "string", "external": True} for name in ("__ip__", "__token__")}
        one["workflow"][FIRST]["commands"][0]["headers"] = {"Authorization": [value]}

    assert is_right(problems(change)) is not is_plain


def test_many_warnings_do_not_push_an_error_out() -> None:
    def change(one: dict[str, Any]) -> None:
        for number in range(1_500):
            one["workflow"][f"end--{uuid(10_000 + number)}"] = {"type": "end"}
        one["authentication_info_definitions"][LOGIN]["password"] = "in plain"

    found = problems(change)
    assert len(found) == 1_001
    assert found[0].severity == "error"
    assert not is_right(found)


def test_what_would_take_long_to_look_at_is_refused() -> None:
    def change(one: dict[str, Any]) -> None:
        for number in range(6):
            text = " OR ".join(f"__gateway__:value MATCHES '^{number}-{place}'" for place in range(200))
            one["workflow"][f"if-condition--{uuid(20_000 + number)}"] = {**one["workflow"][IF], "condition": text}

    assert any("more than 1,000 MATCHES" in one.message for one in problems(change))
