"""The report on back ends."""

from __future__ import annotations

import pytest

from crypto import selftest
from crypto.errors import BackendError, BackendMissingError
from crypto.sm2 import engine


def test_everything_is_served_and_right_here() -> None:
    findings = list(selftest.run())
    assert selftest.sound(findings)
    services = [finding.service for finding in findings if finding.state == "used"]
    assert {"SM3", "HMAC, KDF", "SM4 modes", "SM4-GCM", "SM4-CCM", "SM2", "SM2 encryption", "second opinion"} <= set(services)
    assert services.count("SM2") == services.count("SM4-GCM") == services.count("SM3") == 1


@pytest.mark.parametrize(("error", "state", "sound"), [(BackendMissingError, "absent", True), (BackendError, "FAILED", False)])
def test_absent_is_no_failure_and_wrong_is_one(
    monkeypatch: pytest.MonkeyPatch, error: type[BackendError], state: str, sound: bool
) -> None:
    def broken() -> engine.Engine:
        raise error("as it is")

    monkeypatch.setattr(engine, "CANDIDATES", {"broken": broken, **engine.CANDIDATES})
    findings = list(selftest.run())
    assert [finding.state for finding in findings if finding.backend == "broken"] == [state]
    assert selftest.sound(findings) is sound
