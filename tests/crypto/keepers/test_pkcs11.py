"""A master key wrapped by a real token (SoftHSM2): what the token does, what it refuses, and what is told then."""

from __future__ import annotations

import base64
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.errors import SecretError
from crypto.generations import KeyFile
from crypto.keepers import FileKeeper, Keepers, pkcs11
from crypto.keepers.pkcs11 import TokenKeeper
from crypto.secret import MasterKey
from tests.key_devices import SoftHsm

MASTER = bytes(range(16))
ROOT = Path(__file__).resolve().parents[3]


def keeper(softhsm: SoftHsm, token: str, *, key: str = "wrap", pin: str = "") -> TokenKeeper:
    return TokenKeeper(softhsm.module, token=token, key=key, pin=lambda: pin or softhsm.pin)


def test_wrapped_and_unwrapped(softhsm: SoftHsm, fresh_token: Callable[[], str]) -> None:
    one = keeper(softhsm, fresh_token())
    assert "no wrapping key yet" in one.examine()
    kept = one.protect(MASTER, 2)
    assert kept.startswith("aes-256-gcm:")
    assert MASTER.hex() not in kept
    assert one.reveal(kept, 2) == MASTER
    assert one.protect(MASTER, 2) != kept
    assert "not extractable" in one.examine()
    assert softhsm.pin not in repr(one)


def test_the_key_in_the_token_cannot_be_taken_out(softhsm: SoftHsm, fresh_token: Callable[[], str]) -> None:
    """Asked of the token itself, by another program (pkcs11-tool of OpenSC where it is installed, else python-pkcs11)."""
    token = fresh_token()
    keeper(softhsm, token).protect(MASTER, 1)
    library = pytest.importorskip("pkcs11")
    attribute = library.Attribute
    with library.lib(str(softhsm.module)).get_token(token_label=token).open(user_pin=softhsm.pin) as session:
        (key,) = session.get_objects({attribute.LABEL: "wrap"})
        assert not key[attribute.EXTRACTABLE]
        assert key[attribute.NEVER_EXTRACTABLE]
        assert key[attribute.ALWAYS_SENSITIVE]
        assert key[attribute.LOCAL]
        with pytest.raises(library.AttributeSensitive):
            key[attribute.VALUE]


def test_the_mechanism_is_aes_256_gcm_over_the_generation(softhsm: SoftHsm, fresh_token: Callable[[], str]) -> None:
    """A known AES key is put into the token; cryptography opens what the token has wrapped, and the other way round."""
    token, known = fresh_token(), bytes(range(32))
    library = pytest.importorskip("pkcs11")
    attribute = library.Attribute
    with library.lib(str(softhsm.module)).get_token(token_label=token).open(rw=True, user_pin=softhsm.pin) as session:
        template = {
            attribute.CLASS: library.ObjectClass.SECRET_KEY,
            attribute.KEY_TYPE: library.KeyType.AES,
            attribute.LABEL: "wrap",
            attribute.VALUE: known,
            attribute.TOKEN: True,
            attribute.PRIVATE: True,
            attribute.SENSITIVE: True,
            attribute.EXTRACTABLE: False,
            attribute.ENCRYPT: True,
            attribute.DECRYPT: True,
        }
        session.create_object(template)
    one = keeper(softhsm, token)
    blob = base64.b64decode(one.protect(MASTER, 9).removeprefix("aes-256-gcm:"))
    assert AESGCM(known).decrypt(blob[:12], blob[12:], b"liandun master key 9") == MASTER
    made = bytes(12) + AESGCM(known).encrypt(bytes(12), MASTER, b"liandun master key 4")
    assert one.reveal("aes-256-gcm:" + base64.b64encode(made).decode(), 4) == MASTER


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(position=st.integers(0, 43), flip=st.integers(1, 255))
def test_a_changed_wrapped_key_is_noticed(softhsm: SoftHsm, position: int, flip: int) -> None:
    one = keeper(softhsm, "token0", key="tampered")
    blob = bytearray(base64.b64decode(one.protect(MASTER, 1).removeprefix("aes-256-gcm:")))
    blob[position] ^= flip
    with pytest.raises(SecretError, match="it was changed"):
        one.reveal("aes-256-gcm:" + base64.b64encode(blob).decode(), 1)


@pytest.mark.parametrize("kept", ["", "aes-256-gcm:", "aes-256-gcm:AAAA", "aes-256-gcm:é", "00" * 16])
def test_what_is_no_wrapped_key_is_refused(softhsm: SoftHsm, kept: str) -> None:
    with pytest.raises(SecretError, match="damaged"):
        keeper(softhsm, "token0").reveal(kept, 1)


def test_another_generation_or_another_token_does_not_open(softhsm: SoftHsm, fresh_token: Callable[[], str]) -> None:
    here, there = fresh_token(), fresh_token()
    kept = keeper(softhsm, here).protect(MASTER, 1)
    with pytest.raises(SecretError, match="does not open"):
        keeper(softhsm, here).reveal(kept, 2)
    with pytest.raises(SecretError, match="has no AES key"):
        keeper(softhsm, there).reveal(kept, 1)
    keeper(softhsm, there).protect(MASTER, 1)  # now it has one of the same name
    with pytest.raises(SecretError, match="another key wrapped it"):
        keeper(softhsm, there).reveal(kept, 1)


def test_a_key_that_may_leave_the_token_is_not_used(softhsm: SoftHsm, fresh_token: Callable[[], str]) -> None:
    token = fresh_token()
    library = pytest.importorskip("pkcs11")
    attribute = library.Attribute
    with library.lib(str(softhsm.module)).get_token(token_label=token).open(rw=True, user_pin=softhsm.pin) as session:
        session.generate_key(library.KeyType.AES, 256, label="wrap", store=True, template={attribute.EXTRACTABLE: True})
        for _ in range(2):
            session.generate_key(library.KeyType.AES, 256, label="twice", store=True)
    for act in (lambda one: one.protect(MASTER, 1), lambda one: one.examine()):
        with pytest.raises(SecretError, match="may leave the token"):
            act(keeper(softhsm, token))
        with pytest.raises(SecretError, match="has 2 AES keys"):
            act(keeper(softhsm, token, key="twice"))


def test_a_wrong_pin_is_told_once_and_not_tried_again(softhsm: SoftHsm, fresh_token: Callable[[], str]) -> None:
    token = fresh_token()
    wrong = keeper(softhsm, token, pin="99999999")
    with pytest.raises(SecretError, match="refuses the PIN") as told:
        wrong.examine()
    assert "99999999" not in str(told.value)
    with pytest.raises(SecretError, match="not tried again"):
        wrong.examine()
    assert "no wrapping key yet" in keeper(softhsm, token).examine()  # the right one still works


def test_processes_log_in_one_after_the_other(softhsm: SoftHsm, fresh_token: Callable[[], str]) -> None:
    """Whoever looks how many tries of the PIN are left has to be the next who tries."""
    waiting = threading.Thread(target=keeper(softhsm, fresh_token()).examine)
    with softhsm.module.open("rb") as library:
        fcntl.flock(library, fcntl.LOCK_EX)
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join(30)
    assert not waiting.is_alive()


def test_no_token_no_library(softhsm: SoftHsm, tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="there is no token labelled 'absent'"):
        keeper(softhsm, "absent").examine()
    with pytest.raises(SecretError, match="cannot be used"):
        TokenKeeper(tmp_path / "missing.so", token="t", key="k", pin=str).examine()


def test_without_the_package(softhsm: SoftHsm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(SecretError, match=r"pip install 'liandun\[pkcs11\]'"):
        keeper(softhsm, "token0").examine()


def test_a_forked_child_opens_the_token_too(softhsm: SoftHsm, fresh_token: Callable[[], str]) -> None:
    one = keeper(softhsm, fresh_token())
    kept = one.protect(MASTER, 1)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if one.reveal(kept, 1) == MASTER else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert one.reveal(kept, 1) == MASTER


def test_another_process_opens_it_with_the_file_alone_nobody(
    softhsm: SoftHsm, fresh_token: Callable[[], str], tmp_path: Path
) -> None:
    token, path = fresh_token(), tmp_path / "master.key"

    def keepers() -> Keepers:
        return Keepers("pkcs11", {"file": FileKeeper(), "pkcs11": keeper(softhsm, token)})

    sealed = MasterKey.load(path, keepers).seal(b"whsec_x", "webhook:1")
    program = (
        "import sys; from pathlib import Path; from crypto.secret import MasterKey; from crypto.keepers import *;"
        "from crypto.keepers.pkcs11 import TokenKeeper\n"
        f"one = TokenKeeper(Path({str(softhsm.module)!r}), token={token!r}, key='wrap', pin=lambda: {softhsm.pin!r})\n"
        f"key = MasterKey.load(Path({str(path)!r}), lambda: Keepers('pkcs11', {{'pkcs11': one}}))\n"
        f"print(key.unseal({sealed!r}, 'webhook:1').decode())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "whsec_x"
    with pytest.raises(SecretError, match="pkcs11, which is not configured"):
        MasterKey.load(path)


def test_a_running_process_needs_no_token_when_the_key_is_moved(
    softhsm: SoftHsm, fresh_token: Callable[[], str], tmp_path: Path
) -> None:
    path, token = tmp_path / "master.key", fresh_token()
    running = MasterKey.load(path)  # knows no token
    sealed = running.seal(b"x", "c")
    known = {"file": FileKeeper(), "pkcs11": keeper(softhsm, token)}
    file = KeyFile(path, lambda: Keepers("pkcs11", known))
    with file.locked():
        contents = file.move(file.read(), "pkcs11")
    assert b'"file"' not in path.read_bytes()
    assert running.unseal(running.seal(b"y", "c"), "c") == b"y"
    with file.locked():
        file.add(contents)
    with pytest.raises(SecretError, match="not configured"):
        running.seal(b"z", "c")  # never under a generation that may soon be gone
    assert running.unseal(sealed, "c") == b"x"
    assert MasterKey.load(path, lambda: Keepers("pkcs11", known)).unseal(sealed, "c") == b"x"


def test_refused_pins_are_remembered_without_the_pin() -> None:
    assert all(isinstance(mark, bytes) and len(mark) == 32 for mark in pkcs11._refused)
