"""The demo ends with the platform it belongs to, however that ends: a city left behind would feed whatever starts next."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.system.platform import Platform, wait_until


@pytest.mark.slow
def test_the_demo_ends_with_a_killed_supervisor(tmp_path: Path) -> None:
    platform = Platform(tmp_path / "data", "--demo")
    platform.start()
    try:
        wait_until(lambda: bool(_streams(platform)), 60, "the demo sends")
        (stream,) = _streams(platform)
        left = platform.health()["ingest"].pid
        platform.kill("supervisor")
        wait_until(lambda: stream not in _streams(platform), 20, "the demo has ended")
        assert Path(f"/proc/{left}").exists()  # that one stays on purpose (kernel.handover), so the next start takes it over
        platform.start()
        wait_until(lambda: bool(_streams(platform)), 60, "the demo of the next platform sends")
        assert len(_streams(platform)) == 1
    finally:
        platform.stop()
    assert _streams(platform) == []


def _streams(platform: Platform) -> list[int]:
    """Process numbers of the demo senders that write into this platform's folder (Linux, like the supervisor)."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended meanwhile
        if b"stream" in words and str(platform.layout.demo_json).encode() in words:
            found.append(int(folder.name))
    return found
