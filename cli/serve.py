"""``liandun serve``: the whole platform on this machine, in the foreground. ``./run`` is this with the demo."""

from __future__ import annotations

import os
import resource
import shutil
from datetime import UTC, datetime
from pathlib import Path

import click

from cli.demo_advisories import begin_with_advisories
from cli.demo_compliance import begin_with_self
from cli.demo_desk import lay_out
from cli.demo_indicators import begin_with_indicators
from cli.demo_speed import speed_option
from cli.demo_warnings import begin_with_warnings
from cli.supervisor import Supervisor
from cli.zones import load_plan
from collectors.parsers import PARSERS
from demo.city import NAME as DEMO_CITY
from demo.zone_plan import lanting_plan
from kernel.config import Config, Platform, load_config
from kernel.db import Database, open_database, upgrade
from kernel.layout import Layout
from kernel.zones import ZonePlan
from operations.accounts import links
from operations.accounts import service as accounts
from operations.audit.schema import SYSTEM
from operations.zones import service as zones
from operations.zones.publish import PlanPublisher

MOST_FILES = 65_536


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data directory (default: var beside the code, or LIANDUN_DATA).")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Configuration file (TOML).")
@click.option("--port", type=int, help="Console port (default 8600).")
@click.option("--demo/--no-demo", default=False, help="Stream the simulated city through the real collectors.")
@click.option("--seed", default=7, show_default=True, help="Seed of the demo.")
@speed_option
def command(data: Path | None, config_file: Path | None, port: int | None, demo: bool, seed: int, speed: float) -> None:
    """Start all roles, tend them, print the console's address and (until there is an account) a one-time set-up link."""
    for name, value in (("LIANDUN_DATA", data), ("LIANDUN_CONFIG", config_file)):
        if value is not None:
            os.environ[name] = str(value.absolute())
    if port is not None:
        os.environ["LIANDUN_CONSOLE_PORT"] = str(port)
    if demo:
        os.environ["LIANDUN_PLATFORM_DEMO"] = "true"
        os.environ.setdefault("LIANDUN_ACCOUNTS_SECOND_FACTOR", "administrators")  # no phone is needed to look around
    config = load_config(formats=PARSERS)
    if demo and config.platform.city == Platform().city:  # a name that somebody has set stays
        os.environ["LIANDUN_PLATFORM_CITY"] = DEMO_CITY  # the roles read it too
        config = load_config(formats=PARSERS)
    layout = Layout(config.data_dir).create()
    _allow_many_files()
    supervisor = Supervisor(config, _demo_role(config, layout, seed, speed) if demo else None)
    token, missing = _prepare(layout, lanting_plan(datetime.now(UTC)) if demo else None)

    def ready() -> None:
        base = config.console.public_url.rstrip("/") or f"http://{_shown(config.console.host)}:{config.console.port}"
        lines = ["", f"  莲盾 Liandun  {base}/"]
        if token:
            lines.append(f"  首次设置 set-up  {base}/setup?token={token}   (一次有效 works once, 24 h)")
        if missing:
            lines.append(f"  nobody holds: {', '.join(missing)}   one-time links for them: ./liandun accounts links")
        if config.ingest.syslog.tcp_port:
            syslog = config.ingest.syslog
            lines.append(f"  syslog  {_shown(syslog.host)}:{syslog.tcp_port} tcp, {syslog.udp_port} udp")
        if not shutil.which("suricata"):
            lines.append("  Suricata is not installed: packets are not read (install it: apt install suricata); all else works")
        lines.append(f"  data and logs: {config.data_dir}   stop: Ctrl-C")
        click.echo("\n".join(lines) + "\n")

    supervisor.run(ready)


def _allow_many_files() -> None:
    """As many open files as the system lets us have (the usual 1,024 would be reached by senders and followed files)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _prepare(layout: Layout, plan: ZonePlan | None) -> tuple[str | None, list[str]]:
    """Bring the state database up to date; a fresh set-up token while there is no account, else the powers that nobody holds.

    plan  zone plan to begin with where there is none yet
    """
    database = open_database(layout.state_url)
    try:
        upgrade(database)
        _begin_with(database, layout, plan)
        with database.write() as session:
            token = links.create_setup_token(session)
            return token, [] if token else accounts.missing_powers(session)
    finally:
        database.close()


def _begin_with(database: Database, layout: Layout, plan: ZonePlan | None) -> None:
    """Publish the zone plan before any role starts, so that the first event is judged by it; a demo city opens its desk."""
    with database.read() as session:
        empty = not zones.list_zones(session)
    if plan is not None and empty:
        load_plan(database, layout, plan, SYSTEM)
        begin_with_warnings(database)
        begin_with_advisories(database)
        begin_with_indicators(database)
        lay_out(database)
        begin_with_self(database)
    else:
        PlanPublisher(database, layout.zones)()


def _demo_role(config: Config, layout: Layout, seed: int, speed: float) -> dict[str, list[str]]:
    """The demo sender; the ingest role of a demo platform follows the files it writes."""
    syslog = config.ingest.syslog
    arguments = ["demo", "stream", "--syslog", f"{_shown(syslog.host)}:{syslog.tcp_port}", "--json", str(layout.demo_json)]
    arguments += ["--pcap-dir", str(layout.demo_packets), "--truth", str(layout.demo_truth)]
    return {"demo": [*arguments, "--seed", str(seed), "--speed", str(speed)]}


def _shown(host: str) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 — shown, not bound
    return f"[{host}]" if ":" in host else host
