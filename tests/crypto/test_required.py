"""Where everything is to be installed (LIANDUN_REQUIRE_ALL), a missing program fails the tests of certificates and links."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_TESTS = {
    "openssl": ("tests/crypto/certificates/test_openssl.py", "tests/crypto/channel/test_tls13.py::test_a_silent_client_is_let_go"),
    "go": ("tests/crypto/test_gmsm_certificates.py",),
    "tongsuopy": ("tests/crypto/channel/test_tlcp.py::test_unknown_authority_and_revocation",),
}


@pytest.mark.parametrize("missing", _TESTS)
def test_missing_is_failing(missing: str, tmp_path: Path) -> None:
    outcomes = {}
    for required in ("", "1"):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_REQUIRE_ALL": required}
        environment |= {"LIANDUN_TONGSUO": "/nonexistent.so"} if missing == "tongsuopy" else {"PATH": str(tmp_path)}
        if missing == "go":
            environment["LIANDUN_GO"] = "none"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--basetemp",
            str(tmp_path / "t"),
            *_TESTS[missing],
        ]
        outcomes[required] = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert outcomes[""].returncode == 0, outcomes[""].stdout
    assert "passed" not in outcomes[""].stdout
    assert outcomes["1"].returncode == 1
    assert "skipped although LIANDUN_REQUIRE_ALL is set" in outcomes["1"].stdout
