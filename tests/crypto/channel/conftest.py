"""Authorities, and both ends of a link as processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto.channel.link import Credentials
from tests.conftest import ROOT
from tests.crypto.channel.authority import Authority

Talk = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if not shutil.which("openssl"):
        pytest.skip("the openssl command line is not installed")
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def server(authority: Authority) -> Credentials:
    return authority.leaf("server.test")


@pytest.fixture(scope="session")
def client(authority: Authority) -> Credentials:
    return authority.leaf("collector-1")


def start(role: str, credentials: Credentials, folder: Path, **told: Any) -> subprocess.Popen[str]:
    paths = [str(path) if path else "" for path in credentials]
    text = json.dumps({"credentials": paths, "folder": str(folder), **told})
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OPENSSL_CONF", "LIANDUN_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.crypto.channel.peer", role, text],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    """Open a link between two processes; what each of them says of it."""

    def run(server: Credentials, client: Credentials, **told: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        server_told, client_told = told.pop("server_told", {}), told.pop("client_told", {})
        host = told.pop("host", "127.0.0.1")
        with start("server", server, tmp_path, host=host, **{**told, **server_told}) as first:
            assert first.stdout is not None
            port = int(first.stdout.readline())
            with start("client", client, tmp_path, host=host, port=port, **{**told, **client_told}) as second:
                answer = second.communicate(timeout=30)[0]
            return json.loads(first.communicate(timeout=30)[0]), json.loads(answer)

    return run
