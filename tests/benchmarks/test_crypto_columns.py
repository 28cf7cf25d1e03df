"""The benchmark of the cryptography runs with what the runtime lock installs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WITHOUT = """
import sys
sys.modules |= {"tongsuopy": None, "pytest": None}  # as where only the runtime lock is installed
from benchmarks import crypto
rates = {"SM4-GCM 1 MB seal": {"liandun": 2.0, "cryptography": 1.0}}
crypto.measure = lambda *_: rates
sys.argv = ["crypto"]
crypto.go = lambda: None
sys.exit(crypto.main())
"""


def test_without_tongsuopy_its_column_is_left_out_with_a_line_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if "tongsuopy" in line]
    assert said == ["no column tongsuopy: it is not installed (pip install tongsuopy)"]
    assert ">= 0.8 of cryptography | 2.00 |" in done.stdout
