"""Sealed files of any size: SM4-GCM in chunks under a key of the file's own, which is wrapped for each who may open it.

    with open("backup", "rb") as source, open("backup.sealed", "wb") as target:
        seal_stream(source, target, [ForPublicKey(officer), ForPassword("…")], context="backup")
    open_file(Path("backup.sealed"), Path("backup"), WithPrivateKey(key), context="backup")

Layout (integers big-endian)::

    "LDSEAL1\\n"                                  8 bytes
    chunk size (4)  number of wraps (1)           then for each wrap: kind (1), length (2), body
    HMAC-SM3 (32) of all above, under the file's secret: says at once whether the secret is right, and commits to it
    chunks: ciphertext and tag (16); all of the chunk size, the last one of 0 or more bytes

Content key = HKDF-SM3(secret, SM3(header), "… content" context). Nonce = chunk number (11 bytes), 1 for the last chunk else 0 (1
byte): chunks moved, left out, repeated, or cut off behind any chunk do not open (the STREAM construction of Hoang et al., 2015).
``open_stream`` hands out chunks as it goes; only when it returns is the file whole. ``open_file`` shows the target no sooner than
that.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from crypto.derive import hkdf_sm3
from crypto.errors import CryptoError, DecryptionError, EncodingError
from crypto.sm3 import hmac_sm3, sm3
from crypto.sm4.gcm import TAG_SIZE, decrypt_gcm, encrypt_gcm
from crypto.wraps import Opener, Recipient

MAGIC = b"LDSEAL1\n"
CHUNK = 1 << 16
_LARGEST_CHUNK = 1 << 24
_SECRET, _KEY = 32, 16
_DAMAGED = "the sealed file was changed or cut off"


def seal_stream(source: BinaryIO, target: BinaryIO, recipients: Sequence[Recipient], context: str, chunk: int = CHUNK) -> None:
    """Seal all that ``source`` still holds for each of ``recipients`` (1 to 255)."""
    if not 1 <= len(recipients) <= 255:
        raise CryptoError("a sealed file is for 1 to 255 recipients")
    if not 1 <= chunk <= _LARGEST_CHUNK:
        raise CryptoError("chunks have 1 byte to 16 MiB")
    secret = secrets.token_bytes(_SECRET)
    header = MAGIC + chunk.to_bytes(4) + bytes((len(recipients),))
    for recipient in recipients:
        body = recipient.wrap(secret)
        header += bytes((recipient.kind,)) + len(body).to_bytes(2) + body
    target.write(header + _commitment(secret, header))
    key = _content_key(secret, header, context)
    for number, last, piece in _numbered(source, chunk):
        target.write(encrypt_gcm(key, _nonce(number, last), piece))


def open_stream(source: BinaryIO, opener: Opener, context: str) -> Iterator[bytes]:
    """The plaintext chunk by chunk; nothing may be believed before the iterator ended without DecryptionError."""
    header, chunk, wraps = _read_header(source)
    commitment = source.read(32)
    secret = _unwrap(wraps, opener)
    if not hmac.compare_digest(commitment, _commitment(secret, header)):
        raise DecryptionError(_DAMAGED)
    key = _content_key(secret, header, context)
    for number, last, piece in _numbered(source, chunk + TAG_SIZE):
        if len(piece) < TAG_SIZE or (len(piece) == TAG_SIZE and number):  # an empty chunk only where the file is empty
            raise DecryptionError(_DAMAGED)
        try:
            yield decrypt_gcm(key, _nonce(number, last), piece)
        except DecryptionError as error:
            raise DecryptionError(f"{_DAMAGED}, or its context is another one (chunk {number})") from error


def seal_file(source: Path, target: Path, recipients: Sequence[Recipient], context: str) -> None:
    """Seal ``source`` into ``target``, which appears (or is replaced) when it is complete and on disk; mode 0600."""
    with source.open("rb") as plain, _appearing(target) as sealed:
        seal_stream(plain, sealed, recipients, context)


def open_file(source: Path, target: Path, opener: Opener, context: str) -> None:
    """Open ``source`` into ``target``, which appears when all of it was found whole; else nothing stays. Mode 0600."""
    with source.open("rb") as sealed, _appearing(target) as plain:
        for piece in open_stream(sealed, opener, context):
            plain.write(piece)


@contextlib.contextmanager
def _appearing(target: Path) -> Iterator[BinaryIO]:
    """A file without a name anybody expects, renamed to ``target`` at the end and removed where an error comes first."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _read_header(source: BinaryIO) -> tuple[bytes, int, list[tuple[int, bytes]]]:
    header = source.read(len(MAGIC) + 5)
    if len(header) != len(MAGIC) + 5 or not header.startswith(MAGIC):
        raise EncodingError("this is not a sealed file")
    chunk, count = int.from_bytes(header[-5:-1]), header[-1]
    if not 1 <= chunk <= _LARGEST_CHUNK or not count:
        raise EncodingError("the head of the sealed file is damaged")
    wraps = []
    for _ in range(count):
        head = source.read(3)
        body = source.read(int.from_bytes(head[1:]))
        if len(head) != 3 or len(body) != int.from_bytes(head[1:]):
            raise EncodingError("the head of the sealed file is cut off")
        wraps.append((head[0], body))
        header += head + body
    return header, chunk, wraps


def _unwrap(wraps: list[tuple[int, bytes]], opener: Opener) -> bytes:
    """The file's secret out of the first wrap that is for this opener."""
    for kind, body in wraps:
        secret = opener.unwrap(body) if kind == opener.kind else None
        if secret is not None and len(secret) == _SECRET:
            return secret
    raise DecryptionError("the file is not sealed for this key or password")


def _commitment(secret: bytes, header: bytes) -> bytes:
    return hmac_sm3(hkdf_sm3(secret, b"", b"liandun stream v1 header", 32), header)


def _content_key(secret: bytes, header: bytes, context: str) -> bytes:
    return hkdf_sm3(secret, sm3(header), b"liandun stream v1 content\0" + context.encode(), _KEY)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11) + bytes((last,))


def _numbered(source: BinaryIO, size: int) -> Iterator[tuple[int, bool, bytes]]:
    """Pieces of ``size`` bytes with their number and whether it is the last one (an empty source gives one empty piece)."""
    number, piece = 0, _read_full(source, size)
    while True:
        following = _read_full(source, size) if len(piece) == size else b""
        yield number, not following, piece
        if not following:
            return
        number, piece = number + 1, following


def _read_full(source: BinaryIO, size: int) -> bytes:
    """``size`` bytes, fewer only at the end (pipes give fewer at any time)."""
    pieces = b""
    while len(pieces) < size and (more := source.read(size - len(pieces))):
        pieces += more
    return pieces
