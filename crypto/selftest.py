"""Which back end serves what on this machine, each shown by known answers, and what an independent implementation says.

The same known answers guard the first use in every process (``sm3``, ``sm4.modes``, ``sm4.gcm``, ``sm2.engine``); a back end that
fails them is passed over. This report says so in full.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from crypto import second_opinion, sm3
from crypto.derive import hkdf_sm3, pbkdf2_sm3
from crypto.errors import BackendError, BackendMissingError, CryptoError
from crypto.sm2 import PrivateKey
from crypto.sm2 import engine as sm2_engine
from crypto.sm4 import decrypt_ccm, encrypt_ccm
from crypto.sm4 import gcm as sm4_gcm
from crypto.sm4.gcm_composed import ComposedGcm
from crypto.sm4.modes import check_known_answer


@dataclass(frozen=True)
class Finding:
    """One line: ``state`` is used, ready (would serve), absent (not installed, nothing lost), or FAILED."""

    service: str
    backend: str
    state: str
    detail: str


def run() -> Iterator[Finding]:
    """All findings, in the order of the table."""
    yield from _sm3()
    yield _tested("HMAC, KDF", sm3.backend(), _key_derivation)
    yield _tested("SM4 modes", "cryptography", check_known_answer)
    yield from _chosen("SM4-GCM", sm4_gcm.CANDIDATES, lambda name: sm4_gcm.probe(name).name, lambda: sm4_gcm.engine().name)
    yield _tested("SM4-GCM odd nonces", ComposedGcm.name, lambda: sm4_gcm.check_known_answers(ComposedGcm()))
    yield _tested("SM4-CCM", "composed of SM4 modes", _ccm)
    yield from _chosen("SM2", sm2_engine.CANDIDATES, lambda name: sm2_engine.probe(name).name, lambda: sm2_engine.engine().name)
    yield _tested("SM2 encryption", "on SM2 above", _encryption)
    yield _tested("second opinion", second_opinion.name(), lambda: second_opinion.check(secrets.token_bytes(48)))


def sound(findings: list[Finding]) -> bool:
    """True where nothing failed and SM2 and SM4-GCM are served."""
    used = {finding.service for finding in findings if finding.state == "used"}
    return used >= {"SM3", "SM4 modes", "SM4-GCM", "SM2"} and all(finding.state != "FAILED" for finding in findings)


def _sm3() -> Iterator[Finding]:
    for name, right in (("hashlib", sm3.in_hashlib()), ("cryptography", sm3.CryptographyHasher(b"abc").digest() == sm3.ABC)):
        if right:
            yield Finding("SM3", name, "used" if name == sm3.backend() else "ready", "known answer of GB/T 32905 right")
        else:
            yield Finding("SM3", name, "absent", "this OpenSSL has no SM3")


def _chosen(service: str, candidates: Iterable[str], probe: Callable[[str], str], in_use: Callable[[], str]) -> Iterator[Finding]:
    try:
        used = in_use()
    except BackendError as error:
        used = ""
        yield Finding(service, "-", "FAILED", str(error))
    for name in candidates:
        try:
            full_name = probe(name)
        except BackendError as error:
            yield Finding(service, name, "absent" if isinstance(error, BackendMissingError) else "FAILED", str(error))
            continue
        yield Finding(service, full_name, "used" if full_name == used else "ready", "known answers right")


def _tested(service: str, backend: str, test: Callable[[], None]) -> Finding:
    try:
        test()
    except CryptoError as error:
        return Finding(service, backend, "FAILED", str(error))
    return Finding(service, backend, "used", "known answers right")


def _key_derivation() -> None:
    """GM/T 0042-2015 D.3 is longer; these are short ones of the public files (RFC 7914 and RFC 5869 inputs with SM3)."""
    derived = pbkdf2_sm3(b"passwd", b"salt", 1, 64).hex()
    expanded = hkdf_sm3(b"\x0b" * 22, b"", b"", 42).hex()
    if not derived.startswith("30530b86537c85ea33fbe26ee0adea8d8bd91d283b87936f400e83ad2364ef26"):
        raise BackendError("PBKDF2-HMAC-SM3 gives a wrong answer")
    if expanded != "c8c91a38ae2fb3b023a7c38ce9f0748f28230d59b6b950ba3ba949bf0d713a5774815778801741cb2034":
        raise BackendError("HKDF-SM3 gives a wrong answer")


def _ccm() -> None:
    """RFC 8998 appendix A.2."""
    key, nonce = bytes.fromhex("0123456789abcdeffedcba9876543210"), bytes.fromhex("00001234567800000000abcd")
    aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plaintext = b"".join(bytes((octet,)) * 8 for octet in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    sealed = encrypt_ccm(key, nonce, plaintext, aad)
    if sealed[-16:].hex() != "16842d4fa186f56ab33256971fa110f4" or decrypt_ccm(key, nonce, sealed, aad) != plaintext:
        raise BackendError("SM4-CCM gives a wrong answer")


def _encryption() -> None:
    """The ciphertext of GB/T 32918.5-2017 annex A.3, and one of our own."""
    private = PrivateKey.from_scalar(0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8)
    c1 = (
        "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
        "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    )
    c3, c2 = "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766", "21886ca989ca9c7d58087307ca93092d651efa"
    if private.decrypt(bytes.fromhex("04" + c1 + c3 + c2), "c1c3c2") != b"encryption standard":
        raise BackendError("SM2 decryption gives a wrong answer")
    if private.decrypt(private.public.encrypt(b"encryption standard")) != b"encryption standard":
        raise BackendError("SM2 does not decrypt what it encrypted")
