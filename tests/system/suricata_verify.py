"""The test suite of Suricata's makers (OISF suricata-verify) through our own road.

Capture → Suricata with our configuration and the test's rules → spool → pipeline → lake; then what each test.yaml expects is looked
for on both sides. A *check* of a test is a filter with a count: so many EVE events match. It holds when the EVE records that went
into the spool match as often, every record is in the store with its original unchanged, and every matching event carries there the
values it was matched by (``suricata.eve.*``, or the ECS name where the original was renamed).

Format of test.yaml and the meaning of its keys after the suite's README.md and run.py (https://github.com/OISF/suricata-verify).
Run it for the table of docs/suricata.md: ``PYTHONPATH=. python -m tests.system.suricata_verify ../shared/corpora/pcaps``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import yaml

from collectors.parsers import PARSERS
from collectors.suricata import pcap_records
from collectors.suricata.binary import find_suricata, suricata_version
from kernel.event import Event, event_id
from kernel.pipeline import Pipeline
from kernel.query import parse_query
from kernel.record import RawRecord, encode_record
from kernel.spool import SpoolReader, SpoolWriter
from kernel.store.contract import TimeRange
from kernel.store.lake import Lake

OUR_OPTIONS = frozenset({"-k none", "--set stream.midstream=true", "-k none --set stream.midstream=true", "--runmode=single"})
"""Arguments of tests that our configuration fulfils anyway."""

RENAMED = {
    "src_ip": "source.ip",
    "src_port": "source.port",
    "dest_ip": "destination.ip",
    "dest_port": "destination.port",
    "community_id": "network.community_id",
    "host": "observer.name",
}
UNTOLD = frozenset({"timestamp", "pcap_cnt", "pkt_src"})
"""Of the envelope, not of the event: only in ``event.original``."""


EXPECTED = Path(__file__).with_suffix(".json")


class Case(msgspec.Struct, frozen=True):
    """One test: its capture, its rules, and its checks that this version can be asked."""

    name: str
    capture: Path
    rules: tuple[Path, ...]
    checks: tuple[dict[str, Any], ...]
    all_options: tuple[str, ...]
    own_config: bool
    left_out: dict[str, int]

    @property
    def other_options(self) -> tuple[str, ...]:
        """Options that our configuration does not fulfil anyway."""
        return tuple(option for option in self.all_options if option not in OUR_OPTIONS)


class Verdict(msgspec.Struct):
    """Result of one test. ``checks``: number of the check → what came out (``ok``, or counts wanted and found)."""

    name: str
    records: int = 0
    checks: dict[int, str] = {}
    lost: int = 0
    problems: list[str] = []


class Expected(msgspec.Struct):
    """What is known not to hold: test → numbers of its checks (docs/suricata.md says why). Everything else must hold."""

    suricata: str
    open_checks: dict[str, list[int]]


# reading the suite


def read_cases(base: Path, version: str) -> Iterator[Case]:
    """Tests that have a capture and at least one check for this version."""
    for line in (base / "index.jsonl").read_text("utf-8").splitlines():
        test = json.loads(line)
        folder = base.absolute() / "suricata-verify" / test["test"]
        wanted = yaml.safe_load((folder / "test.yaml").read_text("utf-8")) or {}
        left_out: Counter[str] = Counter()
        checks = []
        for check in wanted.get("checks") or []:
            reason = _unsuitable(wanted.get("requires"), version) or _no_question_for_us(check, version)
            left_out[reason] += 1
            if not reason:
                checks.append(check["filter"])
        del left_out[""]
        yield Case(
            test["test"],
            folder / next(iter(test["pcap"])),
            _rule_files(folder, test["rules"], wanted.get("rules")),
            tuple(checks),
            tuple(test["args"]),
            bool(test["yaml"]),
            dict(left_out),
        )


def _rule_files(folder: Path, own: Sequence[str], elsewhere: Any) -> tuple[Path, ...]:
    """Rules beside the capture; a test may name those of another test instead."""
    if isinstance(elsewhere, str) and (folder / elsewhere).is_file():
        return ((folder / elsewhere).resolve(),)
    return tuple(folder / name for name in own)


def _unsuitable(requires: Mapping[str, Any] | None, version: str) -> str:
    """Why this machine cannot be asked, "" when it can."""
    requires = requires or {}
    if _version(str(requires.get("min-version", "0"))) > _version(version):
        return "for a later version"
    before = _version(str(requires.get("lt-version", "99")))
    if before <= _version(version)[: len(before)]:
        return "for an earlier version"
    if any("ASAN" in str(one) or "LUA" in str(one) for one in requires.get("features") or ()):
        return "needs a feature this build lacks"
    return ""


def _no_question_for_us(check: Mapping[str, Any], version: str) -> str:
    wanted = check.get("filter")
    if wanted is None:
        return "looks at statistics" if "stats" in check else "runs a script"
    if wanted.get("filename", "eve.json") != "eve.json":
        return "looks at a file that only the test's configuration writes"
    if (wanted.get("match") or {}).get("event_type") == "stats":
        return "looks at statistics"
    return _unsuitable(wanted.get("requires"), version) or _unsuitable(check.get("requires"), version)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.split("-")[0]))


# what a filter says


def matches(event: Mapping[str, Any], match: Mapping[str, Any]) -> bool:
    """Whether an EVE event has all that the filter names."""
    return all(_holds(event, key, value) for key, value in match.items())


def _holds(event: Mapping[str, Any], key: str, value: Any) -> bool:
    if key == "has-key":
        return find(event, str(value)) is not None
    if key == "not-has-key":
        return find(event, str(value)) is None
    path, _, test = key.rpartition(".")
    if not test.startswith("__"):
        return bool(find(event, key) == value)
    found = find(event, path)
    if test == "__len":
        return hasattr(found, "__len__") and len(found) == value
    if test in ("__find", "__contains"):
        return found is not None and value in found
    if test == "__startswith":
        return isinstance(found, str) and found.startswith(value)
    if test == "__endswith":
        return isinstance(found, str) and found.endswith(value)
    raise ValueError(f"unknown test {key}")


def find(obj: Any, path: str) -> Any:
    """``dns.answers[0].rrname`` of a nested object, None where there is no such thing."""
    for part in path.split("."):
        name, *indices = re.findall(r"[^\[\]]+", part)
        obj = obj.get(name) if isinstance(obj, dict) else None
        for index in indices:
            obj = obj[int(index)] if isinstance(obj, list) and int(index) < len(obj) else None
    return obj


def stored_as(event: Event, path: str, value: Any) -> bool:
    """Whether a stored event tells the value that its original has at this path."""
    plain = re.sub(r"\[\d+\]", "", path)
    if plain.split(".")[0] in UNTOLD:
        return True
    found = event.get(RENAMED.get(plain, f"suricata.eve.{plain}"))
    if isinstance(value, dict):
        return any(name.startswith(f"suricata.eve.{plain}.") for name in event) or not value
    if found == value or (found is not None and str(found) == str(value)):
        return True
    if isinstance(value, list) and value and isinstance(value[0], dict):  # a list of objects is one list per key
        return all(stored_as(event, f"{path}.{key}", inner) for one in value for key, inner in one.items())
    if isinstance(found, list) and not isinstance(value, list):
        return value in found or str(value) in map(str, found)
    return plain in ("src_ip", "dest_ip") and found is not None  # written in another form (IPv6 without zeros)


# the road


def run_cases(cases: Sequence[Case], folder: Path) -> list[Verdict]:
    """Send all through one spool and one lake in ``folder``, then judge."""
    writer = SpoolWriter(folder / "spool")
    lake = Lake.open(folder / "lake", writable=True)
    sent: dict[str, list[RawRecord]] = {}
    problems: dict[str, list[str]] = {}
    for number, case in enumerate(cases):
        work = folder / f"files-{number}"
        work.mkdir(parents=True)
        said = problems[case.name] = []
        # a stream of its own, since several tests share a capture
        sent[case.name] = [
            msgspec.structs.replace(record, source=f"case-{number}", stream=f"{number}:{record.stream}")
            for record in pcap_records(case.capture, said.append, rules=case.rules, workdir=work)
        ]
        if sent[case.name]:
            writer.put([encode_record(record) for record in sent[case.name]])
    pipeline = Pipeline(SpoolReader(folder / "spool"), lake, parsers=PARSERS, detectors=(), publish=lambda detections: None)
    while pipeline.step():
        pass
    stored = _everything(lake)
    writer.close()
    lake.close()
    return [_judge(case, sent[case.name], stored, problems[case.name]) for case in cases]


def _everything(lake: Lake) -> dict[str, Event]:
    events: dict[str, Event] = {}
    cursor = ""
    while True:
        page = lake.search(parse_query("*"), TimeRange(), limit=10_000, cursor=cursor, fields=["*"])
        events |= {event["event.id"]: event for event in page.events}
        cursor = page.cursor
        if not cursor:
            return events


def _judge(case: Case, sent: Sequence[RawRecord], stored: Mapping[str, Event], said: list[str]) -> Verdict:
    verdict = Verdict(case.name, len(sent), problems=said)
    pairs = []
    for record in sent:
        event = stored.get(event_id(record.stream, record.offset))
        if event is None:
            verdict.lost += 1
            verdict.problems.append(f"record {record.offset} is not in the store")
        elif record.format == "eve":
            if event["event.original"].encode() != record.raw:
                verdict.lost += 1
                verdict.problems.append(f"record {record.offset}: the original was changed")
            pairs.append((json.loads(record.raw), event))
    for number, check in enumerate(case.checks):
        match, wanted = check.get("match") or {}, check["count"]
        found = [(original, event) for original, event in pairs if matches(original, match)]
        if len(found) != wanted:
            verdict.checks[number] = f"{wanted} wanted, {len(found)} found"
            continue
        untold = {
            key
            for original, event in found
            for key in match
            if not key.startswith(("has-key", "not-has-key")) and "__" not in key and not stored_as(event, key, find(original, key))
        }
        verdict.checks[number] = f"not in the store: {', '.join(sorted(untold))}" if untold else "ok"
    return verdict


def run_all(cases: Sequence[Case], folder: Path, workers: int = 2) -> list[Verdict]:
    """All cases, in ``workers`` processes; new ones, since a fork of a process with running threads may crash."""
    parts = [list(cases[number::workers]) for number in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = pool.map(run_cases, parts, [folder / str(number) for number in range(workers)])
        verdicts = {verdict.name: verdict for part in found for verdict in part}
    return [verdicts[case.name] for case in cases]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("base", type=Path, help="folder with index.jsonl and suricata-verify/")
    parser.add_argument("--only", default="", help="tests whose name contains this")
    parser.add_argument("--record", action="store_true", help=f"write what does not hold to {EXPECTED.name}")
    options = parser.parse_args(arguments)
    version = suricata_version(find_suricata())
    cases = [case for case in read_cases(options.base, version) if options.only in case.name]
    asked = [case for case in cases if case.checks]
    with tempfile.TemporaryDirectory(prefix="suricata-verify-") as folder:
        verdicts = run_all(asked, Path(folder))
    left_out: Counter[str] = Counter()
    for case in cases:
        left_out.update(case.left_out)
    for verdict in verdicts:
        for number, result in verdict.checks.items():
            if result != "ok":
                print(f"{verdict.name}: check {number}: {result}")
    results = [result for verdict in verdicts for result in verdict.checks.values()]
    whole = sum(set(verdict.checks.values()) == {"ok"} for verdict in verdicts)
    print(f"{len(cases)} tests, {len(asked)} can be asked, {whole} pass whole; {results.count('ok')} of {len(results)} checks hold")
    print(f"left out: {dict(left_out)}")
    print(f"{sum(verdict.records for verdict in verdicts)} records, {sum(verdict.lost for verdict in verdicts)} lost or changed")
    if options.record:
        open_checks = {v.name: [n for n, result in v.checks.items() if result != "ok"] for v in verdicts}
        expected = Expected(version, {name: numbers for name, numbers in open_checks.items() if numbers})
        EXPECTED.write_bytes(msgspec.json.encode(expected).replace(b'],"', b'],\n"') + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
