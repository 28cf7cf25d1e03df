"""A network interface watched through Suricata: started, fed to the sink, watched, restarted.

Suricata writes eve.json; a file tail hands it on, so a kill of either side loses nothing that was written. Files it carries are
handed on by the file-store watch. How the sensor is (packets lost in the kernel, memory limits hit, rules refused, …) comes from
Suricata's own statistics and stands in ``counters``.

New rules and a changed zone plan are taken over by a reload without a gap. Rules that Suricata refuses are listed; rules that it
does not survive are left out, so that flows, protocols and files go on.

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

from collectors.filestore import FileStoreWatch
from collectors.suricata.binary import find_suricata
from collectors.suricata.config import SensorSettings, render_config
from collectors.suricata.disk import DiskGuard
from collectors.suricata.log import is_refusal, last_load, problems
from collectors.suricata.networks import Networks
from collectors.suricata.reload import Reload
from collectors.suricata.statistics import COUNTERS, SensorStatistics
from collectors.suricata.workdir import ACCOUNT, copy_rules, give_away
from collectors.tail import FileTail
from kernel.record import Counters, Sink

log = logging.getLogger("liandun.suricata")

LOOK_SECONDS = 0.25
UPKEEP_SECONDS = 5.0
FIRST_WAIT, LONGEST_WAIT, STEADY = 1.0, 60.0, 60.0
"""Seconds: back-off after a crash doubles from the first to the longest; a run as long as STEADY resets it."""

EARLY_DEATHS = 2
"""So many ends in a row before the engine stood, and the rules are left out until they change."""

_LONGEST_CONSOLE = 4 << 20


class LiveSuricata:
    """Supervises one Suricata on one interface.

    workdir     keeps eve.json, the file store and the tail's position between runs
    rules       called at start and every few seconds; when the files it names change, Suricata reloads them without a gap
    networks    likewise: the zones of the city, for rules that name them
    vlan_tracking, packets, all_packets  see SensorSettings
    counters    received, bytes, files, restarts, last_received, and those of collectors.suricata.statistics (``dropped``: packets
                the kernel dropped) and collectors.suricata.disk
    error       what is wrong now, "" when all is well
    problems    rules that Suricata refused, one line each: ``FILE:LINE: sid N: REASON``
    """

    def __init__(
        self,
        interface: str,
        sink: Sink,
        workdir: Path,
        *,
        source: str = "suricata",
        rules: Callable[[], Sequence[Path]] = tuple,
        networks: Callable[[], Networks] = Networks,
        vlan_tracking: bool = True,
        packets: int = 0,
        all_packets: bool = False,
    ) -> None:
        self.interface = interface
        self.counters: Counters = dict.fromkeys(("received", "bytes", "files", "restarts", "last_received", *COUNTERS), 0)
        self.error = ""
        self.problems: list[str] = []
        self._source = source
        self._workdir = workdir.absolute()
        self._rules = rules
        self._networks = networks
        self._vlan_tracking = vlan_tracking
        self._packets, self._all_packets = packets, all_packets
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._inputs: object = None
        self._names: dict[str, str] = {}
        self._run_as = ""
        self._early_deaths = 0
        self._started = False
        self._etc, self._log = self._workdir / "etc", self._workdir / "log"
        self._config, self._pid_file = self._etc / "suricata.yaml", self._etc / "suricata.pid"
        self._tail = FileTail([str(self._log / "eve.json")], sink, self._etc / "position.json", source=source, format="eve")
        self._store = FileStoreWatch(self._log / "filestore", sink, self._etc / "files.json", source)
        self._statistics = SensorStatistics(interface, self._log)
        self._reload = Reload(self._log)
        self._disk = DiskGuard(self._log, self._store, self._tail.holds, self._pause, packets=packets)

    def run(self) -> None:
        """Watch until :meth:`stop`. Raises SuricataMissing."""
        program = find_suricata()
        for folder in (self._workdir, self._etc, self._log):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self._workdir, self._etc):
            folder.chmod(0o755)
        self._log.chmod(0o700)  # events and packets are for us and the account Suricata runs as
        self._end_leftover()
        self._disk.start()
        wait, next_start, started, next_upkeep = FIRST_WAIT, 0.0, 0.0, 0.0
        try:
            while not self._stopping.is_set():
                now = time.monotonic()
                if self._process is None and now >= next_start and not self._disk.paused:
                    self._start(program)
                    started = now
                elif self._process is not None and self._process.poll() is not None:
                    wait = FIRST_WAIT if now - started > STEADY else min(wait * 2, LONGEST_WAIT)
                    next_start = now + wait
                    self._ended(wait)
                self._hand_on()
                if now >= next_upkeep:
                    next_upkeep = now + UPKEEP_SECONDS
                    self._upkeep()
                self._stopping.wait(LOOK_SECONDS)
        finally:
            self._disk.stop()
            self._end()
            self._hand_on()

    def stop(self) -> None:
        """Make :meth:`run` end Suricata, hand on its last events and return."""
        self._stopping.set()

    def _start(self, program: str) -> None:
        self._store.forget_unfinished()
        self._run_as = ACCOUNT if give_away(self._log) else ""
        if not self._run_as and os.geteuid() == 0:
            log.warning("suricata runs as root: the account %s cannot enter %s", ACCOUNT, self._log)
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
        self._started = False
        self._pid_file.write_text(str(self._process.pid), encoding="ascii")
        log.info("suricata started on %s (pid %d)", self.interface, self._process.pid)

    def _write_config(self) -> None:
        rules, networks = list(self._rules()), self._networks()
        inputs = (_fingerprint(rules), networks)
        if inputs != self._inputs:
            self._early_deaths = 0
        self._inputs = inputs
        if self._early_deaths >= EARLY_DEATHS:
            rules = []
        self._names = copy_rules(rules, self._etc, log.warning)
        settings = SensorSettings(
            log_dir=self._log,
            rule_files=tuple(Path(copy) for copy in self._names),
            content=self._etc,
            networks=networks,
            name=self._source,
            interfaces=(self.interface,),
            vlan_tracking=self._vlan_tracking,
            run_as=self._run_as,
            packets=self._packets,
            all_packets=self._all_packets,
        )
        fresh = self._config.with_suffix(".new")
        fresh.write_text(render_config(settings), encoding="utf-8")
        fresh.chmod(0o644)
        fresh.replace(self._config)

    def _ended(self, wait: float) -> None:
        """Suricata ended by itself, or by the disk guard."""
        assert self._process is not None
        status, self._process = self._process.returncode, None
        self._reload.forget()
        if self._disk.paused:
            return
        said = [line for line in problems(self._console(), self._names) if not is_refusal(line)]
        how = (
            f"was killed by signal {-status}"
            if status < 0
            else f"ended with status {status}: {said[0] if said else 'no reason given'}"
        )
        self.error = f"Suricata on {self.interface} {how}; next start in {wait:g} s"
        if not self._started and self._names:
            self._early_deaths += 1
        if self._early_deaths >= EARLY_DEATHS:
            self.error += " without rules: it ended while it read them"
        log.error("%s", self.error)
        self.counters["restarts"] += 1

    def _pause(self) -> None:
        """The disk guard's order (its thread): nothing more may be written. The loop starts Suricata again when there is room."""
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()

    def _console(self) -> str:
        try:
            with (self._etc / "console.log").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST_CONSOLE))
                return file.read().decode("utf-8", "replace")
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
        self.counters |= self._store.counters | self._disk.counters
        self.counters["last_received"] = self._tail.counters["last_received"]

    def _upkeep(self) -> None:
        self._rotate()
        if self._disk.paused:
            self.error = self._disk.paused
        if self._process is None:
            return
        self._statistics.read(self.counters)
        if not self._started:
            console = self._console()
            self._started = "Engine started" in console
            self.problems = refused(console, self._names)
        if self._started and not self._disk.paused:
            self._take_changes(self._process)
            self.error = self._reload.error or self._disk.error or self._tail.error or self._missing_rules()

    def _missing_rules(self) -> str:
        if self._early_deaths < EARLY_DEATHS:
            return ""
        return f"Suricata on {self.interface} runs without rules: it ended {EARLY_DEATHS} times while it read them"

    def _take_changes(self, process: subprocess.Popen[bytes]) -> None:
        if self._reload.look():
            self.problems = refused(self._console(), self._names)
            log.info("suricata on %s: rules reloaded, %d refused", self.interface, len(self.problems))
        if self._reload.running or (_fingerprint(list(self._rules())), self._networks()) == self._inputs:
            return
        known = self._inputs
        self._write_config()
        if not self._reload.start(process):
            self._inputs = known  # it is still busy with an earlier one: once more at the next look

    def _rotate(self) -> None:
        """Suricata goes on in a new file when one has grown; the disk guard removes what has been read."""
        if self._disk.rotate() and self._process is not None:
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


def refused(console: str, names: dict[str, str]) -> list[str]:
    """Rules refused at the last load, one line each."""
    return [line for line in problems(last_load(console), names) if is_refusal(line)]


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
