"""When people have to agree to a command, whatever the playbook says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from benchmarks.playbooks import chain
from playbooks.actions.contract import Request
from playbooks.actions.destination import Reach
from playbooks.actions.registry import standard
from playbooks.extension import EXTENSION
from playbooks.json_text import write_json
from playbooks.model import Command
from playbooks.reading import read
from playbooks.run.events import Started
from playbooks.run.gate import Need
from playbooks.run.machine import Machine
from playbooks.run.policy import ApprovalPolicy
from playbooks.run.state import Call


def call_of(*, approval: dict[str, Any] | None = None, ot: str | None = None, address: str = "127.0.0.1") -> Call:
    document = chain(1, 8080)
    for party in (*document["agent_definitions"].values(), *document.get("target_definitions", {}).values()):
        party["address"] = {"ipv6" if ":" in address else "ipv4": [address]}
    step = next(step for step in document["workflow"].values() if step["type"] == "action")
    if approval is not None:
        step["step_extensions"] = {EXTENSION: {"approval": approval}}
    if ot is not None:
        document.setdefault("playbook_variables", {})["__ot__"] = {"type": "bool", "value": ot}
    machine = Machine(read(write_json(document)))
    machine.apply(Started(at=0))
    return machine.ready()[0]


def policy(*, changes: bool = True, automatic: frozenset[str] = frozenset()) -> ApprovalPolicy:
    def change(request: Request) -> bool:
        return changes

    def in_control_zone(address: str) -> bool:
        return address in ("10.60.0.101", "fd00:60::101")

    return ApprovalPolicy(standard(Reach(Reach.ANYWHERE)), change, in_control_zone, automatic=automatic, minutes=45)


def test_what_changes_a_system_needs_one_person() -> None:
    assert policy()(call_of()) == Need(number=1, seconds=45 * 60, why=("system",))
    assert policy(changes=False)(call_of()) is None


def test_an_automatic_kind_needs_nobody() -> None:
    assert policy(automatic=frozenset({"http-api"}))(call_of(ot="false")) is None
    assert policy(automatic=frozenset({"openc2-http"}))(call_of()) is not None


def test_forcing_is_never_automatic() -> None:
    call = call_of(ot="false")
    call.request = msgspec.structs.replace(
        call.request, command=Command(type="liandun-nft-unblock", more={"parameters": {"force": "true"}})
    )
    assert policy(automatic=frozenset({"liandun-nft-unblock"}))(call) is not None


@pytest.mark.parametrize("address", ["10.60.0.101", "fd00:60::101"])
def test_in_a_control_zone_it_needs_two_and_nothing_is_automatic(address: str) -> None:
    need = policy(automatic=frozenset({"http-api"}))(call_of(address=address, ot="false"))
    assert need == Need(number=2, seconds=45 * 60, why=("system", "control"))


def test_what_may_be_a_control_zone_counts_as_one() -> None:
    need = policy(automatic=frozenset({"http-api"}))(call_of(ot="true"))
    assert need is not None
    assert need.number == 2


def test_a_playbook_may_ask_for_more_but_not_for_less() -> None:
    need = policy(changes=False)(call_of(approval={"number": 3, "roles": ["leader"], "minutes": 5}))
    assert need == Need(number=3, seconds=300, roles=("leader",), why=("step",))
    need = policy()(call_of(approval={"number": 1, "minutes": 5}, ot="true"))
    assert need == Need(number=2, seconds=300, why=("step", "system", "control"))
