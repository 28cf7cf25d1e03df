"""OpenSCAP and lynis themselves, on this machine: what they write today is read. Nothing here changes the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from compliance.importers.taking import take
from compliance.probes.findings import findings

_CONTENT = sorted(Path("/usr/share/xml/scap/ssg/content").glob("ssg-debian*-ds.xml"))
_ALL = bool(os.environ.get("LIANDUN_REQUIRE_ALL"))
_RULES = ("sshd_disable_root_login", "file_permissions_etc_shadow", "sysctl_fs_suid_dumpable", "package_nis_removed")


@pytest.mark.skipif(not _ALL and (shutil.which("oscap") is None or not _CONTENT), reason="needs openscap-scanner and ssg-debian")
def test_openscap(tmp_path: Path) -> None:
    content = tmp_path / "content.xml"  # the same guide for any Debian
    content.write_text(re.sub(r'<xccdf-1.2:platform idref="[^"]*"/>', "", _CONTENT[-1].read_text("utf-8")), "utf-8")
    line = ["oscap", "xccdf", "eval", "--profile", "xccdf_org.ssgproject.content_profile_anssi_np_nt28_high"]
    line += [word for rule in _RULES for word in ("--rule", f"xccdf_org.ssgproject.content_rule_{rule}")]
    done = subprocess.run(
        [*line, "--results-arf", str(tmp_path / "arf.xml"), "--results", str(tmp_path / "xccdf.xml"), str(content)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 2), done.stderr  # 2: a rule failed
    said = dict(re.findall(r"Rule\s+xccdf_org\.ssgproject\.content_rule_(\S+)\nResult\s+(\S+)", done.stdout))
    assert set(said) == set(_RULES)
    results, counts = take("arf", (tmp_path / "arf.xml").read_bytes())
    words = {"met": "pass", "not_met": "fail", "not_applicable": "notapplicable", "error": "error"}
    assert {one.probe.removeprefix("arf:"): words[one.outcome] for one in results} == said
    assert counts.mapped == len(_RULES)
    alone, _ = take("arf", (tmp_path / "xccdf.xml").read_bytes())
    assert [(one.probe, one.outcome, one.at) for one in alone] == [(one.probe, one.outcome, one.at) for one in results]


@pytest.mark.slow
@pytest.mark.skipif(not _ALL and (shutil.which("lynis") is None or os.geteuid() != 0), reason="needs lynis, and root")
def test_lynis(tmp_path: Path) -> None:
    report = tmp_path / "report.dat"
    line = [
        "lynis",
        "audit",
        "system",
        "--quick",
        "--no-colors",
        "--quiet",
        "--no-plugins",
        "--tests",
        "AUTH-9286 AUTH-9328 KRNL-5820 USB-1000",
    ]
    where = ["--report-file", str(report), "--logfile", str(tmp_path / "log")]
    subprocess.run([*line, *where], capture_output=True, timeout=120, check=False)
    results, counts = take("lynis", report.read_bytes())
    assert {one.probe for one in results} >= {"lynis:AUTH-9286", "lynis:KRNL-5820"}
    assert counts.mapped == len(results)
    assert findings(results, 1)
