"""From an alert to packets that stop: trigger, question, agreement, block at a real gateway, record, and end by the kernel.

The playbooks role is a process of its own in the platform's namespace; it reaches the gateway by SSH, as in a city.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto.secret import MasterKey
from kernel.db import Database
from kernel.layout import Layout
from kernel.zones.plan import Zone, ZonePlan
from operations.alerts.reading import get_alert, history
from operations.audit import service as audit
from operations.audit.schema import SYSTEM, Actor
from operations.zones import service as zones
from playbooks.extension import EXTENSION
from playbooks.run import journal, questions, steering
from playbooks.run.questions import Question
from playbooks.shelf import service as shelf
from playbooks.triggers import service as triggers
from playbooks.triggers.schema import Definition
from playbooks.vault import service as vault
from tests.playbooks.actions.ssh_server import SshServer
from tests.playbooks.actions.street import ATTACKER, GATEWAY, SERVER, Street, available, street
from tests.playbooks.documents import AGENT, END, FIRST, START, document, octets, uuid
from tests.playbooks.matters import alert
from tests.playbooks.shelf.people import DUTY, RESPONDER
from tests.state_database import migrated
from tests.system.platform import ROOT

pytestmark = pytest.mark.skipif(not available("sshd", "ssh", "nft"), reason="needs root, iproute2, nftables and openssh-server")
ID, NOTE, UNDO, UNDO_END = f"playbook--{uuid(100)}", f"action--{uuid(30)}", f"action--{uuid(31)}", f"end--{uuid(32)}"
TARGET, LOGIN = f"ssh--{uuid(33)}", f"user-auth--{uuid(34)}"


def block_playbook() -> bytes:
    """Block the source of an alert for a minute, and write into the alert what was done."""

    def ours(kind: str, **parameters: str) -> dict[str, Any]:
        return {"type": kind, "parameters": parameters}

    values = ("__blocked__", "__blocked_until__", "__block_state__")
    block = ours("liandun-nft-block", address="__address__:value", minutes="1", reason="alert __alert_id__:value")
    unblock = ours("liandun-nft-unblock", address="__address__:value", reason="taken back")
    said = "__block_state__:value: __blocked__:value until __blocked_until__:value"
    note = ours("liandun-alert-status", alert="__alert_id__:value", status="in_progress", note=said)
    at_gateway = {"type": "action", "agent": AGENT, "targets": [TARGET]}
    options = {EXTENSION: {"idempotent": True, "undo": UNDO}}
    return octets(
        document(
            playbook_variables={
                "__address__": {"type": "string", "external": True},
                "__alert_id__": {"type": "integer", "value": "0", "external": True},
                "__ot__": {"type": "bool", "value": "true", "external": True},
                **{name: {"type": "string", "value": ""} for name in values},
            },
            workflow={
                START: {"type": "start", "on_completion": FIRST},
                FIRST: {**at_gateway, "name": "Block", "commands": [block], "out_args": list(values), "on_completion": NOTE,
                        "step_extensions": options},
                NOTE: {"type": "action", "name": "Note", "commands": [note], "agent": AGENT, "on_completion": END},
                UNDO: {**at_gateway, "name": "Unblock", "commands": [unblock], "on_completion": UNDO_END},
                UNDO_END: {"type": "end"},
                END: {"type": "end"},
            },
            agent_definitions={AGENT: {"type": "liandun", "name": "Liandun"}},
            target_definitions={
                TARGET: {"type": "ssh", "name": "Gateway", "address": {"ipv4": [GATEWAY[0]]}, "authentication_info": LOGIN}
            },
            authentication_info_definitions={
                LOGIN: {"type": "user-auth", "username": "root", "kms": True, "kms_key_identifier": "gateway"}
            },
            extension_definitions={
                EXTENSION: {"type": "extension-definition", "name": "Liandun", "created_by": f"identity--{uuid(101)}",
                            "schema": "https://liandun.example/playbooks", "version": "1.0.0"}
            },
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def there() -> Iterator[Street]:
    with street() as made:
        made.listen("server")
        yield made


@pytest.fixture(scope="module")
def gateway(there: Street, tmp_path_factory: pytest.TempPathFactory) -> SshServer:
    return SshServer(there, "gateway", GATEWAY[0], tmp_path_factory.mktemp("sshd"))


class City:
    """State of a platform, and its playbooks role in the namespace of the platform."""

    def __init__(self, there: Street, gateway: SshServer, folder: Path) -> None:
        self.there = there
        layout = Layout(folder / "data").create()
        self.data = layout.root
        (self.data / "liandun.toml").write_text(
            f'[playbooks]\nknown_hosts = "{gateway.known_hosts}"\nmanagement_networks = ["10.9.0.0/24"]\n'
        )
        self.database: Database = migrated(layout.state_url)
        key = MasterKey.load(layout.master_key)
        office = Zone(id="office", name="办公网", layer="application", owner="大数据局", importance=3, ranges=("10.60.0.0/24",))
        with self.database.write() as session:
            zones.import_plan(session, SYSTEM, ZonePlan((office,), ()))
            vault.set_secret(session, Actor("sysadmin", ""), key, "gateway", (gateway.folder / "login").read_text(), GATEWAY[:1])
            shelf.save(session, RESPONDER, block_playbook())
            shelf.release(session, DUTY, ID, 1, None)
            wanted = Definition(name="block", playbook_id=ID, kind="alert", condition={"level": "high", "per": "source_ip"})
            trigger = triggers.create(session, RESPONDER, wanted)
            triggers.set_enabled(session, DUTY, trigger.id, True, trigger.revision)
        self.role: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_DATA": str(self.data)}
        with (self.data / "role.out").open("ab") as output:
            line = ["ip", "netns", "exec", self.there.names["platform"], sys.executable, "-m", "cli", "role", "playbooks", "--stay"]
            self.role = subprocess.Popen(line, cwd=ROOT, env=environment, stdout=output, stderr=output)

    def kill(self) -> None:
        if self.role is not None:
            self.role.kill()
            self.role.wait()

    def question(self) -> Question:
        """The one that is open."""
        found: list[Question] = []

        def asked() -> bool:
            with self.database.read() as session:
                found[:] = questions.open_questions(session)
            return bool(found)

        self.wait(asked, 60, "nobody is asked")
        return found[0]

    def agree(self, asked: Question) -> None:
        with self.database.write() as session:
            questions.approve(session, DUTY, asked.id, digest=asked.digest, yes=True, comment="looked at")

    def state(self, run_id: int) -> str:
        with self.database.read() as session:
            return journal.state_of(session, run_id).state

    def wait(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{what}\n{(self.data / 'role.out').read_text()[-3000:]}"
            time.sleep(0.05)


@pytest.fixture
def city(there: Street, gateway: SshServer, tmp_path: Path) -> Iterator[City]:
    there.run("gateway", "nft", "flush", "ruleset")
    made = City(there, gateway, tmp_path)
    made.start()
    yield made
    made.kill()
    made.database.close()


@pytest.mark.slow
def test_an_alert_becomes_a_block_that_ends_by_itself(there: Street, city: City) -> None:
    assert there.reaches("attacker", SERVER[0])
    number = alert(city.database, source__ip=ATTACKER[0], host__name="WEB1", host__zone="office")
    asked = city.question()
    assert asked.line == f"block {ATTACKER[0]}/32 at {GATEWAY[0]} for 1 min: alert {number}"
    assert "BEGIN OPENSSH" not in str(asked.request)
    assert there.reaches("attacker", SERVER[0]), "nothing happens before somebody agrees"

    city.agree(asked)
    agreed = time.monotonic()
    assert there.becomes("attacker", SERVER[0], reachable=False, seconds=5)
    assert time.monotonic() - agreed < 5
    city.wait(lambda: city.state(asked.run_id) == "finished", 20, "the run does not end")

    with city.database.read() as session:
        assert get_alert(session, number).status == "in_progress"
        notes = " ".join(entry.note for entry in history(session, number))
        trail = audit.listing(session, limit=200).entries
    assert f"new: {ATTACKER[0]} until 20" in notes
    assert {"playbook.start", "playbook.approve"} <= {entry.action for entry in trail}
    acts = {entry.detail["command"]: entry for entry in trail if entry.action == "playbook.act"}
    blocked = acts["liandun-nft-block"]
    assert (blocked.actor, blocked.detail["line"]) == (f"playbook:{asked.run_id}", asked.line)
    assert blocked.detail["gave"]["__blocked__"] == ATTACKER[0]
    assert "packets 0" not in there.run("gateway", "nft", "list", "counter", "inet", "liandun", "dropped")

    city.kill()  # the platform is gone; the gateway ends the block all the same
    assert not there.reaches("attacker", SERVER[0])
    assert there.becomes("attacker", SERVER[0], reachable=True, seconds=75)
    assert time.monotonic() - agreed > 55


def test_taking_the_run_back_ends_the_block(there: Street, city: City) -> None:
    alert(city.database, source__ip=ATTACKER[0], host__zone="office")
    asked = city.question()
    city.agree(asked)
    city.wait(lambda: city.state(asked.run_id) == "finished", 20, "the run does not end")
    assert not there.reaches("attacker", SERVER[0])
    with city.database.write() as session:
        steering.undo(session, RESPONDER, asked.run_id)
    back = city.question()
    assert back.line.startswith(f"end the block of {ATTACKER[0]}/32")
    city.agree(back)
    assert there.becomes("attacker", SERVER[0], reachable=True, seconds=10)
    city.wait(lambda: city.state(asked.run_id) == "undone", 20, "the run is not taken back")
