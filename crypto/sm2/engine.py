"""Who computes on the SM2 curve: the first back end that is there and gives the known answers.

Order: the system's libcrypto, the library of the tongsuopy wheel, our own Python. ``LIANDUN_SM2`` (libcrypto, tongsuopy, python)
forces one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Protocol

from crypto.backends import choose
from crypto.errors import BackendError
from crypto.native.libcrypto import system_libcrypto, tongsuopy_libcrypto
from crypto.sm2.curve import GENERATOR
from crypto.sm2.native import NativeEngine
from crypto.sm2.pure import PureEngine


class Signer(Protocol):
    """Holds one private key ready."""

    def sign(self, e: bytes, /) -> bytes:
        """The DER signature of a 32-byte digest e."""


class Verifier(Protocol):
    """Holds one public key ready."""

    def verify(self, e: bytes, signature: bytes, /) -> bool:
        """Whether a DER signature, strictly decoded before, is right for the digest e."""


class Engine(Protocol):
    """Scalars are 32 bytes (range checked before), points ``04 x y`` (on the curve, checked before)."""

    name: str
    native: bool

    def multiply(self, scalar: bytes, point: bytes | None = None, /) -> bytes:
        """scalar * point (None: the generator) for a secret scalar of 1..n-1."""

    def signer(self, scalar: bytes, point: bytes, /) -> Signer: ...

    def verifier(self, point: bytes, /) -> Verifier: ...


CANDIDATES: dict[str, Callable[[], Engine]] = {
    "libcrypto": lambda: NativeEngine(system_libcrypto()),
    "tongsuopy": lambda: NativeEngine(tongsuopy_libcrypto()),
    "python": PureEngine,
}


@functools.cache
def engine() -> Engine:
    """The back end in use; chosen and tested once per process."""
    return choose("SM2", "LIANDUN_SM2", CANDIDATES, probe)


def probe(name: str) -> Engine:
    """The back end of this name, after its known-answer test. Raises BackendError."""
    candidate = CANDIDATES[name]()
    check_known_answers(candidate)
    return candidate


# The signature example of GB/T 32918.5-2017 annex A.2: private key, public key, e, (r, s) in DER.
_D = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
_PUBLIC = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f350"
    "20ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_E = bytes.fromhex("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640")
_SIGNATURE = bytes.fromhex(
    "3046022100f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7e"
    "aceee720b3022100b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


def check_known_answers(candidate: Engine) -> None:
    """Scalar multiplication, verification (right and wrong) and a fresh signature; BackendError where one is off."""
    twice = (2).to_bytes(32)
    if candidate.multiply(_D) != _PUBLIC or candidate.multiply(_D, GENERATOR) != _PUBLIC:
        raise BackendError(f"{candidate.name}: scalar multiplication gives a wrong answer")
    if candidate.multiply(twice, _PUBLIC) != candidate.multiply(_D, candidate.multiply(twice)):
        raise BackendError(f"{candidate.name}: scalar multiplication is not consistent")
    verifier = candidate.verifier(_PUBLIC)
    if not verifier.verify(_E, _SIGNATURE) or verifier.verify(_E[::-1], _SIGNATURE):
        raise BackendError(f"{candidate.name}: verification gives a wrong answer")
    first, second = (candidate.signer(_D, _PUBLIC).sign(_E) for _ in range(2))
    if first == second or not (verifier.verify(_E, first) and verifier.verify(_E, second)):
        raise BackendError(f"{candidate.name}: its own signatures do not verify")
