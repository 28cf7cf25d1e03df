"""The SM2 back ends against each other and against plain affine arithmetic; how one is chosen, and what happens without any."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import BackendError, BackendMissingError, CryptoError
from crypto.native import libcrypto
from crypto.reference.weierstrass import SM2P256V1
from crypto.sm2 import PrivateKey, engine, pure
from crypto.sm2.curve import GENERATOR, N, coordinates, encode_coordinates
from crypto.sm2.engine import Engine

scalars = st.one_of(st.integers(1, N - 1), st.sampled_from([1, 2, 3, N - 2, N - 1, 1 << 255, (1 << 128) - 1]))


@settings(deadline=None, max_examples=40)
@given(scalars, scalars)
def test_the_ladder_against_affine_arithmetic(scalar: int, at: int) -> None:
    point = SM2P256V1.multiply(at, SM2P256V1.g)
    expected = SM2P256V1.multiply(scalar, point)
    assert point is not None
    assert expected is not None
    assert pure.affine(pure.multiply(scalar, encode_coordinates(*point))) == expected
    assert pure.affine(pure.multiply_public(scalar, (*point, 1))) == expected


@settings(deadline=None, max_examples=30)
@given(scalars, scalars)
def test_complete_addition(left: int, right: int) -> None:
    """Sums of any two points: equal, opposite, infinity."""
    p, q = SM2P256V1.multiply(left, SM2P256V1.g), SM2P256V1.multiply(right, SM2P256V1.g)
    assert p is not None
    assert q is not None
    total, expected = pure.add((*p, 1), (*q, 1)), SM2P256V1.add(p, q)
    assert (total[2] == 0) == (expected is None)
    if expected is not None:
        assert pure.affine(total) == expected
    assert pure.affine(pure.add((*p, 1), (0, 1, 0))) == p
    assert pure.affine(pure.double((*p, 1))) == SM2P256V1.add(p, p)
    assert pure.add((*p, 1), (p[0], -p[1], 1))[2] == 0


@pytest.mark.parametrize("scalar", [1, 2, N - 1, 0x1234567890ABCDEF << 100])
def test_all_multiply_the_same(sm2_engine: Engine, scalar: int) -> None:
    point = encode_coordinates(*coordinates(GENERATOR))
    expected = SM2P256V1.multiply(scalar, SM2P256V1.g)
    assert expected is not None
    assert sm2_engine.multiply(scalar.to_bytes(32)) == encode_coordinates(*expected)
    assert sm2_engine.multiply(scalar.to_bytes(32), point) == encode_coordinates(*expected)


def test_each_verifies_what_the_others_sign(sm2_engine: Engine) -> None:
    key, e = PrivateKey.generate(), bytes(range(32))
    signature = sm2_engine.signer(key.to_bytes(), key.public.to_bytes()).sign(e)
    for name in engine.CANDIDATES:
        try:
            other = engine.probe(name)
        except BackendMissingError:
            continue
        assert other.verifier(key.public.to_bytes()).verify(e, signature)
        assert not other.verifier(key.public.to_bytes()).verify(bytes(32), signature)


def test_the_point_at_infinity_is_never_given_out(sm2_engine: Engine) -> None:
    with pytest.raises(CryptoError):
        sm2_engine.multiply(bytes(32))


def test_threads_share_a_key(sm2_engine: Engine) -> None:
    key, failed = PrivateKey.generate(), []

    def work(number: int) -> None:
        message = b"%d" % number
        if not key.public.verify(message, key.sign(message)) or key.public.verify(b"", key.sign(message)):
            failed.append(number)

    threads = [threading.Thread(target=lambda: [work(number) for number in range(10)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def fresh_process(code: str, **environment: str) -> str:
    """What a new interpreter prints: the choice of a back end is made once per process."""
    environment["PYTHONPATH"] = ":".join(sys.path)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr.splitlines()[-1] if done.returncode else done.stdout


CHOICE = "from crypto.sm2.engine import engine; print(engine().name)"


def test_native_code_is_preferred() -> None:
    assert fresh_process(CHOICE).startswith("libcrypto")


def test_one_can_be_forced() -> None:
    assert fresh_process(CHOICE, LIANDUN_SM2="python") == "pure Python\n"
    assert "there are libcrypto, tongsuopy, python" in fresh_process(CHOICE, LIANDUN_SM2="openssl")


def test_without_a_native_library_our_own_serves() -> None:
    """As on a system whose OpenSSL lacks SM2, without the wheel: the library named is libm, which has nothing of what is needed."""
    code = "import sys; sys.modules['tongsuopy'] = None\n" + CHOICE
    libm = next(name for name in ("libm.so.6", "libm.so", "libc.musl-x86_64.so.1") if _loads(name))
    assert fresh_process(code, LIANDUN_LIBCRYPTO=libm) == "pure Python\n"
    assert "cannot be used" in fresh_process(code, LIANDUN_LIBCRYPTO=libm, LIANDUN_SM2="libcrypto")


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def test_a_library_that_answers_wrongly_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(pure.PureEngine):
        name = "wrong"

    class WrongPoint(Wrong):
        def multiply(self, scalar: bytes, point: bytes | None = None) -> bytes:
            return GENERATOR

    class TakesAnything(Wrong):
        def verifier(self, point: bytes) -> pure.PureVerifier:
            verifier = super().verifier(point)
            monkeypatch.setattr(verifier, "verify", lambda e, signature: True)
            return verifier

    class SameNonce(Wrong):
        def signer(self, scalar: bytes, point: bytes) -> pure.PureSigner:
            signer = super().signer(scalar, point)
            monkeypatch.setattr(signer, "sign", lambda e: engine._SIGNATURE)
            return signer

    for wrong in (WrongPoint(), TakesAnything(), SameNonce()):
        with pytest.raises(BackendError, match=r"^wrong: "):
            engine.check_known_answers(wrong)
    monkeypatch.setattr(engine, "CANDIDATES", {"wrong": WrongPoint, "python": pure.PureEngine})
    engine.engine.cache_clear()
    try:
        assert engine.engine().name == "pure Python"
    finally:
        engine.engine.cache_clear()


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANDUN_LIBCRYPTO", "/nowhere/libcrypto.so")
    with pytest.raises(BackendMissingError, match=r"libcrypto\.so cannot be used"):
        libcrypto.system_libcrypto()
