"""compliance-trestle, a second reader of OSCAL, in an environment of its own: what it needs clashes with what the platform needs.

Made once in the user's cache, from a lock file with hashes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

_LOCK = Path(__file__).with_name("trestle.lock")
_SECONDS = 300


class NotInstalled(Exception):
    """It cannot be installed here: most often there is no network."""


def trestle() -> Path:
    """Its command. Raises NotInstalled with what pip says."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "liandun-tests")
    mark = hashlib.sha256(_LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    place = cache / f"trestle-{mark}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "trestle.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "ready").exists():
            _run("-m", "venv", "--clear", str(place))
            pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
            pip += ["--no-deps", "--require-hashes", "-r", str(_LOCK)]
            _run(*pip, python=str(place / "bin/python"))
            (place / "ready").touch()
    return place / "bin/trestle"


def _run(*arguments: str, python: str = sys.executable) -> None:
    try:
        done = subprocess.run([python, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"compliance-trestle is not installed after {_SECONDS} s") from error
    if done.returncode:
        raise NotInstalled(f"compliance-trestle cannot be installed: {(done.stderr or done.stdout).strip()[-300:]}")
