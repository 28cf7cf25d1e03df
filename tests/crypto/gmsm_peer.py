"""The Go program of ``gmsm/``: github.com/emmansun/gmsm, pinned, built once per test run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Self

import pytest

from tests.crypto.gmsm_source import SOURCE, go


def build(folder: Path) -> Path:
    """The program in ``folder``; skips the test without Go, or where the module cannot be fetched."""
    tool = go()
    if tool is None:
        pytest.skip("needs go (https://go.dev/dl), for the peer made of github.com/emmansun/gmsm")
    target = folder / "gmsm-peer"
    done = subprocess.run(
        [tool, "build", "-mod=readonly", "-o", str(target), "."],
        cwd=SOURCE,
        env=os.environ | {"GOFLAGS": "", "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        pytest.skip(f"the gmsm peer cannot be built: {done.stderr.strip()[-300:]}")
    return target


class Peer:
    """Asks the running program; byte strings go as hex. A refusal comes back as None."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, op: str, **fields: bytes | str | int) -> bytes | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
        self._process.stdin.write(json.dumps({"Op": op, **request}) + "\n")
        self._process.stdin.flush()
        reply = json.loads(self._process.stdout.readline())
        return bytes.fromhex(reply["out"]) if reply["ok"] else None

    def must(self, op: str, **fields: bytes | str | int) -> bytes:
        result = self.ask(op, **fields)
        assert result is not None, f"gmsm refuses {op}"
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
