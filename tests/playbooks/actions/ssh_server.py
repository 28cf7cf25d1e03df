"""A real sshd inside of a namespace, with a host key, a key that may log in as root, and a user with a password of its own.

``ip netns exec`` gives it a mount namespace: the accounts with passwords are there only, the machine's own stay as they are.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from playbooks.actions.contract import ActionError, Destination, Secrets
from playbooks.actions.settings import Settings
from playbooks.model import Authentication, Party
from tests.playbooks.actions.street import Street

USER, PASSWORD = "operator", "Pass word'$(id)1"
_CONFIG = """Port {port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized
PermitRootLogin prohibit-password
PasswordAuthentication yes
UsePAM no
StrictModes no
LogLevel ERROR
"""


class SshServer:
    """Started on entering, in the namespace ``side`` of the street; ends with the street."""

    def __init__(self, street: Street, side: str, address: str, folder: Path, port: int = 22, *, root: str = "") -> None:
        """``root``: another name of root, that may log in with the key."""
        self.address, self.port, self.folder = address, port, folder
        self._root = root
        self.known_hosts = folder / "known_hosts"
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("host", "login", "other"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name], check=True)
        shutil.copy(folder / "login.pub", folder / "authorized")
        self.trust("host")
        self._start(street, side)

    def trust(self, key: str) -> None:
        """Have ``known_hosts`` say that this is the host's key."""
        entry = self.address if self.port == 22 else f"[{self.address}]:{self.port}"
        kind, text, *_ = (self.folder / f"{key}.pub").read_text().split()
        self.known_hosts.write_text(f"{entry} {kind} {text}\n")

    def settings(self, **more: object) -> Settings:
        """Settings with which this host may be reached."""
        return Settings(known_hosts=self.known_hosts, **more)  # type: ignore[arg-type]

    def party(self) -> Party:
        """The host as a target."""
        kind = "ipv6" if ":" in self.address else "ipv4"
        return Party(type="ssh", name="gateway", address={kind: [self.address]}, port=str(self.port))

    def secrets(self) -> Secrets:
        """A secret store with the key (``key``), a key that is not let in (``other``) and the password (``password``), for here."""
        known = {"key": (self.folder / "login").read_text(), "other": (self.folder / "other").read_text(), "password": PASSWORD}

        def secret(name: str, places: Sequence[Destination] | None) -> str:
            if name not in known:
                raise ActionError(f"there is no secret {name}")
            assert places, "a command by SSH goes to a host of a playbook"
            return known[name]

        return secret

    def _start(self, street: Street, side: str) -> None:
        os.makedirs("/run/sshd", exist_ok=True)
        (self.folder / "sshd_config").write_text(_CONFIG.format(folder=self.folder, port=self.port))
        hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True)
        for name, line in (("passwd", f"{USER}:x:4242:4242::/:/bin/sh"), ("shadow", f"{USER}:{hashed.stdout.strip()}:20000::::::")):
            more = {"passwd": f"{self._root}:x:0:0::/root:/bin/sh\n", "shadow": f"{self._root}:*:20000::::::\n"}[name]
            (self.folder / name).write_text(Path("/etc", name).read_text() + line + "\n" + (more if self._root else ""))
        binds = " && ".join(f"mount --bind {self.folder}/{name} /etc/{name}" for name in ("passwd", "shadow"))
        street.start(side, "sh", "-c", f"{binds} && exec /usr/sbin/sshd -D -e -f {self.folder}/sshd_config")
        deadline = time.monotonic() + 20
        with street.inside(side):
            while time.monotonic() < deadline:
                try:
                    socket.create_connection((self.address, self.port), 1).close()
                    return
                except OSError:
                    time.sleep(0.05)
        raise AssertionError("sshd did not start")


def login(secret: str, user: str = "root") -> Authentication:
    """A login whose secret is in the store."""
    return Authentication(type="user-auth", username=user, kms=True, kms_key_identifier=secret)
