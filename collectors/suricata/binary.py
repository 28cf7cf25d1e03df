"""Finding the suricata program and what it can do."""

from __future__ import annotations

import re
import shutil
import subprocess

from kernel.errors import LiandunError

INSTALL_HINT = (
    "install it with: apt install suricata; on Debian 12 take the tested 7.0.10: apt install -t bookworm-backports suricata"
)


class SuricataMissing(LiandunError):
    """There is no suricata program on this machine; the hint is the install command."""


def find_suricata() -> str:
    """Path of the suricata program; raises :class:`SuricataMissing`."""
    path = shutil.which("suricata") or shutil.which("suricata", path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/suricata/bin")
    if path is None:
        raise SuricataMissing("Suricata is not installed, so packets cannot be read", INSTALL_HINT)
    return path


def suricata_version(path: str) -> str:
    """Version text such as ``7.0.10``; "" when the program does not answer."""
    try:
        answer = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(r"version (\d+\.\d+(?:\.\d+)?)", answer.stdout + answer.stderr)
    return match.group(1) if match else ""


def suricata_features(path: str) -> dict[str, str]:
    """Lines of ``--build-info`` such as ``{"AF_PACKET support": "yes", "JA4 support": "yes"}``."""
    try:
        answer = subprocess.run([path, "--build-info"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return {name.strip(): value.strip() for name, value in re.findall(r"^ +([A-Za-z0-9_+\- ]+?):\s+(\S.*)$", answer.stdout, re.M)}
