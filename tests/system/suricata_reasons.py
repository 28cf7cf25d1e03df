"""Why a test of suricata-verify does not pass with our configuration: found by experiment, one change at a time.

The first change that makes every check of the test hold is its reason; docs/suricata.md shows the table.
``PYTHONPATH=. python -m tests.system.suricata_reasons ../shared/corpora/pcaps`` prints the reasons of all tests that do not pass.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from collectors.suricata.binary import find_suricata, suricata_version
from collectors.suricata.config import CONTENT, SensorSettings, render_config
from tests.system.suricata_verify import Case, matches, read_cases, run_all

STOCK = Path("/etc/suricata/suricata.yaml")


def _ours(folder: Path, case: Case, **changes: Any) -> dict[str, Any]:
    settings = SensorSettings(log_dir=folder, rule_files=case.rules, **changes)
    document: dict[str, Any] = yaml.safe_load(render_config(settings).split("---\n", 1)[1])
    return document


def _write(folder: Path, document: Mapping[str, Any]) -> list[str]:
    path = folder / "changed.yaml"
    path.write_text("%YAML 1.1\n---\n" + yaml.safe_dump(dict(document), sort_keys=False, width=1 << 20))
    return ["-c", str(path)]


def _eve(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["outputs"][0]["eve-log"]
    return found


def _unchanged(folder: Path, case: Case) -> list[str]:
    return [*_write(folder, _ours(folder, case)), "-k", "none"]


def _no_midstream(folder: Path, case: Case) -> list[str]:
    return [*_write(folder, _ours(folder, case, midstream=False)), "-k", "none"]


def _wording(folder: Path, case: Case) -> list[str]:
    document = _ours(folder, case)
    document["classification-file"] = "/etc/suricata/classification.config"
    return [*_write(folder, document), "-k", "none"]


def _writing(folder: Path, case: Case) -> list[str]:
    document = _ours(folder, case)
    document["datasets"]["rules"]["allow-write"] = True
    return [*_write(folder, document), "-k", "none", f"--data-dir={folder}"]


def _no_filestore(folder: Path, case: Case) -> list[str]:
    return [*_write(folder, _ours(folder, case, store_files=False)), "-k", "none"]


def _checksums(folder: Path, case: Case) -> list[str]:
    document = _ours(folder, case)
    document["stream"]["checksum-validation"] = True
    document["pcap-file"]["checksum-checks"] = True
    return [*_write(folder, document), "-k", "all"]


def _more_events(folder: Path, case: Case) -> list[str]:
    """What we leave out on purpose: packets, all headers, MAC addresses, passwords, flow halves, decoder anomalies, drops."""
    document = _ours(folder, case)
    eve = _eve(document)
    eve["ethernet"] = True
    types = {next(iter(one)) if isinstance(one, dict) else one: one for one in eve["types"]}
    types["alert"] = {"alert": {"payload": True, "payload-printable": True, "packet": True, "metadata": True, "http-body": True}}
    types["http"] = {"http": {"extended": True, "dump-all-headers": "both"}}
    types["anomaly"] = {"anomaly": {"enabled": True, "types": {"decode": True, "stream": True, "applayer": True}}}
    types["mqtt"] = {"mqtt": {"passwords": True}}
    types["pgsql"] = {"pgsql": {"enabled": True, "passwords": True}}
    types |= {"netflow": "netflow", "drop": {"drop": {"alerts": True, "flows": "all"}}, "metadata": "metadata"}
    eve["types"] = list(types.values())
    return [*_write(folder, document), "-k", "none"]


def _options(folder: Path, case: Case) -> list[str]:
    return [*_unchanged(folder, case), *" ".join(case.other_options).replace("${TEST_DIR}", str(case.capture.parent)).split()]


def _own(folder: Path, case: Case) -> list[str]:
    """The test as its authors run it."""
    own = case.capture.parent / "suricata.yaml"
    rules = [part for path in case.rules for part in ("-S", str(path))] or ["-S", "/dev/null"]
    arguments = (
        " ".join(case.all_options).replace("${TEST_DIR}", str(case.capture.parent)).replace("${OUTPUT_DIR}", str(folder)).split()
    )
    return ["-c", str(own if own.is_file() else STOCK), *rules, *arguments]


CHANGES: dict[str, Callable[[Path, Case], list[str]]] = {
    # reason, as the table names it → arguments of Suricata
    "differs from run to run": _unchanged,
    "wants connections seen from their start only (we follow them midstream)": _no_midstream,
    "wants events or fields that we leave out": _more_events,
    "wants wrong checksums ignored or told (we do not check them)": _checksums,
    "wants the wording of another classification.config (ours is our own)": _wording,
    "wants rules that write files (datasets with save or state), which we refuse": _writing,
    "wants files not stored": _no_filestore,
    "wants options of its own (inline, simulated IPS, …)": _options,
    "wants a suricata.yaml of its own": _own,
}
OTHERWISE = "does not hold in 7.0.10 as its authors run it either"


def reason(case: Case) -> str:
    """The first change that makes every check hold."""
    for name, arguments in CHANGES.items():
        events = _run(case, arguments)
        if all(sum(matches(event, check.get("match") or {}) for event in events) == check["count"] for check in case.checks):
            return name
    return OTHERWISE


def _run(case: Case, arguments: Callable[[Path, Case], list[str]]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="suricata-reason-") as name:
        folder = Path(name)
        for content in ("classification.config", "reference.config"):
            shutil.copy(CONTENT / content, folder)
        command = [find_suricata(), *arguments(folder, case), "-l", name, "-r", str(case.capture), "--runmode", "single"]
        subprocess.run(command, capture_output=True, timeout=120, check=False, env={"PATH": os.defpath, "TZ": "UTC"}, cwd=folder)
        eve = folder / "eve.json"
        return [json.loads(line) for line in eve.read_text("utf-8", "replace").splitlines()] if eve.is_file() else []


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("base", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args(arguments)
    cases = [c for c in read_cases(options.base, suricata_version(find_suricata())) if c.checks and options.only in c.name]
    with tempfile.TemporaryDirectory(prefix="suricata-verify-") as folder:
        verdicts = run_all(cases, Path(folder))
    failed = [case for case, verdict in zip(cases, verdicts, strict=True) if any(one != "ok" for one in verdict.checks.values())]
    with ThreadPoolExecutor(2) as pool:
        reasons = list(pool.map(reason, failed))
    for name in (*CHANGES, OTHERWISE):
        tests = [case.name for case, why in zip(failed, reasons, strict=True) if why == name]
        if tests:
            print(f"{len(tests):4} {name}: {', '.join(tests)}")


if __name__ == "__main__":
    main(sys.argv[1:])
