"""An assessment at size: 1,000 objects and 211 items, the page, a whole score, and recording what a probe run found.

    .venv/bin/python -m benchmarks.compliance [--objects 1000] [--calls 100] [--database sqlite|postgresql|both]

A verdict is there for every item on every object. Prints the median and the 95th percentile of the pages in milliseconds over HTTP
from a console role of its own, the slowest of three scores by each template in seconds, and findings a second of ``record_many``:
all new, all the same as before, and one in ten changed. PostgreSQL is a throw-away server (tests/postgresql_server.py).
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import insert, select

from benchmarks.console import ROOT, Client, commit, console, percentile
from benchmarks.console_city import ANALYST, sign_in
from compliance.assessment import record, scoring
from compliance.assessment.models import VerdictRow
from compliance.assessment.schema import Finding
from compliance.catalogue.load import requirements
from compliance.scoring.templates import TEMPLATES
from compliance.systems import service
from compliance.systems.applicability import scope_of
from compliance.systems.models import ObjectRow
from compliance.systems.schema import SystemDraft
from kernel.db import Database, open_database, upgrade
from kernel.layout import Layout
from operations.accounts.schema import Principal
from operations.audit.schema import Actor

PAGE, SCORE = 300, 5
_MADE = "2026-11-28T00:00:00.000000Z"
_VERDICTS = ("met", "partly", "not_met", "met", "not_applicable")
_PROBE = Actor("probe host.login_defs")
_WHO = Principal(0, "planner", "", "secadmin")


def fill(database: Database, number: int) -> int:
    """A system with ``number`` hosts and a verdict for every item on each; its id."""
    system, ids = hosts(database, "full", number)
    said = {
        "system_id": system, "standard": "22239", "source": "probe", "judged_by": _PROBE.name, "reason": "PASS_MIN_LEN 8",
        "evidence": "a" * 64, "reproduce": "grep PASS /etc/login.defs", "detail": "", "at": _MADE, "checked_at": _MADE,
        "probed": "met", "probed_at": _MADE, "version": 1,
    }  # fmt: skip
    with database.write() as session:
        for position, placed in enumerate(one for one in requirements().placed() if not one.extension):
            what = {**said, "item": placed.item.id, "security_class": placed.security_class.id}
            verdicts = [{"object_id": one, "verdict": _VERDICTS[(one * 7 + position) % len(_VERDICTS)]} for one in ids]
            session.execute(insert(VerdictRow), [what | one for one in verdicts])
    database.analyze()
    return system


def hosts(database: Database, name: str, number: int) -> tuple[int, Sequence[int]]:
    """A system with ``number`` hosts, and their ids."""
    made = {"created_by": "", "created_at": _MADE, "updated_by": "", "updated_at": _MADE, "version": 1}
    texts = {"kind": "server_os", "asset": "", "importance": 0, "reason": "", "note": "", "removed_at": None}
    with database.write() as session:
        system = service.create_system(session, _WHO, SystemDraft(name, "S3A3")).id
        session.execute(insert(ObjectRow), [{"system_id": system, "name": f"host {one}", **texts, **made} for one in range(number)])
        return system, session.execute(select(ObjectRow.id).where(ObjectRow.system_id == system)).scalars().all()


def pages(port: int, cookie: str, system: int, calls: int) -> None:
    """The table of the pages."""
    client, names = Client(port, cookie), ("", "?result=all", "/controls/8.1.4.1.a", "/controls/8.1.4.1.a?verdict=not_met")
    print(f"  {'milliseconds over HTTP':40}{'median':>8}{'p95':>8}{'goal':>7}{'gzip KB':>9}")
    for name in names:
        path, times, body = f"/compliance/{system}{name}", [], b""
        for call in range(calls + 1):
            status, body, took = client.ask(path)
            assert status == 200, (path, status)
            times += [took] if call else []
        note = "  ← misses its goal" if percentile(times) > PAGE else ""
        size = len(gzip.compress(body, 5)) / 1000
        print(f"  {path:40}{statistics.median(times):8.1f}{percentile(times):8.1f}{PAGE:7}{size:9.1f}{note}", flush=True)


def scores(database: Database, system: int) -> None:
    """Seconds of a whole score, the slowest of three."""
    for template in TEMPLATES:
        took = []
        for _ in range(3):
            begun = time.perf_counter()
            with database.read() as session:
                scoring.score(session, system, template)
            took.append(time.perf_counter() - begun)
        print(f"  score by the template of {template}: {max(took):.2f} s (goal {SCORE})", flush=True)


def recording(database: Database, number: int) -> None:
    """Findings a second of a probe run, as often as it is recorded."""
    system, ids = hosts(database, "probed", number)
    with database.read() as session:
        scope = scope_of(session, service.get_system(session, system))
    items = [item for item in scope.items if "server_os" in scope.kinds(item)]
    for name, every in (("all new", 0), ("all as before", 0), ("one in ten changed", 10)):
        findings = [
            Finding(item, one, "met" if not every or one % every else "not_applicable", "PASS_MIN_LEN 8", "b" * 64, "grep PASS …")
            for one in ids
            for item in items
        ]
        begun = time.perf_counter()
        for start in range(0, len(findings), record.MOST_AT_ONCE):
            with database.write() as session:
                record.record_many(session, _PROBE, system, findings[start : start + record.MOST_AT_ONCE], source="probe")
        took = time.perf_counter() - begun
        print(f"  record_many, {len(findings):,} findings, {name}: {took:.1f} s, {len(findings) / took:,.0f}/s", flush=True)


def run(folder: Path, url: str, objects: int, calls: int) -> None:
    """All of it on one data base. ``url`` "" = SQLite in ``folder``."""
    layout = Layout(folder.absolute()).create()
    if url:
        layout.state_url_file.write_text(url + "\n")
        layout.state_url_file.chmod(0o600)
    with closing(open_database(layout.state_url)) as database:
        upgrade(database)
        system, cookie = fill(database, objects), sign_in(database, ANALYST, "analyst")
        print(f"{database.dialect}: {objects:,} objects × 211 items; commit {commit()}", flush=True)
        with console(layout.root) as port:
            pages(port, cookie, system, calls)
        scores(database, system)
        recording(database, objects)


@contextmanager
def servers(wanted: str, folder: Path) -> Iterator[dict[str, str]]:
    """Name → URL of the data bases that are wanted."""
    found = {} if wanted == "postgresql" else {"sqlite": ""}
    if wanted == "sqlite":
        yield found
        return
    from tests.postgresql_server import running_postgresql  # with pytest, which SQLite alone must not need

    with running_postgresql(ROOT.parent / "shared", folder) as url:
        yield found | {"postgresql": url}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=1_000)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, servers(chosen.database, Path(name)) as urls:
        for database, url in urls.items():
            run(Path(name, database), url, chosen.objects, chosen.calls)


if __name__ == "__main__":
    main()
