"""When people have to agree to a command, whatever the playbook says."""

from __future__ import annotations

import ipaddress
from typing import Any

import msgspec
import pytest

from benchmarks.playbooks import chain
from playbooks.actions.contract import Request
from playbooks.actions.danger import changes_a_system
from playbooks.actions.destination import Reach
from playbooks.actions.registry import standard
from playbooks.extension import EXTENSION
from playbooks.json_text import write_json
from playbooks.model import Authentication, Command, Variable
from playbooks.reading import read
from playbooks.run.events import Started
from playbooks.run.gate import Need
from playbooks.run.machine import Machine
from playbooks.run.policy import ApprovalPolicy
from playbooks.run.state import Call

PLANT = [ipaddress.ip_network(text) for text in ("10.60.0.0/24", "fd00:60::/64")]
EVERY = frozenset({"http-api", "openc2-http", "ssh", "liandun-nft-block", "liandun-account-disable"})


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

    def in_control_zone(place: str) -> bool | None:
        """10.60.0.0/24 and fd00:60::/64 are a plant, other addresses are known to be none, names are not known."""
        try:
            network = ipaddress.ip_network(place, strict=False)
        except ValueError:
            return True if place == "plc1.water.local" else None
        return any(network.version == one.version and network.overlaps(one) for one in PLANT)  # type: ignore[arg-type]

    return ApprovalPolicy(standard(Reach.anywhere()), change, in_control_zone, automatic=automatic, minutes=45)


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


def with_command(kind: str, text: str = "", content: str = "", ot: str | None = "false", **parameters: Any) -> Call:
    call = call_of(ot=ot, address="127.0.0.1")
    command = Command(type=kind, command=text, content=content, more={"parameters": parameters} if parameters else {})
    call.request = msgspec.structs.replace(call.request, command=command)
    return call


def aimed_at(kind: str, value: str, ot: str | None = "false") -> Call:
    call = call_of(ot=ot)
    party = msgspec.structs.replace(call.request.target, address={kind: [value]})  # type: ignore[type-var]
    call.request = msgspec.structs.replace(call.request, target=party, agent=party)
    return call


@pytest.mark.parametrize(
    "call",
    [
        aimed_at("url", "http://10.60.0.5:8080/api"),
        aimed_at("url", "https://[fd00:60::5]/api"),
        aimed_at("dname", "plc1.water.local"),
        with_command("openc2-http", "POST /", '{"action": "deny", "target": {"ipv4_net": "10.60.0.5/32"}}'),
        with_command("openc2-http", "POST /", '{"action": "contain", "target": {"device": {"hostname": "plc1.water.local"}}}'),
        with_command("liandun-nft-block", address="10.60.0.128/25"),
        with_command("liandun-nft-block", address="10.0.0.0/8"),
        with_command("ssh", "reboot fd00:60::9"),
        with_command("http-api", "POST /", "a=1&host=10.60.0.9"),
    ],
)
def test_whatever_names_a_plant_needs_two(call: Call) -> None:
    need = policy(automatic=EVERY)(call)
    assert need is not None
    assert need.number == 2


def test_logging_in_at_a_plant_needs_two_were_it_to_read_only() -> None:
    read = policy(changes=False)
    assert read(with_command("liandun-evidence-host")) is None
    assert read(aimed_at("ipv4", "10.60.0.5")) is None  # a GET of HTTP without a login logs in nowhere
    for call, number in (
        (aimed_at("ipv4", "10.60.0.5"), 2),
        (aimed_at("dname", "plc1.water.local"), 2),
        (aimed_at("ipv4", "10.0.0.5"), 0),
    ):
        login = Authentication(type="http-basic", user_id="soc", kms=True, kms_key_identifier="plc")
        call.request = msgspec.structs.replace(call.request, authentication=login)
        need = read(call)
        assert (need.number if need else 0) == number
    # a plant; and a name of which neither the playbook nor the register says what it is
    paths = {"parameters": {"paths": ["/srv"]}}
    for command in (Command(type="liandun-evidence-host"), Command(type="yara", more=paths)):
        for call in (aimed_at("ipv4", "10.60.0.5"), aimed_at("dname", "no.such.name", ot=None)):
            call.request = msgspec.structs.replace(call.request, command=command)
            assert read(call) == Need(number=2, seconds=45 * 60, why=("control",))


def test_scanning_elsewhere_or_what_is_sealed_needs_nobody() -> None:
    read = policy(changes=False)
    call = aimed_at("ipv4", "10.80.0.5", ot=None)
    call.request = msgspec.structs.replace(call.request, command=Command(type="yara", more={"parameters": {"paths": ["/srv"]}}))
    assert read(call) is None
    assert read(with_command("yara", ot=None, incident=7)) is None


@pytest.mark.parametrize(
    ("call", "number"),
    [
        (aimed_at("dname", "gateway.example.cn", ot=None), 2),  # nobody knows where that is
        (aimed_at("dname", "gateway.example.cn"), 0),  # the run says that it is about no plant
        (aimed_at("ipv4", "192.0.2.1", ot=None), 0),
        (with_command("http-api", "POST /", "at 12:30:45 v1.2 ::", ot="false"), 0),  # no addresses
    ],
)
def test_what_is_not_known_counts_where_nothing_is_said(call: Call, number: int) -> None:
    need = policy(automatic=EVERY)(call)
    assert (need.number if need else 0) == number


def test_a_step_cannot_speak_for_the_playbook() -> None:
    call = call_of(ot="true")
    call.visit.scope = call.visit.scope.within({"__ot__": Variable(type="bool", value="false")})
    need = policy(automatic=EVERY)(call)
    assert need is not None
    assert need.number == 2


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        (Command(type="http-api", command="GET /users HTTP/1.1"), False),
        (Command(type="http-api", command="DELETE /users/5 HTTP/1.1"), True),
        (Command(type="http-api", command="get /users/5 HTTP/1.1"), True),
        (Command(type="http-api", command="GET /users/5 HTTP/1.1", headers={"X-HTTP-Method-Override": ["DELETE"]}), True),
        (Command(type="http-api", command="GET /users/5 HTTP/1.1", content="x"), True),
        (Command(type="http-api", command_b64="REVMRVRFIC8="), True),
        (Command(type="openc2-http", command="POST /", content='{"action": "query"}'), False),
        (Command(type="openc2-http", command="POST /", content='{"body": {"openc2": {"request": {"action": "query"}}}}'), False),
        (Command(type="openc2-http", command="POST /", content='{"action": "scan"}'), True),
        (Command(type="openc2-http", command="POST /", content='{"action": "deny", "action": "query"}'), True),
        (
            Command(
                type="openc2-http",
                command="POST /",
                content='{"action": "deny", "body": {"openc2": {"request": {"action": "query"}}}}',
            ),
            True,
        ),
        (Command(type="openc2-http", command="POST /", content="[" * 5000), True),
        (Command(type="unheard-of"), True),
        (Command(type="liandun-ticket"), False),
    ],
)
def test_what_changes_a_system(command: Command, changes: bool) -> None:
    assert changes_a_system(Request(key="1", step_id="s", command=command)) is changes
