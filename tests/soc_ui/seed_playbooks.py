"""Runs of playbooks as a real executor leaves them: finished, failed, waiting for people, with hostile words."""

from __future__ import annotations

import json
import time
from importlib.resources import files

from kernel.db import Database
from operations.accounts.schema import Principal
from playbooks.actions.own_kinds import own
from playbooks.actions.registry import standard
from playbooks.extension import EXTENSION
from playbooks.run import journal
from playbooks.run.executor import Executor, Settings
from playbooks.run.gate import Gate, Need, open_gate
from playbooks.run.journal import Wanted
from playbooks.run.messages import Undo
from playbooks.run.state import Call
from playbooks.shelf import service
from playbooks.variables import Value
from tests.playbooks.documents import AGENT, END, FIRST, PERSON, START, document, octets, uuid

EVIL = "\"'><script>alert(1)</script>{{ 7*7 }}<img src=x onerror=alert(2)>"
EDITOR = Principal(0, "wang.jian", "", "responder")
UNDO = f"action--{uuid(43)}"
SETTLED = frozenset({"finished", "failed", "cancelled", "undone", "waiting"})


def shipped(name: str) -> bytes:
    """A playbook of the library."""
    return files("playbooks.library").joinpath(f"{name}.json").read_bytes()


def ticket(title: str = "核查 __ip__:value", **changes: object) -> bytes:
    """A playbook that opens a ticket and is over."""
    command = {"type": "liandun-ticket", "parameters": {"title": title, "level": "high"}}
    workflow = {
        START: {"type": "start", "on_completion": FIRST},
        FIRST: {"type": "action", "name": "开工单", "commands": [command], "agent": AGENT, "on_completion": END},
        END: {"type": "end"},
    }
    return _playbook(workflow, **changes)


def question(name: str = EVIL, **changes: object) -> bytes:
    """A playbook that asks a person for something; every word in it is hostile."""
    variables = {
        "__ip__": {"type": "ipv4-addr", "external": True, "description": EVIL},
        "__found__": {"type": "string", "description": EVIL},
    }
    command = {"type": "manual", "command": f"{EVIL} __ip__:value"}
    workflow = {
        START: {"type": "start", "on_completion": FIRST},
        FIRST: {"type": "action", "name": EVIL, "description": EVIL, "commands": [command], "agent": PERSON,
                "out_args": ["__found__"], "on_completion": END},
        END: {"type": "end"},
    }  # fmt: skip
    agents = {PERSON: {"type": "individual", "name": EVIL}}
    return _playbook(
        workflow, id=f"playbook--{uuid(300)}", name=name, agent_definitions=agents, playbook_variables=variables, **changes
    )


def _playbook(workflow: dict[str, object], **changes: object) -> bytes:
    ip = {"type": "ipv4-addr", "external": True, "value": "203.0.113.7"}
    settled = {"playbook_variables": {"__ip__": ip}, "target_definitions": {},
               "authentication_info_definitions": {}, "workflow": workflow}  # fmt: skip
    return octets(document(**settled | changes))


def two_people(call: Call) -> Need | None:
    """A gate through which nothing goes without two people."""
    return Need(number=2, seconds=3600, why=("system", "control"))


def run(
    database: Database, body: bytes, variables: dict[str, Value], *,
    called: tuple[bytes, ...] = (), by: str = "xu.fang", gate: Gate = open_gate,
) -> int:  # fmt: skip
    """Let it run until it is over or waits for a person."""
    wanted = Wanted(body=body, called=called, variables=variables, by=by, cause={"kind": "alert", "id": 1})
    settings = Settings(workers=2, poll=0.02, park=0.0)
    with Executor(database, standard() | own(database), settings, gate=gate) as executor:
        run_id = executor.submit_soon(wanted).result(20)
        settle(database, run_id)
    return run_id


def go_on(database: Database, run_id: int, state: str) -> None:
    """Let an executor read what people have said to a run, until it has this state."""
    with Executor(database, standard() | own(database), Settings(workers=2, poll=0.02, park=0.0)):
        settle(database, run_id, frozenset({state}))


def failed_undo(database: Database, by: str = "xu.fang") -> int:
    """A run that opened a ticket; its undo names a warning that does not exist, so it cannot take that back."""
    one = json.loads(ticket(id=f"playbook--{uuid(302)}"))
    back = {"type": "liandun-warning-discard", "parameters": {"warning": 999_999, "reason": "x"}}
    one["workflow"] |= {
        UNDO: {"type": "action", "name": EVIL, "commands": [back], "agent": AGENT, "on_completion": END},
    }
    one["workflow"][FIRST] |= {"name": EVIL, "step_extensions": {EXTENSION: {"undo": UNDO}}}
    run_id = run(database, json.dumps(one).encode(), {"__ip__": "203.0.113.7"}, by=by)
    with database.write() as session:
        journal.send(session, run_id, Undo(), "lin.mei")
    go_on(database, run_id, "failed")
    return run_id


def settle(database: Database, run_id: int, states: frozenset[str] = SETTLED) -> None:
    """Wait until the run has one of these states."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with database.read() as session:
            if journal.state_of(session, run_id).state in states:
                return
        time.sleep(0.02)
    raise AssertionError(f"run {run_id} is none of {sorted(states)}")


def fill_runs(database: Database) -> dict[str, int]:
    """One run of each kind, by name."""
    broken = ticket("__ip__:value " + "x" * 300, id=f"playbook--{uuid(301)}", name="标题太长")
    address: dict[str, Value] = {"__ip__": "203.0.113.7"}
    attack: dict[str, Value] = {"__address__": "203.0.113.7", "__account__": "zhang.san"}
    force = tuple(shipped(name) for name in ("contain-address", "suspend-account", "secure-evidence", "close-out"))
    return {
        "finished": run(database, ticket(), address),
        "failed": run(database, broken, address),
        "evil": run(database, question(), address),
        "approval": run(database, ticket(EVIL), address, gate=two_people),
        "shipped": run(database, shipped("brute-force"), attack, called=force),
    }


def fill_shelf(database: Database) -> None:
    """The library, a draft of a playbook with hostile words, and a second version of a shipped one."""
    with database.write() as session:
        service.install_library(session)
        service.save(session, EDITOR, question(), draft=True)
        drill = json.loads(shipped("drill"))
        drill["name"], drill["modified"] = "应急演练（改）", "2026-11-27T08:00:00.000Z"
        drill["playbook_variables"]["__scenario__"]["value"] = EVIL
        body = json.dumps(drill, ensure_ascii=False).encode()
        service.save(session, EDITOR, body, note=EVIL, base=1, draft=True)
