"""The client of the documentation, as somebody would run it: its own process, over HTTP, with a key."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from apiflask import APIFlask

FILE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "liandun_client.py"


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def url(app: APIFlask) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("liandun_client", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_reads_every_page_once(url: str, client: ModuleType, tokens: dict[str, str]) -> None:
    city = client.Liandun(url, tokens["analyst:read"])
    small = [row["id"] for row in city.listing("/alerts", "alerts", limit=7)]
    whole = [row["id"] for row in city.listing("/alerts", "alerts", limit=500)]
    assert small == whole
    assert len(set(whole)) == len(whole) > 20


def test_two_clients_do_not_overwrite_each_other(url: str, client: ModuleType, tokens: dict[str, str]) -> None:
    city = client.Liandun(url, tokens["analyst:write"])
    number = next(iter(city.listing("/alerts", "alerts", status="new")))["id"]
    decided = []

    def decide(alert: dict[str, Any]) -> dict[str, object]:
        decided.append(alert["alert"]["version"])
        if len(decided) == 1:  # somebody else is quicker
            city.call("PATCH", f"/alerts/{number}", {"status": "acknowledged"}, version="*")
        return {"status": "in_progress"}

    assert city.change(f"/alerts/{number}", decide)["status"] == "in_progress"
    assert decided[1] > decided[0]


def test_what_is_refused_is_told(url: str, client: ModuleType, tokens: dict[str, str]) -> None:
    with pytest.raises(client.ApiError, match=r"^403 ") as told:
        client.Liandun(url, tokens["analyst:read"]).call("GET", "/audit")
    assert told.value.problem["status"] == 403


def test_from_the_command_line(url: str, tokens: dict[str, str]) -> None:
    environment = {**os.environ, "LIANDUN_KEY": tokens["analyst:read"]}
    done = subprocess.run([sys.executable, str(FILE), url], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines == sorted(lines)
    assert len(lines) > 3
