"""``./liandun demo``: the seeded simulation that ``./run`` shows, its zone plan, and how much of it is found."""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click

from cli.demo_measure import measure_table, measured
from cli.demo_score import judge_demo, score_table
from cli.demo_speed import speed_option
from cli.roles.process import SUPERVISOR_VARIABLE, end_with_parent
from demo.chains import CHAINS
from demo.delivery import Targets
from demo.stream import DemoStream
from demo.zone_plan import lanting_plan
from kernel.config import load_config
from kernel.errors import LiandunError
from kernel.layout import Layout
from kernel.zones.plan import write_plan


def _chains(_context: click.Context, _option: click.Parameter, text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in CHAINS]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: no such attack (known: {', '.join(CHAINS)})")
    return names or tuple(CHAINS)


chains_option = click.option(
    "--chains", default="", metavar="A,B", callback=_chains, help=f"Only these attacks: {', '.join(CHAINS)} (default: all)."
)


@click.group()
def command() -> None:
    """The simulated city: normal days and attacks across its zones, sent to the real collectors (docs/demo.md)."""


@command.command()
@click.option("--syslog", required=True, metavar="HOST:PORT", help="Syslog listener (TCP and UDP); an IPv6 address in brackets.")
@click.option(
    "--json", "json_file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="JSON lines file that is followed."
)
@click.option(
    "--pcap-dir", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder whose new pcap files are read."
)
@click.option("--seed", default=7, show_default=True, help="Same seed, same records.")
@speed_option
@click.option("--once", is_flag=True, help="End when each attack has been sent once.")
@chains_option
@click.option("--benign-days", type=click.IntRange(0, 366), default=0, help="Send so many whole normal days before, at once.")
@click.option("--truth", type=click.Path(dir_okay=False, path_type=Path), help="Write the ground truth here (JSON lines).")
def stream(
    syslog: str,
    json_file: Path,
    pcap_dir: Path,
    seed: int,
    speed: float,
    once: bool,
    chains: tuple[str, ...],
    benign_days: int,
    truth: Path | None,
) -> None:
    """Send two hours of history at once, then live records until stopped (Ctrl-C or SIGTERM).

    With --benign-days N these are N normal days instead of the two hours; with --once nothing follows them.
    """
    if SUPERVISOR_VARIABLE in os.environ:  # a city must not feed the next platform of the same ports
        end_with_parent()
    targets = Targets(syslog=_address(syslog), json=json_file, pcap_dir=pcap_dir)
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        sent = DemoStream(seed, chains).run(
            targets, speed, stop, once=once, days=benign_days, since=_last_run(json_file), truth=truth, report=_tell
        )
    except OSError as error:
        raise LiandunError(
            f"demo: {error.filename or syslog}: {error.strerror or error}", "check --syslog, --json and --pcap-dir"
        ) from error
    _tell("sent: " + ", ".join(f"{count} by {route.value}" for route, count in sent.items()))


@command.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of to the screen.")
def plan(out: Path | None) -> None:
    """The city's zone plan, as `zones import` reads it. Conduits that end do so reckoned from today."""
    text = write_plan(lanting_plan(datetime.now(UTC)))
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")


@command.command()
@click.option("--seed", default=7, show_default=True, help="Which run of the demo.")
@click.option("--days", type=click.IntRange(0, 366), default=2, show_default=True, help="Normal days to be judged besides.")
@chains_option
def score(seed: int, days: int, chains: tuple[str, ...]) -> None:
    """Judge every attack and some normal days in process: found, missed, false alerts. Exit code 1 if anything is amiss."""
    judged = judge_demo(seed, chains, days)
    click.echo("\n".join(score_table(judged)))
    if judged.false or any(chain.missed for chain in judged.chains.values()):
        sys.exit(1)


@command.command()
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory (default: LIANDUN_DATA, else var).")
def measure(data: Path | None) -> None:
    """Compare the ground truth of a platform that runs with --demo with its alerts: found, missed, seconds to the alert."""
    layout = Layout(data) if data is not None else Layout(load_config().data_dir)
    click.echo("\n".join(measure_table(measured(layout))))


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdigit() or not 0 < int(port) < 65_536:
        raise click.BadParameter(f"{text!r} is not HOST:PORT", param_hint="--syslog")
    return host.strip("[]") or "127.0.0.1", int(port)


def _last_run(json_file: Path) -> datetime | None:
    """When an earlier run last wrote to the file, so that a restart does not tell the same two hours twice."""
    try:
        return datetime.fromtimestamp(json_file.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _tell(line: str) -> None:
    print(f"demo: {line}", file=sys.stderr, flush=True)
