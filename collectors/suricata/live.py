"""A network interface watched through Suricata: started, fed to the sink, watched, restarted.

Suricata writes eve.json; a file tail hands it on, so a kill of either side loses nothing that was written. Files it carries are
handed on by the file-store watch. What the kernel dropped comes from Suricata's own statistics and is shown as ``dropped``.

``workdir/etc`` (configuration, rules, console, pid, position) is ours; ``workdir/log`` belongs to the account Suricata runs as.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from collectors.filestore import FileStoreWatch
from collectors.suricata.binary import find_suricata
from collectors.suricata.config import PRIVATE_NETWORKS, SensorSettings, render_config
from collectors.suricata.log import problems
from collectors.suricata.workdir import ACCOUNT, copy_rules, give_away
from collectors.tail import FileTail
from kernel.record import Counters, Sink

log = logging.getLogger("liandun.suricata")

LOOK_SECONDS = 0.25
UPKEEP_SECONDS = 5.0
FIRST_WAIT, LONGEST_WAIT, STEADY = 1.0, 60.0, 60.0
"""Seconds: back-off after a crash doubles from the first to the longest; a run as long as STEADY resets it."""

ROTATE_BYTES = 256 << 20
_OLD_SECONDS = 120.0


class LiveSuricata:
    """Supervises one Suricata on one interface.

    workdir     keeps eve.json, the file store and the tail's position between runs
    rules       called at start and every few seconds; when the files it names change, Suricata reloads them without a gap
    counters    received, bytes, dropped (packets the kernel dropped), packets, files, restarts, last_received
    error       what is wrong now, "" when all is well
    problems    rules that Suricata refused, one line each
    """

    def __init__(
        self,
        interface: str,
        sink: Sink,
        workdir: Path,
        *,
        source: str = "suricata",
        rules: Callable[[], Sequence[Path]] = tuple,
        home_net: Sequence[str] = PRIVATE_NETWORKS,
    ) -> None:
        self.interface = interface
        self.counters: Counters = {"received": 0, "bytes": 0, "dropped": 0, "packets": 0, "files": 0, "restarts": 0}
        self.counters["last_received"] = 0
        self.error = ""
        self.problems: list[str] = []
        self._workdir = workdir.absolute()
        self._rules = rules
        self._home_net = tuple(home_net)
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._rules_seen: list[tuple[str, int, int]] = []
        self._names: dict[str, str] = {}
        self._etc, self._log = self._workdir / "etc", self._workdir / "log"
        self._config, self._pid_file = self._etc / "suricata.yaml", self._etc / "suricata.pid"
        self._tail = FileTail([str(self._log / "eve.json")], sink, self._etc / "position.json", source=source, format="eve")
        self._store = FileStoreWatch(self._log / "filestore", sink, source)

    def run(self) -> None:
        """Watch until :meth:`stop`. Raises SuricataMissing."""
        program = find_suricata()
        for folder in (self._workdir, self._etc, self._log):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self._workdir, self._etc):
            folder.chmod(0o755)
        self._end_leftover()
        wait, next_start, started, next_upkeep = FIRST_WAIT, 0.0, 0.0, 0.0
        try:
            while not self._stopping.is_set():
                now = time.monotonic()
                if self._process is None and now >= next_start:
                    self._start(program)
                    started = now
                elif self._process is not None and self._process.poll() is not None:
                    wait = FIRST_WAIT if now - started > STEADY else min(wait * 2, LONGEST_WAIT)
                    next_start = now + wait
                    self._crashed(wait)
                self._hand_on()
                if now >= next_upkeep:
                    next_upkeep = now + UPKEEP_SECONDS
                    self._upkeep()
                self._stopping.wait(LOOK_SECONDS)
        finally:
            self._end()
            self._hand_on()

    def stop(self) -> None:
        """Make :meth:`run` end Suricata, hand on its last events and return."""
        self._stopping.set()

    def _start(self, program: str) -> None:
        self._write_config()
        with (self._etc / "console.log").open("wb") as console:
            self._process = subprocess.Popen(
                [program, "-c", str(self._config), "-l", str(self._log), "-k", "none", "--af-packet"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=self._log,
                env={"PATH": os.defpath, "TZ": "UTC", "HOME": str(self._log)},
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._process.pid), encoding="ascii")
        log.info("suricata started on %s (pid %d)", self.interface, self._process.pid)

    def _write_config(self) -> None:
        rules = list(self._rules())
        self._rules_seen = _fingerprint(rules)
        self._names = copy_rules(rules, self._etc, log.warning)
        owner = give_away(self._log)
        if not owner and os.geteuid() == 0:
            log.warning("suricata runs as root: the account %s cannot enter %s", ACCOUNT, self._log)
        settings = SensorSettings(
            log_dir=self._log,
            rule_files=tuple(Path(copy) for copy in self._names),
            content=self._etc,
            home_net=self._home_net,
            interfaces=(self.interface,),
            run_as=ACCOUNT if owner else "",
        )
        self._config.write_text(render_config(settings), encoding="utf-8")
        self._config.chmod(0o644)

    def _crashed(self, wait: float) -> None:
        assert self._process is not None
        status = self._process.returncode
        said = [line for line in problems(self._console(), self._names) if ": sid " not in line]
        how = (
            f"was killed by signal {-status}"
            if status < 0
            else f"ended with status {status}: {said[0] if said else 'no reason given'}"
        )
        self.error = f"Suricata on {self.interface} {how}; next start in {wait:g} s"
        log.error("%s", self.error)
        self.counters["restarts"] += 1
        self._process = None

    def _console(self) -> str:
        try:
            with (self._etc / "console.log").open("rb") as file:
                return file.read(4 << 20).decode("utf-8", "replace")
        except OSError:
            return ""

    def _hand_on(self) -> None:
        if (self._log / "eve.json").is_symlink():
            self.error = f"{self._log / 'eve.json'} is a link: not followed"
            return
        self._tail.poll()
        self._store.poll()
        self.counters["received"] = self._tail.counters["received"] + self._store.counters["files"]
        self.counters["bytes"] = self._tail.counters["bytes"]
        self.counters["files"] = self._store.counters["files"]
        self.counters["last_received"] = self._tail.counters["last_received"]

    def _upkeep(self) -> None:
        if self._process is None:
            return
        self._read_statistics()
        self.problems = [line for line in problems(self._console(), self._names) if ": sid " in line]
        if self._engine_runs():
            self.error = self._tail.error
            rules = list(self._rules())
            if _fingerprint(rules) != self._rules_seen:
                self._write_config()
                self._process.send_signal(signal.SIGUSR2)
                log.info("suricata on %s: rules reloaded", self.interface)
        self._rotate()

    def _engine_runs(self) -> bool:
        return "Engine started" in self._console()

    def _read_statistics(self) -> None:
        totals = _last_line(self._log / "stats.json").get("stats")
        capture = totals.get("capture") if isinstance(totals, dict) else None
        if isinstance(capture, dict):
            self.counters["packets"] = capture.get("kernel_packets", 0)
            self.counters["dropped"] = capture.get("kernel_drops", 0)

    def _rotate(self) -> None:
        """Keep eve.json and stats.json small; a rotated file goes when the tail has finished with it."""
        for old in self._log.glob("eve.json.*"):
            if time.time() - old.lstat().st_mtime > _OLD_SECONDS:
                old.unlink()
        eve, statistics = self._log / "eve.json", self._log / "stats.json"
        with contextlib.suppress(FileNotFoundError):
            if statistics.lstat().st_size > ROTATE_BYTES // 16:
                statistics.unlink()
            elif eve.lstat().st_size > ROTATE_BYTES:
                eve.rename(eve.with_name(f"eve.json.{time.time_ns()}"))
            else:
                return
            if self._process is not None:
                self._process.send_signal(signal.SIGHUP)  # open the logs again

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()  # SIGTERM: Suricata logs the flows it still holds
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._pid_file.unlink(missing_ok=True)

    def _end_leftover(self) -> None:
        """End the Suricata that an earlier life of ours left running when it was killed: two would report everything twice."""
        try:
            pid = int(self._pid_file.read_text(encoding="ascii"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return
        if os.fsencode(self._config) not in command:
            return  # the number belongs to another process by now
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            for _ in range(100):
                time.sleep(0.1)
                os.kill(pid, 0)
            os.kill(pid, signal.SIGKILL)


def _fingerprint(rules: Sequence[Path]) -> list[tuple[str, int, int]]:
    found = []
    for path in rules:
        try:
            status = path.stat()
        except OSError:
            found.append((str(path), 0, 0))
        else:
            found.append((str(path), status.st_mtime_ns, status.st_size))
    return found


def _last_line(path: Path) -> dict[str, Any]:
    """The last whole JSON line of a growing file, {} when there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - (1 << 17)))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return {}
    try:
        found = msgspec.json.decode(lines[-1]) if lines else {}
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
