"""The SDF adapter through the true ABI: a compiled library with SM4 of libcrypto stands for the vendor's."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.errors import SecretError
from crypto.generations import KeyFile
from crypto.keepers import FileKeeper, Keepers
from crypto.keepers.sdf import DeviceKeeper
from crypto.secret import MasterKey
from crypto.sm3 import sm3
from tests.key_devices import SdfDevice, build_sdf

MASTER = bytes(range(16))


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SdfDevice:
    built = build_sdf(tmp_path)
    for name, value in built.environment.items():
        monkeypatch.setenv(name, value)
    return built


def test_what_the_device_wraps_it_unwraps_and_nothing_stays_open(device: SdfDevice) -> None:
    keeper = DeviceKeeper(device.library)
    kept = keeper.protect(MASTER, 3)
    assert MASTER.hex() not in kept
    assert keeper.reveal(kept, 3) == MASTER
    assert device.calls() == [
        *("SDF_OpenDevice", "SDF_OpenSession", "SDF_GenerateKeyWithKEK", "SDF_Encrypt", "SDF_DestroyKey"),
        *("SDF_CloseSession", "SDF_CloseDevice"),
        *("SDF_OpenDevice", "SDF_OpenSession", "SDF_ImportKeyWithKEK", "SDF_Decrypt", "SDF_DestroyKey"),
        *("SDF_CloseSession", "SDF_CloseDevice"),
    ]
    assert "key-encryption key 1" in keeper.examine()


def test_the_text_is_what_the_docstring_says(device: SdfDevice) -> None:
    """Opened by hand with the device's key-encryption key: SM4-ECB, then SM4-CBC without padding over key and check."""
    kept = DeviceKeeper(device.library).protect(MASTER, 3)
    wrapped, blob = (base64.b64decode(part) for part in kept.removeprefix("sdf-sm4-cbc:").split(":"))
    session_key = _open(modes.ECB(), (device.folder / "kek1").read_bytes(), wrapped)
    assert _open(modes.CBC(blob[:16]), session_key, blob[16:]) == MASTER + sm3(b"liandun master key 3:" + MASTER)[:16]


def _open(mode: modes.Mode, key: bytes, blocks: bytes) -> bytes:
    decryptor = Cipher(algorithms.SM4(key), mode).decryptor()
    return decryptor.update(blocks) + decryptor.finalize()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(position=st.integers(0, 500), flip=st.integers(1, 255))
def test_a_changed_wrapped_key_is_noticed(device: SdfDevice, position: int, flip: int) -> None:
    keeper = DeviceKeeper(device.library)
    parts = [bytearray(base64.b64decode(part)) for part in keeper.protect(MASTER, 3).removeprefix("sdf-sm4-cbc:").split(":")]
    part = parts[position % 2]
    part[position % len(part)] ^= flip
    changed = "sdf-sm4-cbc:" + ":".join(base64.b64encode(one).decode() for one in parts)
    with pytest.raises(SecretError, match="changed"):
        keeper.reveal(changed, 3)


@pytest.mark.parametrize("kept", ["", "sdf-sm4-cbc:", "sdf-sm4-cbc:AAAA", "sdf-sm4-cbc:!:!", "aes-256-gcm:AAAA", "00" * 16])
def test_what_is_no_wrapped_key_is_refused(device: SdfDevice, kept: str) -> None:
    with pytest.raises(SecretError, match="damaged"):
        DeviceKeeper(device.library).reveal(kept, 1)


def test_refusals_are_told_in_words(device: SdfDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = DeviceKeeper(device.library)
    kept = keeper.protect(MASTER, 1)
    with pytest.raises(SecretError, match=r"changed, or another key"):
        keeper.reveal(kept, 2)  # another generation's
    with pytest.raises(SecretError, match=r"SDF_GenerateKeyWithKEK: there is no such key \(0x01000008\)"):
        DeviceKeeper(device.library, kek=7).protect(MASTER, 1)
    with pytest.raises(SecretError, match="does not know this algorithm"):
        DeviceKeeper(device.library, wrapping="sm4-cbc").protect(MASTER, 1)
    device.make_kek(1)  # the device was replaced
    with pytest.raises(SecretError, match="another key wrapped it"):
        keeper.reveal(kept, 1)
    monkeypatch.delenv("LIANDUN_TEST_SDF")
    with pytest.raises(SecretError, match="the device cannot be opened"):
        keeper.reveal(kept, 1)
    with pytest.raises(SecretError, match="cannot be used"):
        DeviceKeeper(tmp_path / "missing.so").examine()
    other = tmp_path / "libc.so"
    other.symlink_to("/lib/x86_64-linux-gnu/libc.so.6")
    with pytest.raises(SecretError, match="cannot be used"):
        DeviceKeeper(other).examine()
    assert "LEAK" not in device.calls()


def test_a_master_key_in_the_device(device: SdfDevice, tmp_path: Path) -> None:
    def keepers() -> Keepers:
        return Keepers("sdf", {"file": FileKeeper(), "sdf": DeviceKeeper(device.library)})

    path = tmp_path / "master.key"
    key = MasterKey.load(path, keepers)
    sealed = key.seal(b"x", "c")
    assert MasterKey.load(path, keepers).unseal(sealed, "c") == b"x"
    file = KeyFile(path, keepers)
    with file.locked():
        file.move(file.read(), "file")
    assert MasterKey.load(path).unseal(sealed, "c") == b"x"
