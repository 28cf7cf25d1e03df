"""Windows hosts that ``compliance probe`` asks by WinRM: the client of playbooks takes the export script there (ADR 12)."""

from __future__ import annotations

import threading
import time

import msgspec

from compliance.probes.reading.windows_host import WindowsHost
from kernel.config import Config
from kernel.errors import LiandunError
from kernel.programs.ssh_host import SshHost
from kernel.programs.time_left import TimeLeft
from playbooks.actions.contract import Context, Request, Secrets
from playbooks.actions.destination import Reach
from playbooks.actions.powershell import LONGEST, PORT, Powershell
from playbooks.actions.settings import settings_of
from playbooks.model import Authentication, Command, Party


class _CalledOff(threading.Event):
    """Is set when the time that a probe has is over, or the run was called off: the client looks several times a second."""

    def __init__(self, time_left: TimeLeft) -> None:
        super().__init__()
        self._time_left = time_left

    def is_set(self) -> bool:
        try:
            self._time_left.left()
        except LiandunError:
            return True
        return super().is_set()


class Winrm(msgspec.Struct, frozen=True):
    """PowerShell of one host. ``secret``: name of its password in the store; it has to be meant for the host."""

    host: SshHost
    user: str
    secret: str
    action: Powershell
    secrets: Secrets
    longest: int = LONGEST

    def run(self, script: str, time_left: TimeLeft) -> str:
        request = Request(
            key="compliance.probe",
            step_id="compliance-probe",
            command=Command(type="powershell", command=script),
            target_id="host",
            target=Party(type="net-address", address={"dname": [self.host.name]}, port=str(self.host.port)),
            authentication=Authentication(type="user-auth", username=self.user, kms=True, kms_key_identifier=self.secret),
        )
        finished = self.action.said(request, Context(time.monotonic() + time_left.left(), self.secrets, _CalledOff(time_left)))
        if finished.code != 0:
            raise LiandunError(f"{self.host.shown()}: PowerShell ended with {finished.code}: {finished.said()}")
        return finished.output.decode("utf-8", "replace")


def windows_host(host: SshHost, user: str, secret: str, config: Config, secrets: Secrets) -> WindowsHost:
    """Within the networks and authorities of [playbooks]."""
    rules = config.playbooks
    action = Powershell(settings_of(rules), Reach(tuple(rules.allowed_networks), tuple(rules.plain_hosts)))
    return WindowsHost(host.shown(), Winrm(host, user, secret, action, secrets))


def with_port(text: str) -> str:
    """The host as ``read_host`` takes it, with the port of WinRM over TLS where it has none."""
    if text.startswith("["):
        return text if "]:" in text else f"{text}:{PORT}"
    return text if text.count(":") == 1 else f"[{text}]:{PORT}" if ":" in text else f"{text}:{PORT}"
