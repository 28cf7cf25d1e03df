"""Shared fixtures. ``shared`` is the folder with corpora and facts beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """../shared; a test that needs it skips on a machine without it (CI has it)."""
    if not SHARED.is_dir():
        pytest.skip("needs the corpora of ../shared")
    return SHARED
