"""Giving a running Suricata new rules or address groups without a gap.

Suricata builds the new detection engine beside the one in use and swaps; packets go on meanwhile. A connection that was open
before keeps the rule group it was given until it is looked up anew. The order goes through the command socket, whose answer says
that it was taken; that the engine was swapped is seen by its reload time. Where the socket does not answer, SIGUSR2 does the same
unseen.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from collectors.suricata.control import ControlError, ask

log = logging.getLogger("liandun.suricata")

PATIENCE = 600.0
"""Seconds a reload may take (the 17,300 Emerging Threats rules of 2019 take 20 to 30 on a busy core)."""


class Reload:
    """Reloads of one Suricata; ``error`` is why the last one failed, "" otherwise."""

    def __init__(self, log_dir: Path) -> None:
        self.error = ""
        self._log = log_dir
        self._since: float | None = None
        self._before: Any = None

    @property
    def running(self) -> bool:
        return self._since is not None

    def forget(self) -> None:
        """The process it was started on has ended."""
        self._since = None

    def start(self, process: subprocess.Popen[bytes]) -> bool:
        """Order a reload; False when Suricata cannot take it now (the caller asks again later)."""
        try:
            self._before = ask(self._log, "ruleset-reload-time")
            ask(self._log, "ruleset-reload-nonblocking")
        except ControlError as error:
            if "in progress" in str(error):
                return False
            log.warning("%s; rules are reloaded by signal, unseen", error)
            process.send_signal(signal.SIGUSR2)
            self.error = ""
            return True
        self._since = time.monotonic()
        return True

    def look(self) -> bool:
        """True once, when the new rules are in use (or it is clear that they will not be: ``error`` says so)."""
        if self._since is None:
            return False
        try:
            swapped = ask(self._log, "ruleset-reload-time") != self._before
        except ControlError as error:
            swapped = False
            self.error = str(error)
        if swapped:
            self.error, self._since = "", None
            return True
        if time.monotonic() - self._since > PATIENCE:
            self.error, self._since = f"new rules are not in use after {PATIENCE:g} s; the earlier ones are", None
            return True
        return False
