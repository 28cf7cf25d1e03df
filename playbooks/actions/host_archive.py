"""What was gathered from a host as one tar archive, with a manifest that names and hashes each part of it.

::

    manifest.json                 where from, when, why; each part with SHA-256 and SM3; what could not be read
    volatile/processes.txt        what a command said
    files/etc/passwd              a file, under its path
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from datetime import datetime
from typing import Any

import msgspec

from crypto.sm3 import sm3
from playbooks.actions.gathering import Gathered, Taken

FORMAT = "liandun-host-evidence/1"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where it comes from. ``began``, ``ended``: by the platform's clock, @timestamp text in UTC."""

    target: tuple[str, ...]
    user: str
    run: str
    step: str
    incident: int
    reason: str
    began: str
    ended: str


def archive(origin: Origin, gathered: Gathered) -> bytes:
    """The archive; the same for the same input."""
    at = int(datetime.fromisoformat(origin.began).timestamp())
    told = manifest(origin, gathered)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        text = msgspec.json.format(msgspec.json.encode(told, order="deterministic"), indent=2)
        for name, octets in [("manifest.json", text), *_members(gathered)]:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(octets), at, 0o400
            tar.addfile(entry, io.BytesIO(octets))
    return made.getvalue()


def manifest(origin: Origin, gathered: Gathered) -> dict[str, Any]:
    """All about it but the content."""
    every = [*gathered.volatile, *gathered.files]
    clock = next((one.octets for one in gathered.volatile if one.name == "clock" and one.octets), b"")
    return {
        "format": FORMAT,
        **msgspec.to_builtins(origin),
        "clock_of_the_host": clock.decode("ascii", "replace").strip()[:40],
        "volatile": [_told(one, f"volatile/{one.name}.txt") for one in gathered.volatile],
        "files": [_told(one, f"files{one.name}") for one in gathered.files],
        "not_read": [{"what": one.name, "why": one.problem} for one in every if one.problem],
    }


def _members(gathered: Gathered) -> list[tuple[str, bytes]]:
    volatile = [(f"volatile/{one.name}.txt", one.octets) for one in gathered.volatile if one.octets is not None]
    return volatile + [(f"files{one.name}", one.octets) for one in gathered.files if one.octets is not None]


def _told(one: Taken, member: str) -> dict[str, Any]:
    told: dict[str, Any] = {"name": one.name, "problem": one.problem}
    if one.octets is not None:
        digest = hashlib.sha256(one.octets).hexdigest()
        told |= {"member": member, "size": len(one.octets), "sha256": digest, "sm3": sm3(one.octets).hex()}
    more = {"command": one.command, "complained": one.complained, "target": one.target, "stat": one.stat}
    told |= {name: value for name, value in more.items() if value}
    return told if one.code is None else {**told, "exit_code": one.code}
