"""Where the Go program of ``gmsm/`` stands and what builds it; without pytest, so that benchmarks/crypto.py runs without it too."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "gmsm"


def go() -> str | None:
    """The Go tool: of the path, or where its own installer puts it (``LIANDUN_GO=none``: as if there were none)."""
    if os.environ.get("LIANDUN_GO") == "none":
        return None
    return shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
