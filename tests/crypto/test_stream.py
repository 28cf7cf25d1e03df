"""Sealed files: whole or not at all."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError, DecryptionError, EncodingError
from crypto.sm2 import PrivateKey
from crypto.stream import MAGIC, open_file, open_stream, seal_file, seal_stream
from crypto.wraps import ForKey, ForPassword, ForPublicKey, Opener, Recipient, WithKey, WithPassword, WithPrivateKey

KEY, OTHER = PrivateKey.generate(), PrivateKey.generate()
SYMMETRIC = bytes(range(16))
CHUNK, TAG = 64, 16


def sealed(plaintext: bytes, *recipients: Recipient, context: str = "backup", chunk: int = CHUNK) -> bytes:
    target = io.BytesIO()
    seal_stream(io.BytesIO(plaintext), target, recipients or [ForKey(SYMMETRIC)], context, chunk)
    return target.getvalue()


def opened(octets: bytes, opener: Opener | None = None, context: str = "backup") -> bytes:
    return b"".join(open_stream(io.BytesIO(octets), opener or WithKey(SYMMETRIC), context))


def body_of(octets: bytes) -> int:
    """Where the chunks begin: behind the header of one symmetric wrap and its 32-byte commitment."""
    start = len(MAGIC) + 5
    return start + 3 + int.from_bytes(octets[start + 1 : start + 3]) + 32


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5])
def test_every_length_opens_for_everyone_it_is_for(size: int) -> None:
    plaintext = bytes(index % 251 for index in range(size))
    octets = sealed(plaintext, ForPublicKey(OTHER.public), ForPublicKey(KEY.public), ForPassword("口令", 1000), ForKey(SYMMETRIC))
    for opener in (WithPrivateKey(KEY), WithPrivateKey(OTHER), WithPassword("口令"), WithKey(SYMMETRIC)):
        assert opened(octets, opener) == plaintext
    for stranger in (WithPrivateKey(PrivateKey.generate()), WithPassword("another"), WithKey(bytes(16))):
        with pytest.raises(DecryptionError, match="not sealed for this key or password"):
            opened(octets, stranger)


def test_the_context_belongs_to_it() -> None:
    with pytest.raises(DecryptionError, match="context"):
        opened(sealed(b"plaintext"), context="restore")


WHOLE = sealed(bytes(range(200)))


@given(st.integers(0, 8 * len(WHOLE) - 1))
def test_no_flipped_bit_opens(bit: int) -> None:
    flipped = bytearray(WHOLE)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CryptoError):
        opened(bytes(flipped))


@given(st.integers(0, len(WHOLE) - 1))
def test_no_truncation_opens(length: int) -> None:
    with pytest.raises(CryptoError):
        opened(WHOLE[:length])


def test_chunks_keep_their_number_and_order() -> None:
    start, size = body_of(WHOLE), CHUNK + TAG
    head, chunks = WHOLE[:start], [WHOLE[at : at + size] for at in range(start, len(WHOLE), size)]
    assert len(chunks) == 4
    assert opened(head + b"".join(chunks)) == bytes(range(200))
    for wrong in (
        chunks[:3],  # cut off behind a chunk
        chunks[:2] + chunks[3:],  # one left out
        [chunks[1], chunks[0], *chunks[2:]],  # two swapped
        [chunks[0], chunks[0], *chunks[1:]],  # one repeated
        [*chunks, chunks[3]],  # one more
        [*chunks, b"\0"],
        chunks[3:],  # the last alone
        [],
    ):
        with pytest.raises(DecryptionError):
            opened(head + b"".join(wrong))


def test_chunks_of_another_file_do_not_fit() -> None:
    other = sealed(bytes(range(200)))
    with pytest.raises(DecryptionError):
        opened(WHOLE[: body_of(WHOLE)] + other[body_of(other) :])
    with pytest.raises(DecryptionError):
        opened(other[: body_of(other)] + WHOLE[body_of(WHOLE) :])


def test_a_recipient_cannot_be_added_or_taken_away() -> None:
    """The header is bound to the file's secret: whoever changes who may open it breaks it for all."""
    octets = sealed(b"plaintext", ForKey(SYMMETRIC), ForKey(bytes(16)))
    at = len(MAGIC) + 4
    first = 3 + int.from_bytes(octets[at + 2 : at + 4])
    without_second = octets[:at] + b"\1" + octets[at + 1 : at + 1 + first] + octets[at + 1 + 2 * first :]
    with pytest.raises(DecryptionError):
        opened(without_second)


@pytest.mark.parametrize("octets", [b"", b"LDSEAL1", b"LDSEAL2\n" + bytes(40), MAGIC + bytes(5), MAGIC + b"\0\0\0\1\1\1\0\5abc"])
def test_other_files_are_told_apart(octets: bytes) -> None:
    with pytest.raises(EncodingError):
        opened(octets)


def test_pipes_that_give_little_at_a_time() -> None:
    class Slow(io.RawIOBase):
        def __init__(self, octets: bytes) -> None:
            self._rest = io.BytesIO(octets)

        def read(self, size: int = -1) -> bytes:
            return self._rest.read(min(size, 7))

    target = io.BytesIO()
    seal_stream(Slow(bytes(500)), target, [ForKey(SYMMETRIC)], "", CHUNK)  # type: ignore[arg-type]
    assert b"".join(open_stream(Slow(target.getvalue()), WithKey(SYMMETRIC), "")) == bytes(500)  # type: ignore[arg-type]


def test_files_appear_whole_and_private(tmp_path: Path) -> None:
    plain, cipher, back = tmp_path / "plain", tmp_path / "cipher", tmp_path / "back"
    plain.write_bytes(bytes(200_000))
    seal_file(plain, cipher, [ForPublicKey(KEY.public)], "backup")
    open_file(cipher, back, WithPrivateKey(KEY), "backup")
    assert back.read_bytes() == plain.read_bytes()
    assert stat.S_IMODE(back.stat().st_mode) == 0o600


def test_nothing_is_left_of_a_file_that_does_not_open(tmp_path: Path) -> None:
    plain, cipher, back = tmp_path / "plain", tmp_path / "cipher", tmp_path / "back"
    plain.write_bytes(bytes(200_000))
    seal_file(plain, cipher, [ForKey(SYMMETRIC)], "backup")
    cipher.write_bytes(cipher.read_bytes()[:-1])  # only its last chunk is wrong
    back.write_bytes(b"what was there before")
    with pytest.raises(DecryptionError):
        open_file(cipher, back, WithKey(SYMMETRIC), "backup")
    assert back.read_bytes() == b"what was there before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "cipher", "plain"]


def test_for_nobody_or_too_many() -> None:
    for recipients in ([], [ForKey(SYMMETRIC)] * 256):
        with pytest.raises(CryptoError, match="1 to 255"):
            seal_stream(io.BytesIO(), io.BytesIO(), recipients, "")
    with pytest.raises(CryptoError, match="16 MiB"):
        seal_stream(io.BytesIO(), io.BytesIO(), [ForKey(SYMMETRIC)], "", 0)
    with pytest.raises(CryptoError, match="empty password"):
        ForPassword("")
