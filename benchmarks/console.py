"""The console at size: pages, API and writes of a running console over a full city, as its users' browsers would ask.

    .venv/bin/python -m benchmarks.console --folder DIR [--alerts 1000000] [--records 100000]
                                           [--events 5000000] [--calls 100]
                                           [--database sqlite|postgresql|both] [--postgresql FILE]

--folder      a data directory of its own; what is filled there is used again
--database    postgresql starts a throw-away server (tests/postgresql_server.py), filled in the folder DIR-postgresql beside
--postgresql  instead of that server: a file with the URL of an empty PostgreSQL database for the state (docs/configuration.md)
--events      in the event store, those of benchmarks/events.py (five million are five days)
--calls       of each request; at least 100, or the 95th percentile is hardly more than the slowest one

Prints the commit, and per request the median and the 95th percentile in milliseconds over HTTP, of an analyst who sees all and of
a bureau that sees its zones; the octets of each page as gzip sends them; changes a second with four clients, and of one act on many
alerts; the floor is an empty answer. Requests whose p95 misses the goal are marked.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import math
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from benchmarks import events
from benchmarks.console_city import ANALYST, BUREAU, NOW, fill, fill_events, sign_in
from cli.zones import load_plan
from demo.zone_plan import lanting_plan
from kernel.db import open_database, upgrade
from kernel.event import timestamp_from_micros
from kernel.layout import Layout
from operations.accounts.sessions import SESSION_COOKIE
from operations.alerts.models import Alert, AlertEntity
from operations.audit.schema import SYSTEM
from operations.incidents.models import Incident, IncidentZone
from operations.tickets.models import Ticket, TicketZone
from operations.zones.models import ZoneRow
from soc_ui.csrf import token_for
from tests.system.platform import free_port

LIST, TEXT, PAGE = 100, 300, 150
CHANGE = 100
LEAST_CALLS = 100
ROOT = Path(__file__).resolve().parents[1]


class Client:
    """One browser: a connection that is kept open, a session cookie."""

    def __init__(self, port: int, cookie: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._cookie = cookie

    def send(self, path: str, body: dict[str, Any]) -> Any:
        """A POST of the API; its answer."""
        status, answer, _took = self.ask(path, json.dumps(body), "application/json")
        assert status in (200, 201, 202), (status, answer[:300])
        return json.loads(answer)

    def ask(self, path: str, form: str | None = None, kind: str = "application/x-www-form-urlencoded") -> tuple[int, bytes, float]:
        """Status, body and milliseconds."""
        headers = {"Cookie": f"{SESSION_COOKIE}={self._cookie}; lang=zh"}
        if form is not None:
            headers |= {"Content-Type": kind, "X-CSRFToken": token_for(self._cookie)}
        start = time.perf_counter()
        self._connection.request("GET" if form is None else "POST", path, form, headers)
        answer = self._connection.getresponse()
        body = answer.read()
        return answer.status, body, (time.perf_counter() - start) * 1000


@contextmanager
def console(data: Path) -> Iterator[int]:
    """The console role alone, as its own process; yields its port."""
    port = free_port()
    environment = {**os.environ, "LIANDUN_DATA": str(data), "LIANDUN_CONSOLE_PORT": str(port), "PYTHONPATH": str(ROOT)}
    with (data / "console.out").open("ab") as output:
        process = subprocess.Popen([sys.executable, "-m", "cli", "role", "console"], env=environment, stdout=output, stderr=output)
    try:
        for _ in range(300):
            try:
                http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def places(session: Session, zone: str) -> dict[str, list[int]]:
    """The newest ids of each kind, those that name ``zone`` where it is given."""
    named = {
        "alert": select(AlertEntity.alert_id.label("id")).where(AlertEntity.kind == "zone", AlertEntity.value == zone),
        "incident": select(IncidentZone.incident_id.label("id")).where(IncidentZone.zone == zone),
        "ticket": select(TicketZone.ticket_id.label("id")).where(TicketZone.zone == zone),
    }
    tables = {"alert": Alert, "incident": Incident, "ticket": Ticket}
    queries = named if zone else {name: select(table.id.label("id")) for name, table in tables.items()}
    return {name: list(session.execute(query.order_by(text("id DESC")).limit(2000)).scalars()) for name, query in queries.items()}


def requests(dice: random.Random, places: dict[str, list[int]], zone: str) -> dict[str, tuple[str, int]]:
    """What is asked: name → path and the goal of its p95 in ms; arguments drawn afresh."""
    alert, incident, ticket = (dice.choice(places[name]) for name in ("alert", "incident", "ticket"))
    number = dice.randrange(300)
    return {
        "floor: an empty answer": ("/favicon.ico", LIST),
        "overview": ("/", LIST),
        "alerts": ("/alerts?status=new&status=acknowledged&status=in_progress", LIST),
        "alerts: open, high": ("/alerts?status=new&status=acknowledged&level=high&level=critical", LIST),
        "alerts: mine, nobody's": ("/alerts?view=mine-and-unassigned", LIST),
        "alerts: suppressed": ("/alerts?view=suppressed", LIST),
        "alerts: one rule": (f"/alerts?rule=rule-{dice.randrange(2000)}", LIST),
        "alerts: text": (f"/alerts?q=variant+{dice.randrange(2000)}", TEXT),
        "alert page": (f"/alerts/{alert}", PAGE),
        "API similar alerts": (f"/api/v1/alerts/{alert}/similar", LIST),
        "API alerts": ("/api/v1/alerts?limit=50", LIST),
        "API alerts: text": (f"/api/v1/alerts?text=tool+{number}+quiet", TEXT),
        "incidents": ("/incidents", LIST),
        "incidents: open, by due": ("/incidents?phase=detection&phase=containment&sort=due", LIST),
        "incidents: zone": (f"/incidents?zone={zone}", LIST),
        "incidents: text": (f"/incidents?q=tool+{number}", TEXT),
        "incident page": (f"/incidents/{incident}", PAGE),
        "API incidents": ("/api/v1/incidents?limit=50", LIST),
        "tickets": ("/tickets", LIST),
        "tickets: in hand, by due": ("/tickets?state=in_hand&sort=due", LIST),
        "tickets: text": (f"/tickets?q=tool+{number}", TEXT),
        "ticket page": (f"/tickets/{ticket}", PAGE),
        "services": ("/services", LIST),
        "services: open": ("/services?open=1", LIST),
        "supervision": ("/services/supervision", PAGE),
        "warnings": ("/warnings?status=published", LIST),
        "zones": ("/zones", PAGE),
        "assets": ("/assets", LIST),
        "rules": ("/rules", PAGE),
        "duty": ("/duty", LIST),
    }


def searches(dice: random.Random, number: int) -> dict[str, tuple[str, int]]:
    """What the hunt page asks of the event store, over the last day and over all of ``number`` events."""
    end = timestamp_from_micros(events.START + number * events.STEP)
    day = f"from={timestamp_from_micros(events.START + (number - 1_000_000) * events.STEP)}&to={end}"
    whole = f"from={timestamp_from_micros(events.START)}&to={end}"
    host, person = quote(dice.choice(events.HOSTS)), quote(dice.choice(events.USERS))
    address = f"10.{dice.randrange(8)}.{dice.randrange(8)}.{dice.randrange(250)}"
    return {
        "hunt: newest of all": (f"/hunt?{whole}", LIST),
        "hunt: one host, a day": (f"/hunt?q=host.name:{host}&{day}", LIST),
        "hunt: one address, a day": (f"/hunt?q=source.ip:{address}&{day}", LIST),
        "hunt: text, a day": (f"/hunt?q=failed+AND+{person}&{day}", TEXT),
        "hunt: text, all": (f"/hunt?q=failed+AND+{person}&{whole}", TEXT),
        "hunt: the bars, a day": (f"/hunt/histogram.json?q=host.name:{host}&{day}", TEXT),
        "hunt: a field, a day": (f"/hunt/top?field=event.dataset&q=host.name:{host}&{day}", TEXT),
        "API events: one host": (
            f"/api/v1/events?query=host.name:{host}&{day.replace('from', 'start').replace('to=', 'end=')}",
            LIST,
        ),
    }


def percentile(values: list[float], share: float = 0.95) -> float:
    """The least value that ``share`` of the values do not exceed (nearest rank); ``values`` must not be empty."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def commit() -> str:
    """The commit of this checkout, with a word where files were changed since."""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude", "*", "--abbrev=12"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def measure(client: Client, places: dict[str, list[int]], zone: str, calls: int, number: int = 0) -> None:
    """Ask everything ``calls`` times, print the table; with searches where there are a ``number`` of events."""
    dice, times, sizes, goals, refused = random.Random(3), {}, {}, {}, {}
    for call in range(calls + 1):
        asked = requests(dice, places, zone) | (searches(dice, number) if number else {})
        for name, (path, goal) in asked.items():
            status, body, took = client.ask(path)
            if status not in (200, 304):
                refused[name] = status
            if call:
                times.setdefault(name, []).append(took)
            sizes[name], goals[name] = len(gzip.compress(body, 5)), goal
    print(f"  {'milliseconds over HTTP':28}{'median':>8}{'p95':>8}{'goal':>7}{'gzip KB':>9}")
    for name, values in times.items():
        p95 = percentile(values)
        note = f"  ← status {refused[name]}" if name in refused else "  ← misses its goal" if p95 > goals[name] else ""
        print(f"  {name:28}{statistics.median(values):8.1f}{p95:8.1f}{goals[name]:7}{sizes[name] / 1000:9.1f}{note}")


def changes(port: int, cookie: str, ids: list[int], clients: int = 4, seconds: float = 10) -> None:
    """Status changes of single alerts by several clients at once."""
    times: list[list[float]] = [[] for _ in range(clients)]
    end = time.monotonic() + seconds

    def work(position: int) -> None:
        client = Client(port, cookie)
        for alert in ids[position::clients]:
            if time.monotonic() > end:
                return
            status, body, took = client.ask(f"/alerts/{alert}", "status=acknowledged")
            assert status in (200, 204, 302, 303), (status, body[:300])
            times[position].append(took)

    threads = [threading.Thread(target=work, args=(position,)) for position in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [took for client in times for took in client]
    told = f"p95 {percentile(every):,.0f} ms (goal {CHANGE}), slowest {max(every):,.0f} ms"
    print(f"  status changes with {clients} clients: {len(every) / seconds:,.0f}/s (goal 80), {told}")


def many(port: int, cookie: str) -> None:
    """One act on all new low alerts, from its preview to its end, and taken back."""
    client, begun = Client(port, cookie), time.perf_counter()
    drafted = client.send("/api/v1/alerts/bulks", {"status": "acknowledged", "filter": {"status": ["new"], "level": ["low"]}})[
        "bulk"
    ]
    shown = time.perf_counter() - begun
    for name, path in (("act", f"{drafted['id']}/start"), ("undo", f"{drafted['id']}/undo")):
        begun = time.perf_counter()
        act = client.send(f"/api/v1/alerts/bulks/{path}", {})
        while act["state"] != "done":
            time.sleep(0.05)
            act = json.loads(client.ask(f"/api/v1/alerts/bulks/{act['id']}")[1])
        took = time.perf_counter() - begun
        print(f"  bulk {name} of {act['changed']:,} alerts: {act['changed'] / took:,.0f}/s (goal 5,000); preview {shown:.1f} s")


def run(folder: Path, url: str, chosen: argparse.Namespace) -> None:
    """Fill what is not filled, and print the table. ``url``: of the PostgreSQL database, "" = SQLite in the folder."""
    layout = Layout(folder.absolute()).create()
    if url:
        layout.state_url_file.write_text(url + "\n")
        layout.state_url_file.chmod(0o600)
    with closing(open_database(layout.state_url)) as database:
        upgrade(database)
        with database.read() as session:
            empty = session.execute(select(ZoneRow.id)).first() is None
        if empty:
            load_plan(database, layout, lanting_plan(NOW), SYSTEM)
        fill(database, chosen.alerts, chosen.records)
        fill_events(layout, chosen.events)
        with database.read() as session:
            zone, owner = session.execute(select(ZoneRow.id, ZoneRow.owner).where(ZoneRow.owner != "")).first() or ("", "")
            everything, theirs = places(session, ""), places(session, zone)
            numbers = [session.execute(select(func.count()).select_from(table)).scalar_one() for table in (Alert, Incident)]
        analyst, bureau = sign_in(database, ANALYST, "analyst"), sign_in(database, BUREAU, "bureau", owner)
        full = f"{numbers[0]:,} alerts, {numbers[1]:,} incidents, {chosen.events:,} events"
        print(f"state: {database.dialect}, {full}; commit {commit()}", flush=True)
    with console(layout.root) as port:
        print(f"analyst, sees all ({chosen.calls} calls each)")
        measure(Client(port, analyst), everything, zone, chosen.calls, chosen.events)
        print(f"bureau {owner}, sees its zones")
        measure(Client(port, bureau), theirs, zone, chosen.calls)
        changes(port, analyst, everything["alert"])
        many(port, analyst)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--alerts", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--calls", type=int, default=LEAST_CALLS)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="sqlite")
    parser.add_argument("--postgresql", type=Path)
    chosen = parser.parse_args()
    if chosen.calls < LEAST_CALLS:
        print(f"{chosen.calls} calls are too few for a 95th percentile: take this table as a glance only")
    if chosen.database != "postgresql" and not chosen.postgresql:
        run(chosen.folder, "", chosen)
    if chosen.database == "sqlite" and not chosen.postgresql:
        return
    from tests.postgresql_server import running_postgresql  # with pytest, which SQLite alone must not need

    beside = chosen.folder.with_name(chosen.folder.name + "-postgresql")
    (beside / "server").mkdir(parents=True, exist_ok=True)
    given = nullcontext(chosen.postgresql.read_text().strip()) if chosen.postgresql else None
    with given or running_postgresql(ROOT.parent / "shared", beside / "server", lasting=True) as url:
        run(beside / "data", url, chosen)


if __name__ == "__main__":
    main()
