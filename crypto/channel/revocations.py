"""Certificates that are revoked now, as a small file: written by the owner of the authority's tables, read by processes with links.

A revocation list works when it is fetched again; this file within a second. It is made of issuer and serial number, because serial
numbers are unique for one issuer only (RFC 5280 clause 4.1.2.2)::

    {SM3 of the issuer's name (DER), hex: [serial numbers, hex]}
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from crypto.certificates.certificate import pem_blocks
from crypto.certificates.revocation import RevocationList
from crypto.channel.identity import PeerIdentity, issuer_id

Revocations = dict[str, frozenset[str]]

_LOOK_SECONDS = 0.5
_decode = msgspec.msgpack.Decoder(dict[str, frozenset[str]]).decode


def write_revocations(path: Path, revoked: Mapping[str, Iterable[str]]) -> None:
    """Replace the file in one step. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    temporary.write_bytes(msgspec.msgpack.encode({issuer: sorted(serials) for issuer, serials in revoked.items()}))
    temporary.replace(path)


def listed(octets: bytes) -> Revocations:
    """What the revocation lists in a PEM file revoke; their signatures are not looked at. Raises EncodingError."""
    found: Revocations = {}
    for der in pem_blocks(octets, "X509 CRL"):
        one = RevocationList(der)
        found[issuer_id(one.issuer_der)] = frozenset(
            f"{entry.serial:x}" for entry in one.entries.values() if entry.reason != "remove_from_crl"
        )
    return found


def revokes(revoked: Revocations, peer: PeerIdentity) -> bool:
    """True where the peer's certificate or one that it stands on is revoked."""
    return any(serial in revoked.get(issuer, ()) for issuer, serial in peer.path)


class RevocationSource:
    """Calling it with a peer says whether the newest file revokes him (crypto.channel.link.Revoked). Safe between threads.

    No file since the start: nothing is revoked. A file that is gone or cannot be read leaves the one before in force, and
    ``problem`` says so.
    """

    def __init__(self, path: Path) -> None:
        self.problem = ""
        self._path = path
        self._revoked: Revocations = {}
        self._seen: tuple[int, int] | None = None
        self._next_look = 0.0
        self._lock = threading.Lock()

    @property
    def known(self) -> int:
        """How many certificates are revoked."""
        return sum(len(serials) for serials in self._revoked.values())

    def __call__(self, peer: PeerIdentity) -> bool:
        with self._lock:
            self._refresh()
            return revokes(self._revoked, peer)

    def _refresh(self) -> None:
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_SECONDS
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino)
            if seen == self._seen:
                return
            self._revoked = _decode(self._path.read_bytes())
            self._seen, self.problem = seen, ""
        except FileNotFoundError:
            self.problem = "the revocations are gone, those before stay in force" if self._seen else ""
        except (OSError, msgspec.DecodeError, ValueError) as error:
            self.problem = f"revocations cannot be read, those before stay in force: {error}"
