"""``/health``: what this very process and machine are like; licences of what is really installed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cli.platform_health import PlatformReader
from kernel.config import Config
from kernel.health import HealthFile
from kernel.layout import Layout
from kernel.system_clock import clock_state
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from soc_ui.admin.health import packages
from soc_ui.app import create_app
from soc_ui.services import PlatformHealth, Services
from tests.soc_ui.conftest import browser_of
from tests.soc_ui.seed import ADMINISTRATORS


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "data").create()


@pytest.fixture
def seen(filled: Services) -> Callable[..., str]:
    def ask(found: PlatformHealth, path: str = "/health", name: str = ADMINISTRATORS["sysadmin"][0]) -> str:
        return browser_of(create_app(replace(filled, platform=lambda: found)), name, "zh").get(path).text

    return ask


def test_the_reader_tells_of_real_processes_spool_and_disk(layout: Layout) -> None:
    HealthFile(layout.health, "worker").write({}, problem="disk is full")
    (layout.spool / "segment").write_bytes(b"x" * 5000)
    found = PlatformReader(Config(), layout, "sqlite")()
    states = {role.name: role for role in found.roles}
    assert list(states) == ["ingest", "worker", "console", "scheduler", "playbooks"]
    assert states["worker"].alive
    assert states["worker"].problem == "disk is full"
    assert 10_000_000 < states["worker"].memory < 10_000_000_000
    assert not states["ingest"].alive
    assert found.waiting == 5000
    assert 0 < found.disk_free < found.disk_size


def test_the_clock_is_what_the_kernel_says(layout: Layout) -> None:
    state = clock_state()
    if state is None:
        pytest.skip("the kernel does not say whether the clock is kept right")
    assert PlatformReader(Config(), layout, "sqlite")().clock == ("steady" if state.synchronised else "adrift")
    assert state.error_seconds >= 0


def test_a_full_disk_a_stopped_process_and_a_drifting_clock_are_told_in_words(seen: Callable[..., str], layout: Layout) -> None:
    found = PlatformReader(Config(), layout, "sqlite")()
    page = seen(replace(found, disk_free=1, disk_size=100, clock="adrift"))
    assert page.count("不在运行") == 5
    assert "需要处理" in page
    assert "未受时间服务器校准" in page
    calm = seen(replace(found, disk_free=99, disk_size=100, clock="steady", clock_error_seconds=0.002))
    assert "需要处理" not in calm
    assert "2 毫秒" in calm


def test_the_last_backup_is_that_of_the_trail(filled: Services, sysadmin: FlaskClient) -> None:
    assert "none yet" in sysadmin.get("/health").text
    with filled.database.write() as session:
        audit.append(session, SYSTEM, "backup.create", "backup", "<b>state.sealed")
    page = sysadmin.get("/health").text
    assert "&lt;b&gt;state.sealed" in page
    assert "none yet" not in page


def test_licences_name_what_is_installed(sysadmin: FlaskClient) -> None:
    known = {one.name.casefold(): one for one in packages()}
    assert "BSD" in known["flask"].licence
    assert len(known) > 50
    page = sysadmin.get("/health/licences?q=flask").text
    assert re.search(r"<b>Flask</b>", page)
    assert "gunicorn" not in page
    assert "No package" in sysadmin.get("/health/licences?q=%3Cscript%3E").text


def test_only_for_who_tends_the_platform(client: FlaskClient, auditadmin: FlaskClient) -> None:
    assert client.get("/health").status_code == 403
    assert auditadmin.get("/health/licences").status_code == 403
