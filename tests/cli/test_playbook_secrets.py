"""``liandun playbook secret`` as its own process: piped in, listed by name, removed; the platform's key opens it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crypto.secret import MasterKey
from kernel.db import open_database
from kernel.layout import Layout
from playbooks.actions.contract import ActionError, Destination
from playbooks.vault import service as vault
from tests.state_database import migrated

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "data").create()
    database = migrated(made.state_url)
    database.close()
    return made


def run(layout: Layout, *words: str, given: bytes = b"", code: int = 0) -> str:
    line = [sys.executable, "-m", "cli", "playbook", "secret", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_DATA": str(layout.root)}
    ended = subprocess.run(line, input=given, capture_output=True, cwd=ROOT, env=environment, timeout=120)
    told = (ended.stdout + ended.stderr).decode()
    assert ended.returncode == code, told
    return told


def opened(layout: Layout, name: str, *places: Destination) -> str:
    database = open_database(layout.state_url)
    try:
        return vault.secrets(database, MasterKey.load(layout.master_key))(name, places or None)
    finally:
        database.close()


def test_set_list_remove(layout: Layout) -> None:
    assert "is set" in run(layout, "set", "fw", given="geheim-密\r\n".encode())
    run(layout, "set", "ssh-key", given=b"-----BEGIN\nabc\n-----END\n")
    assert (opened(layout, "fw"), opened(layout, "ssh-key")) == ("geheim-密", "-----BEGIN\nabc\n-----END\n")
    listed = run(layout, "list")
    assert "fw" in listed
    assert "geheim" not in listed
    assert [one["name"] for one in json.loads(run(layout, "list", "--json"))] == ["fw", "ssh-key"]
    run(layout, "remove", "fw")
    assert "fw" not in run(layout, "list")


def test_hosts_are_set_with_a_secret_and_shown_with_it(layout: Layout) -> None:
    told = run(layout, "set", "gw", "--host", "GW.example.cn:0443", "--host", "[2001:DB8:0::7]", given=b"geheim")
    assert "for gw.example.cn:443, 2001:db8::7" in told
    assert "2001:db8::7" in run(layout, "set", "gw", given=b"younger")
    assert "for gw.example.cn:443, 2001:db8::7" in run(layout, "list")
    assert json.loads(run(layout, "list", "--json"))[0]["hosts"] == ["gw.example.cn:443", "2001:db8::7"]
    assert opened(layout, "gw", Destination("gw.example.cn", 443), Destination("2001:db8::7", 8443)) == "younger"
    with pytest.raises(ActionError) as refused:
        opened(layout, "gw", Destination("gw.example.cn", 443), Destination("192.0.2.66", 443))
    assert refused.value.code == "SECRET_NOT_FOR_HOST"
    assert "no host that a playbook names" in run(layout, "set", "other", given=b"x")


def test_what_is_refused(layout: Layout, tmp_path: Path) -> None:
    assert "no secret" in run(layout, "remove", "fw", code=1)
    assert "empty" in run(layout, "set", "fw", given=b"\n", code=1)
    assert "UTF-8" in run(layout, "set", "fw", given=b"\xff\xfe", code=1)
    assert "name of a secret" in run(layout, "set", "a b", given=b"x", code=1)
    assert "is no host with a port" in run(layout, "set", "fw", "--host", "https://gw.example.cn/", given=b"x", code=1)
    assert "no platform" in run(layout, "list", "--data", str(tmp_path / "nowhere"), code=1)
