"""A second opinion by ``gmssl`` (PyPI): an independent implementation that must come to the same results as ours.

It only digests, decrypts and verifies here. It never makes a key, a nonce, a signature or a ciphertext: its random numbers come
from ``random``, it never checks C3, and it misreads public keys that begin with the digits 0 or 4 (docs/crypto.md), so that those
are left out.
"""

from __future__ import annotations

from importlib.metadata import version

from gmssl import func
from gmssl.sm2 import CryptSM2
from gmssl.sm3 import sm3_hash
from gmssl.sm4 import SM4_DECRYPT, CryptSM4

from crypto.errors import BackendError
from crypto.sm2 import PrivateKey
from crypto.sm3 import sm3
from crypto.sm4 import encrypt_ecb


def name() -> str:
    return f"gmssl {version('gmssl')}"


def check(message: bytes) -> None:
    """SM3, SM4 and a fresh SM2 signature and ciphertext of ``message`` (some bytes). Raises BackendError where the two differ."""
    if sm3_hash(func.bytes_to_list(message)) != sm3(message).hex():
        raise BackendError("gmssl and this platform differ about SM3")
    key, block = sm3(message)[:16], sm3(message)[16:]
    cipher = CryptSM4()
    cipher.set_key(key, SM4_DECRYPT)
    if bytes(cipher.one_round(cipher.sk, func.bytes_to_list(encrypt_ecb(key, block)))) != block:
        raise BackendError("gmssl and this platform differ about SM4")
    private = readable_key()
    peer = CryptSM2(private_key=private.to_bytes().hex(), public_key=private.public.to_bytes()[1:].hex(), mode=1)
    signature = private.sign(message, encoding="raw").hex()
    if not peer.verify_with_sm3(signature, message) or peer.verify_with_sm3(signature, message + b"."):
        raise BackendError("gmssl and this platform differ about an SM2 signature")
    if peer.decrypt(private.public.encrypt(message, "c1c3c2-bare")) != message:
        raise BackendError("gmssl and this platform differ about an SM2 ciphertext")


def readable_key() -> PrivateKey:
    """A throw-away key of ours that gmssl reads rightly (its lstrip("04") eats leading digits 0 and 4)."""
    while (private := PrivateKey.generate()).public.to_bytes().hex()[2] in "04":
        pass
    return private
