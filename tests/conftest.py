"""Shared fixtures. ``shared`` is the folder with corpora and facts beside the checkout."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from crypto import password
from tests.elasticsearch_node import running_node, server_url

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """../shared; a test that needs it skips on a machine without it (CI has it)."""
    if not SHARED.is_dir():
        pytest.skip("needs the corpora of ../shared")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Argon2id as cheap as it goes, in this process: a real hash takes 0.2 s, and thousands are made here.

    The real one is tested in tests/crypto/test_password.py, and where whole platforms run.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(password, "_argon2", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """URL of one real node without security for the whole session."""
    if server_url():
        yield server_url()
        return
    with running_node() as node:
        yield f"http://127.0.0.1:{node.port}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where LIANDUN_REQUIRE_ALL is set (CI) a skipped test is a failed one: everything it needs was to be installed."""
    report = yield
    if report.skipped and os.environ.get("LIANDUN_REQUIRE_ALL"):
        report.outcome = "failed"
        report.longrepr = f"skipped although LIANDUN_REQUIRE_ALL is set: {report.longrepr}"
    return report
