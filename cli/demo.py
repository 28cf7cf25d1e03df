"""``./liandun demo``: the seeded simulation that ``./run`` shows."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click

from demo.delivery import Targets
from demo.stream import DemoStream
from kernel.errors import LiandunError


@click.group()
def command() -> None:
    """The simulated city: benign background and two attacks, sent to the real collectors."""


@command.command()
@click.option("--syslog", required=True, metavar="HOST:PORT", help="Syslog listener (TCP and UDP); an IPv6 address in brackets.")
@click.option(
    "--json", "json_file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="JSON lines file that is followed."
)
@click.option(
    "--pcap-dir", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder whose new pcap files are read."
)
@click.option("--seed", default=7, show_default=True, help="Same seed, same records.")
@click.option("--speed", default=1.0, show_default=True, help="Demo seconds per second.")
@click.option("--once", is_flag=True, help="End when each attack has been sent once.")
@click.option("--truth", type=click.Path(dir_okay=False, path_type=Path), help="Write the ground truth here (JSON lines).")
def stream(syslog: str, json_file: Path, pcap_dir: Path, seed: int, speed: float, once: bool, truth: Path | None) -> None:
    """Send two hours of history at once, then live records until stopped (Ctrl-C or SIGTERM)."""
    if speed <= 0:
        raise click.BadParameter("must be greater than 0", param_hint="--speed")
    targets = Targets(syslog=_address(syslog), json=json_file, pcap_dir=pcap_dir)
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        sent = DemoStream(seed).run(targets, speed, stop, once=once, since=_last_run(json_file), truth=truth, report=_tell)
    except OSError as error:
        raise LiandunError(
            f"demo: {error.filename or syslog}: {error.strerror or error}", "check --syslog, --json and --pcap-dir"
        ) from error
    _tell("sent: " + ", ".join(f"{count} by {route.value}" for route, count in sent.items()))


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
