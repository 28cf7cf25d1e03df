"""A whole small Debian to look at: its own /etc, /var and processes in namespaces, with a real sshd.

Its root is a tmpfs with /usr of this machine; the scan for files with special bits sees both. The machine's own files stay as they
are.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from kernel.programs.ssh import Login
from kernel.programs.ssh_host import SshHost
from tests.playbooks.actions.street import SERVER, Street

_UP = """set -e
mount --make-rprivate /
mount -t tmpfs house {root}
cp -a {folder}/tree/. {root}/
cd {root}
for one in bin sbin lib lib64; do [ -L /$one ] && ln -s usr/$one $one; done
mkdir -p usr proc sys dev run/sshd tmp root
chmod 1777 tmp
mount --bind /usr usr; mount -t proc proc proc; mount --rbind /dev dev; mount -t sysfs -o ro sysfs sys
exec chroot {root} /usr/sbin/sshd -D -e
"""
_OWN = ("proc", "sys", "dev", "usr", "run")


class House:
    """Up when made; ends with the street. ``files``: what its /etc and /var have beside or instead of this machine's /etc."""

    def __init__(self, street: Street, side: str, folder: Path, files: Mapping[str, str | None], modes: Mapping[str, int]) -> None:
        self.host = SshHost(SERVER[0], 22)
        self.known_hosts = folder / "known_hosts"
        self._root, tree = folder / "root", folder / "tree"
        self._root.mkdir(parents=True)
        shutil.copytree("/etc", tree / "etc", symlinks=True, ignore=shutil.ignore_patterns("ssl", "fonts"))
        (tree / "var/log").mkdir(parents=True)
        for name in ("host", "login"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name], check=True)
        for name in ("host", "host.pub"):
            shutil.copy(folder / name, tree / "etc/ssh" / name.replace("host", "ssh_host_ed25519_key"))
        shutil.copy(folder / "login.pub", tree / "etc/ssh/authorized")
        for path, text in files.items():
            target = tree / path
            if text is None:
                target.unlink(missing_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
        for path, mode in modes.items():
            (tree / path).chmod(mode)
        kind, key, *_ = (folder / "host.pub").read_text().split()
        self.known_hosts.write_text(f"{self.host.name} {kind} {key}\n")
        self._secret = (folder / "login").read_text()
        script = _UP.format(root=self._root, folder=folder)
        started = street.start(side, "unshare", "-m", "-p", "-f", "--kill-child", "sh", "-c", script)
        self._wait(street, side)
        self.inside = Path(f"/proc/{_child(started.pid)}/root")

    def login(self, host: SshHost) -> Login:
        """The key of root, which the house lets in from the platform only."""
        assert host == self.host
        return Login("root", self._secret)

    def state(self) -> dict[str, tuple[object, ...]]:
        """All that is there, but for what sshd itself writes down of logins: kinds, rights, owners, times, contents."""
        found: dict[str, tuple[object, ...]] = {}
        for folder, folders, names in os.walk(self.inside):
            if Path(folder) == self.inside:
                folders[:] = [name for name in folders if name not in _OWN]
            for name in (*folders, *names):
                path = Path(folder, name)
                seen = path.lstat()
                content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
                told = (seen.st_mode, seen.st_uid, seen.st_gid, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, content)
                found[str(path.relative_to(self.inside))] = told
        return {name: told for name, told in found.items() if name not in ("var/log/lastlog", "var/log/wtmp", "var/log/btmp")}

    def _wait(self, street: Street, side: str) -> None:
        assert street.becomes(side, self.host.name, True, 30, 22), "sshd did not start"


def _child(pid: int) -> int:
    """The sshd: unshare has forked it."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    deadline = time.monotonic() + 5
    while not text and time.monotonic() < deadline:
        time.sleep(0.1)
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(text[0])
