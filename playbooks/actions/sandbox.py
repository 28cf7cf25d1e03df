"""Running a script where it can do nothing but compute: bubblewrap (bwrap(1)) with namespaces of its own, limits, and no secrets.

It sees the programs of /usr, an empty /tmp of its own, no network, no other process, no account, no environment. Where the platform
runs as root the script runs as nobody, outside of the sandbox too.
"""

from __future__ import annotations

import math
import os

from playbooks.actions import process
from playbooks.actions.contract import ActionError, Context
from playbooks.actions.process import Finished

_NOBODY = "65534"
_MIB = 1_048_576
_SCRIPT = "/script"
_FOLDER = "/tmp"  # noqa: S108 — of the sandbox, in memory
_BOX = (
    "bwrap", "--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv",
    "--cap-drop", "ALL", "--uid", _NOBODY, "--gid", _NOBODY, "--hostname", "sandbox",
    "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin",
    "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev",
    "--size", str(64 * _MIB), "--tmpfs", _FOLDER, "--chdir", _FOLDER,
    "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LC_ALL", "C.UTF-8", "--setenv", "HOME", _FOLDER,
)  # fmt: skip
_LIMITS = (
    "prlimit", f"--as={1024 * _MIB}", f"--fsize={64 * _MIB}", "--nofile=64", "--nproc=64", "--core=0",
)  # fmt: skip


def run_script(script: str, context: Context) -> Finished:
    """Run a script of bash to its end, whatever its exit code. Raises ActionError as process.run does."""
    descriptor = os.memfd_create("liandun", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, script.encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        seconds = max(1, math.ceil(context.left()))
        arguments = [
            *_as_nobody(), *_BOX, "--ro-bind-data", str(descriptor), _SCRIPT, "--",
            *_LIMITS, f"--cpu={seconds}", "--", "bash", "--noprofile", "--norc", _SCRIPT,
        ]  # fmt: skip
        finished = process.run(arguments, context, descriptors=(descriptor,))
    finally:
        os.close(descriptor)
    if finished.code != 0 and finished.errors.startswith(b"bwrap: "):
        raise ActionError(f"the sandbox cannot be made: {finished.said()}", code="SANDBOX_FAILED")
    return finished


def _as_nobody() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    return ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--no-new-privs")
