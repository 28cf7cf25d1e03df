"""The file of host keys that ``[playbooks] known_hosts`` names (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): read, and written anew.

Names of hosts may be patterns or hashed there; which lines speak of a host is asked of ssh-keygen(1), which reads as ssh does.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kernel.errors import LiandunError
from playbooks.actions import process
from playbooks.actions.contract import Context

MAX_BYTES = 1_048_576
MARKERS = ("@revoked", "@cert-authority")
_FOUND = re.compile(rb"# Host .* found: line (\d+)")


class HostKey(msgspec.Struct, frozen=True):
    """A public key as a host shows it. ``kind``: ssh-ed25519, ecdsa-sha2-nistp256, …; ``text``: base64."""

    kind: str
    text: str

    @property
    def fingerprint(self) -> str:
        """As ssh shows it: ``SHA256:`` and base64 without its end."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(base64.b64decode(self.text)).digest()).decode().rstrip("=")


class Line(msgspec.Struct, frozen=True):
    """A key that stands in the file: on line ``number``, from 1; ``marker`` is "" or one of MARKERS; ``names`` as there."""

    number: int
    marker: str
    names: str
    key: HostKey

    @property
    def hashed(self) -> bool:
        """Whether the name of the host cannot be read."""
        return self.names.startswith("|")

    @property
    def is_pattern(self) -> bool:
        """Whether the line may speak of more hosts than it names."""
        return any(sign in self.names for sign in "*?!")


def host_key(kind: str, text: str) -> HostKey | None:
    """The key, None where ``text`` is none: it says of what kind it is (RFC 4253 6.6)."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    name = kind.encode()
    return HostKey(kind, text) if octets[:4] == len(name).to_bytes(4, "big") and octets[4:].startswith(name) else None


def lines(path: Path) -> list[Line]:
    """All keys of the file; lines that hold none are left out. Raises LiandunError where it cannot be read."""
    return _lines(_content(path))


def lines_of(path: Path, entry: str, context: Context) -> list[Line]:
    """Those that speak of ``entry`` (ssh_host.SshHost.entry). Raises LiandunError."""
    if not path.is_file():
        return []
    answer = process.run(["ssh-keygen", "-F", entry, "-f", str(path)], context).output
    numbers = {int(number) for number in _FOUND.findall(answer)}
    return [line for line in lines(path) if line.number in numbers]


def add(path: Path, entry: str, key: HostKey, without: list[Line]) -> None:
    """Write the file anew with one key more, and ``entry`` no longer in the lines ``without``; whoever reads it meanwhile finds the
    old one or the new. Raises LiandunError."""
    target = Path(os.path.realpath(path))
    try:
        with _alone(target.parent):
            text = _content(target) if target.exists() else ""
            present = {line.number: line for line in _lines(text)}
            if any(present.get(line.number) != line for line in without):
                raise LiandunError(f"{path} was changed meanwhile", "look again")
            kept = _without(text.splitlines(), {line.number: line for line in without}, entry)
            _replace(target, "\n".join([*kept, f"{entry} {key.kind} {key.text}", ""]))
    except OSError as error:
        raise LiandunError(f"{path} cannot be written: {error.strerror}") from error


def _without(texts: list[str], gone: dict[int, Line], entry: str) -> Iterator[str]:
    for number, text in enumerate(texts, 1):
        line = gone.get(number)
        if line is None:
            yield text
            continue
        left = [name for name in line.names.split(",") if name.lower() != entry]
        if left and not line.hashed:
            yield text.replace(line.names, ",".join(left), 1)


def _lines(text: str) -> list[Line]:
    found = []
    for number, one in enumerate(text.splitlines(), 1):
        words = one.split()
        marker = words.pop(0) if words and words[0] in MARKERS else ""
        key = host_key(words[1], words[2]) if len(words) >= 3 and not words[0].startswith("#") else None
        if key is not None:
            found.append(Line(number, marker, words[0], key))
    return found


def _content(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            octets = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise LiandunError(f"{path} cannot be read: {error.strerror}") from error
    if len(octets) > MAX_BYTES:
        raise LiandunError(f"{path} has more than {MAX_BYTES:,} bytes")
    return octets.decode("utf-8", "replace")


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One writer at a time."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    descriptor, written = tempfile.mkstemp(prefix=".known_hosts.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(text.encode())
            opened.flush()
            os.fchmod(opened.fileno(), path.stat().st_mode & 0o777 if path.exists() else 0o644)
            if path.exists():
                with contextlib.suppress(PermissionError):
                    os.fchown(opened.fileno(), path.stat().st_uid, path.stat().st_gid)
            os.fsync(opened.fileno())
        os.replace(written, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(written)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
