"""Sealed secrets: round trip, refusal of anything changed, and SM4-GCM against the vector of RFC 8998."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import secret as module
from crypto.secret import MasterKey, SecretError

KEY = MasterKey(bytes(range(16)))


@given(st.binary(max_size=300), st.text(max_size=30))
def test_what_is_sealed_opens_only_where_it_belongs(plaintext: bytes, context: str) -> None:
    sealed = KEY.seal(plaintext, context)
    assert KEY.unseal(sealed, context) == plaintext
    with pytest.raises(SecretError):
        KEY.unseal(sealed, context + "x")
    with pytest.raises(SecretError):
        MasterKey(bytes(16)).unseal(sealed, context)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_is_noticed(position: int, flip: int) -> None:
    blob = bytearray(base64.b64decode(KEY.seal(b"whsec_x", "webhook:1").removeprefix("sm4-gcm:v2:1:")))
    blob[position % len(blob)] ^= flip
    with pytest.raises(SecretError):
        KEY.unseal("sm4-gcm:v2:1:" + base64.b64encode(blob).decode(), "webhook:1")


@given(st.text(max_size=60))
def test_what_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(SecretError):
        KEY.unseal(text, "")


def test_the_cipher_is_sm4_gcm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test vector of RFC 8998, appendix A.1."""
    monkeypatch.setattr(module.secrets, "token_bytes", lambda size: bytes.fromhex("00001234567800000000ABCD")[:size])
    key = MasterKey(bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"))
    plaintext = bytes.fromhex(
        "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDDEEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA"
    )

    class Additional(str):
        def encode(self, *_: object) -> bytes:  # the vector's additional data is no text
            return bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")

    blob = base64.b64decode(key.seal(plaintext, Additional()).removeprefix("sm4-gcm:v2:1:"))
    assert blob[12:28].hex().upper() == "83DE3541E4C2B58177E065A9BF7B62EC"
    assert blob[28:].hex().upper() == (
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
    )


def test_the_key_file(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    sealed = MasterKey.load(path).seal(b"x", "c")
    assert path.stat().st_mode & 0o777 == 0o600
    assert MasterKey.load(path).unseal(sealed, "c") == b"x"
    path.chmod(0o640)
    with pytest.raises(SecretError, match="chmod 600"):
        MasterKey.load(path)
    path.chmod(0o600)
    path.write_text("garbage")
    with pytest.raises(SecretError, match="32 hex digits"):
        MasterKey.load(path)
    with pytest.raises(SecretError, match="cannot be made"):
        MasterKey.load(tmp_path / "missing" / "master.key")


def test_the_key_does_not_show_itself() -> None:
    assert bytes(range(16)).hex() not in repr(KEY)
