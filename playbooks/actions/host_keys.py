"""Host keys that a host shows now, beside those that are known of it; and taking one of them over, by its fingerprint.

What ssh-keyscan(1) brings is what somebody at that address shows, not yet the host: a person compares the fingerprint with one from
a source they trust, and says which it is. Only that very key is written.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from sqlalchemy.orm import Session

from kernel.errors import LiandunError
from operations.audit import service as audit
from operations.audit.schema import Actor
from playbooks.actions import known_hosts, process
from playbooks.actions.contract import Context
from playbooks.actions.known_hosts import HostKey, Line
from playbooks.actions.ssh_host import SshHost

MOST_KEYS = 20
_SECONDS = 10
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


class Seen(msgspec.Struct, frozen=True):
    """A key that a host shows.

    standing  ``known`` (it stands in the file), ``new`` (none of its kind), ``changed`` (another of its kind), ``revoked``
    lines     of the file, which decide that
    """

    key: HostKey
    standing: str
    lines: list[Line]


def scan(host: SshHost, context: Context) -> list[HostKey]:
    """The keys that the host shows now. Raises LiandunError where it shows none."""
    found = process.run(["ssh-keyscan", "-T", str(_SECONDS), "-p", str(host.port), "--", host.name], context)
    keys = []
    for line in found.output.decode("utf-8", "replace").splitlines():
        words = line.split()
        key = known_hosts.host_key(words[1], words[2]) if len(words) >= 3 and not line.startswith("#") else None
        if key is not None and key not in keys:
            keys.append(key)
    if not keys:
        said = [one for one in found.errors.decode("utf-8", "replace").splitlines() if one.strip() and not one.startswith("#")]
        raise LiandunError(f"{host.shown()} shows no host key", (said or ["does an sshd answer there?"])[-1][:200])
    return sorted(keys[:MOST_KEYS], key=lambda key: key.kind)


def compare(path: Path | None, host: SshHost, keys: list[HostKey], context: Context) -> list[Seen]:
    """How each key stands to the file. Raises LiandunError where it cannot be read."""
    present = known_hosts.lines_of(path, host.entry(), context) if path is not None else []
    return [_seen(key, [line for line in present if line.marker != "@cert-authority"]) for key in keys]


def _seen(key: HostKey, present: list[Line]) -> Seen:
    same = [line for line in present if line.key == key]
    revoked = [line for line in same if line.marker]
    if revoked:
        return Seen(key, "revoked", revoked)
    if same:
        return Seen(key, "known", same)
    others = [line for line in present if line.key.kind == key.kind and not line.marker]
    return Seen(key, "changed" if others else "new", others)


def accept(
    session: Session, actor: Actor, path: Path, host: SshHost, seen: list[Seen], fingerprint: str, *, replace: bool = False
) -> Seen:
    """Take over the key of ``seen`` with this fingerprint; in the caller's transaction, so what cannot be audited is not written.

    replace  the other keys of its kind go, where the host has really been given a new one
    Raises LiandunError for a fingerprint that the host did not show, a revoked key, and a changed one without ``replace``.
    """
    if not FINGERPRINT.fullmatch(fingerprint):
        raise LiandunError("this is no fingerprint", "write it as it is shown: SHA256: and 43 characters")
    chosen = next((one for one in seen if one.key.fingerprint == fingerprint), None)
    if chosen is None:
        raise LiandunError(
            f"{host.shown()} does not show a key with this fingerprint", "nothing was written; look at what it shows"
        )
    if chosen.standing == "revoked":
        raise LiandunError(f"this key of {host.shown()} is revoked: line {chosen.lines[0].number} of {path}", "nothing was written")
    if chosen.standing == "known":
        return chosen
    if chosen.standing == "changed":
        _check_replacing(path, host, chosen, replace)
    gone = [line.key.fingerprint for line in chosen.lines]
    detail = {"kind": chosen.key.kind, "fingerprint": fingerprint, "replaced": gone}
    audit.append(session, actor, "playbook.host_key", "host", host.entry(), detail=detail)
    known_hosts.add(path, host.entry(), chosen.key, chosen.lines)
    return chosen


def _check_replacing(path: Path, host: SshHost, chosen: Seen, replace: bool) -> None:
    if not replace:
        old = ", ".join(line.key.fingerprint for line in chosen.lines)
        hint = "nothing was written; where the host has really been given a new key, say --replace"
        raise LiandunError(f"{host.shown()} is known by another {chosen.key.kind} key: {old}", hint)
    pattern = next((line for line in chosen.lines if line.is_pattern), None)
    if pattern is not None:
        raise LiandunError(
            f"line {pattern.number} of {path} speaks of several hosts", "change that line by hand; nothing was written"
        )
