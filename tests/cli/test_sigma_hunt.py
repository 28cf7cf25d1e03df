"""``sigma`` commands of playbooks on a real event store, as the role wires them; and what is said of them without one."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from cli.__main__ import main
from cli.sigma_hunt import SigmaHunt
from kernel.db import Database
from kernel.event import timestamp
from kernel.store.contract import Commit, EventStore
from kernel.store.lake import Lake
from operations.audit.models import AuditEntry
from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.destination import Reach
from playbooks.actions.looking_kinds import looking
from playbooks.actions.sigma import Sigma
from playbooks.extension import Options
from playbooks.model import Command
from playbooks.variables import Value
from tests.playbooks.documents import FIRST, document, octets
from tests.state_database import migrated

RULE = """title: Word
logsource: {product: liandun, service: test}
detection:
  selection: {process.command_line|contains: 'whoami /'}
  condition: selection
"""
NOW = datetime.now(UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Lake]:
    lake = Lake.open(tmp_path / "lake", writable=True)
    events = [
        {
            "@timestamp": timestamp(NOW - timedelta(hours=hours)),
            "event.id": f"e{hours:02d}",
            "event.dataset": "liandun.test",
            "host.name": f"web-{hours}",
            "process.command_line": "WHOAMI /all",
        }
        for hours in (1, 5, 30)
    ]
    lake.commit(Commit(events=events))
    yield lake
    lake.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = migrated(f"sqlite:///{tmp_path / 'state.db'}")
    yield made
    made.close()


def _request(rule: str, *wanted: str, outputs: dict[str, str] | None = None, **given: Any) -> Request:
    return Request(
        key="7.1",
        step_id="action--1",
        command=Command(type="sigma", command=rule, more={"parameters": given}),
        out_args=wanted,
        options=Options(outputs=outputs or {}),
    )


def _run(store: EventStore, request: Request, stop: threading.Event | None = None) -> dict[str, Value]:
    return dict(Sigma(SigmaHunt(lambda: store)).run(request, Context(time.monotonic() + 30, stop=stop)))


def test_what_is_found_in_a_day(store: Lake) -> None:
    wanted = ("__matches__", "__hosts__", "__oldest__", "__third__")
    got = _run(store, _request(RULE, *wanted, outputs={"__oldest__": "/event_ids/0", "__third__": "/hosts/2"}))
    assert (got["__matches__"], got["__oldest__"], "__third__" in got) == ("2", "e05", False)
    assert sorted(msgspec.json.decode(str(got["__hosts__"]))) == ["web-1", "web-5"]
    assert _run(store, _request(RULE, "__any__", hours="48")) == {"__any__": "3"}


def test_another_time(store: Lake) -> None:
    until = timestamp(NOW - timedelta(hours=4))
    assert _run(store, _request(RULE, "__matches__", until=until, hours=2)) == {"__matches__": "1"}
    for wrong in ({"until": "yesterday"}, {"hours": 0}, {"hours": 9_000}, {"days": 1}):
        with pytest.raises(ActionError) as caught:
            _run(store, _request(RULE, "__matches__", **wrong))
        assert caught.value.code == "COMMAND_WRONG"


def test_a_bad_rule_is_told_by_the_plan() -> None:
    with pytest.raises(ActionError, match="line 4: Unknown modifier 'contians'") as caught:
        Sigma(SigmaHunt()).plan(_request(RULE.replace("contains", "contians")))
    assert caught.value.code == "COMMAND_WRONG"
    plan = Sigma(SigmaHunt()).plan(_request(RULE, hours="48"))
    assert (plan.line, plan.touches) == ("look for Word in the 48 h before now", ("event store",))


def test_it_ends_when_it_is_called_off(store: Lake) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(ActionError) as caught:
        _run(store, _request(RULE, "__matches__"), stop)
    assert caught.value.code == "ACTION_CANCELLED"


def test_without_a_store() -> None:
    with pytest.raises(ActionError, match="no event store here"):
        Sigma(SigmaHunt()).run(_request(RULE), Context(time.monotonic() + 5))
    assert set(looking(Reach())) == {"elastic"}


def test_attempts_stand_in_the_audit_trail(store: Lake, database: Database) -> None:
    kinds = looking(Reach(), SigmaHunt(lambda: store), database)
    kinds["sigma"].run(_request(RULE, "__matches__"), Context(time.monotonic() + 30))
    with database.read() as session:
        (entry,) = session.execute(select(AuditEntry).where(AuditEntry.action == "playbook.act")).scalars()
    detail = msgspec.json.decode(entry.detail)
    assert (entry.actor, detail["gave"], detail["line"]) == (
        "playbook:7", {"__matches__": "2"}, "look for Word in the 24 h before now",
    )  # fmt: skip


def _file(tmp_path: Path, rule: str) -> Path:
    one = document()
    encoded = base64.b64encode(rule.encode()).decode()
    one["workflow"][FIRST] |= {"name": "Hunt", "commands": [{"type": "sigma", "command_b64": encoded}]}
    del one["workflow"][FIRST]["targets"]
    file = tmp_path / "hunt.json"
    file.write_bytes(octets(one))
    return file


def _cli(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["playbook", *map(str, arguments)])


def test_the_check_compiles_rules(tmp_path: Path) -> None:
    assert _cli("check", _file(tmp_path, RULE)).exit_code == 0
    result = _cli("check", _file(tmp_path, RULE.replace("contains", "contians")))
    assert result.exit_code == 1
    assert "commands[0].command_b64: line 4: Unknown modifier 'contians'" in result.output
    assert "no Sigma rule with a detection" in _cli("check", _file(tmp_path, "title: x")).output


def test_a_run_outside_of_the_platform(tmp_path: Path) -> None:
    file = _file(tmp_path, RULE)
    shown = _cli("run", file, "--set", "ip=192.0.2.7", "--dry-run", "--assume", "answer=0")
    assert (shown.exit_code, "would do: look for Word in the 24 h before now" in shown.output) == (0, True)
    done = _cli("run", file, "--set", "ip=192.0.2.7")
    assert done.exit_code == 1
    assert "sigma commands are carried out by the platform only; these steps will fail here: Hunt" in done.output
