"""Probes over many hosts by SSH: how long a run takes, and that no more hosts are held at a time than was asked for.

    .venv/bin/python -m benchmarks.compliance_probes [--hosts 200] [--workers 8 16 32] [--probe host.] [--seconds 300]

The hosts are one small Debian in namespaces of its own whose real sshd answers at as many loopback addresses
(tests/compliance/probes/terrace.py): each is a connection, a login, a session, and all that a host is asked. They share the cores
of this machine with the run itself, so hosts a second are a floor. The sshd counts the sessions at a time. Needs root, iproute2
and openssh-server.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from compliance.probes.registry import of_source
from compliance.probes.run import SECONDS, Progress, run
from tests.compliance.probes.terrace import Terrace, terrace
from tests.playbooks.actions.street import available

_HEAD = f"{'workers':>8}{'seconds':>9}{'hosts/s':>9}{'at a time':>11}{'results':>9}{'errors':>8}{'CPU s':>8}"


def measure(hosts: Terrace, workers: int, seconds: float, wanted: str) -> str:
    """A line of the table."""
    probes = [one for source in ("linux", "nginx") for one in of_source(source) if one.id.startswith(wanted)]  # type: ignore[arg-type]
    before, begun, used = hosts.sessions(), time.perf_counter(), _cpu()
    with hosts.inside():
        targets = [hosts.target(name) for name in hosts.names]
        results = list(run(targets, probes, workers=workers, seconds=seconds, progress=_progress))
    took, used, seen = time.perf_counter() - begun, _cpu() - used, hosts.sessions(before.number)
    if sys.stderr.isatty():
        print(end="\r\033[K", file=sys.stderr, flush=True)
    if seen.addresses != len(targets) or seen.most > workers:
        raise SystemExit(f"{seen.addresses} of {len(targets)} hosts were reached, {seen.most} at a time with {workers} workers")
    unread = len({one.target for one in results if one.outcome == "error" and not one.evidence})
    return f"{workers:8}{took:9.1f}{len(targets) / took:9.1f}{seen.most:11}{len(results):9,}{unread:8}{used:8.1f}"


def _progress(one: Progress) -> None:
    if sys.stderr.isatty():
        print(end=f"\r\033[K{one.done}/{one.total} {one.target}", file=sys.stderr, flush=True)


def _cpu() -> float:
    """Of this process and the programs that it started and that have ended; not of the hosts."""
    both = [resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--workers", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--probe", default="", help="only probes whose id begins with this")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    chosen = parser.parse_args()
    if not available("sshd", "ssh", "unshare"):
        raise SystemExit("needs root, iproute2 and openssh-server")
    with tempfile.TemporaryDirectory() as folder, terrace(Path(folder) / "terrace", chosen.hosts) as hosts:
        print(f"{chosen.hosts} hosts\n{_HEAD}")
        for workers in chosen.workers:
            print(measure(hosts, workers, chosen.seconds, chosen.probe), flush=True)


if __name__ == "__main__":
    main()
