"""A throwaway PostgreSQL cluster, started by the scripts of ``../shared/services``."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.platform import free_port


@contextlib.contextmanager
def running_postgresql(shared: Path, folder: Path, *, lasting: bool = False) -> Iterator[str]:
    """URL of its database ``postgres`` for an account that may create databases; skips where there is no server.

    Its files lie in a folder of their own: the server runs as another account, from which every run of pytest that begins takes the
    folders of all others away. ``lasting``: in ``folder``, and are used again.
    """
    pytest.importorskip("psycopg")
    with contextlib.ExitStack() as until:
        place = folder if lasting else Path(until.enter_context(tempfile.TemporaryDirectory(prefix="liandun-pg-")))
        for one in (place, *place.parents[:2]) if lasting else (place,):
            one.chmod(one.stat().st_mode | 0o055)
        scripts, port = shared / "services" / "postgresql", free_port()
        with (folder / "start.out").open("wb") as output:
            started = subprocess.run(
                [str(scripts / "start.sh"), "--data", str(place / "d"), "--port", str(port), "--db", "postgres"],
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=120,
            )
        if started.returncode:
            pytest.skip(f"no PostgreSQL server: {(folder / 'start.out').read_text()[-300:]}")
        try:
            yield f"postgresql+psycopg://test:test@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([str(scripts / "stop.sh"), "--data", str(place / "d")], check=True, timeout=60)
