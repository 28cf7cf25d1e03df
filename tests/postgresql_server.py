"""A throwaway PostgreSQL cluster, started by the scripts of ``../shared/services``."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.platform import free_port


@contextlib.contextmanager
def running_postgresql(shared: Path, folder: Path) -> Iterator[str]:
    """URL of its database ``postgres`` for an account that may create databases; skips where there is no server."""
    pytest.importorskip("psycopg")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o055)  # the server runs as another account
    scripts, port = shared / "services" / "postgresql", free_port()
    with (folder / "start.out").open("wb") as output:
        started = subprocess.run(
            [str(scripts / "start.sh"), "--data", str(folder / "d"), "--port", str(port), "--db", "postgres"],
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=120,
        )
    if started.returncode:
        pytest.skip(f"no PostgreSQL server: {(folder / 'start.out').read_text()[-300:]}")
    try:
        yield f"postgresql+psycopg://test:test@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([str(scripts / "stop.sh"), "--data", str(folder / "d")], check=True, timeout=60)
