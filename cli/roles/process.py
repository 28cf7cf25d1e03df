"""What every role process does at its start: end with its parent, turn signals into an event, log in one form."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
SUPERVISOR_VARIABLE = "LIANDUN_SUPERVISOR_PID"


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the supervisor dies (Linux prctl(2)), so that no role is left behind.

    The supervisor says its process number in SUPERVISOR_VARIABLE: it may have died before this is called.
    """
    supervisor = int(os.environ.get(SUPERVISOR_VARIABLE) or os.getppid())
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != supervisor:
        os.kill(os.getpid(), signal.SIGTERM)


class _Stop(threading.Event):
    """The kernel may hand a signal to another thread, while Python's handlers run in the main one: it has to be awake for them."""

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is not None:
            return super().wait(timeout)
        while not super().wait(1.0):
            pass
        return True


def stop_event() -> threading.Event:
    """Set on SIGTERM and SIGINT."""
    stop = _Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def log_to_stderr(role: str) -> None:
    """One line per message: UTC time, role, level, text. The supervisor keeps it in ``<data>/log/<role>.log``.

    SIGUSR1 adds a traceback of every thread, to see where a role hangs.
    """
    faulthandler.register(signal.SIGUSR1)
    logging.Formatter.default_msec_format = "%s.%03dZ"
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format=f"%(asctime)s {role} %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.Formatter.converter = time.gmtime  # UTC inside, whatever the host is set to
