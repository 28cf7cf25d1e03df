"""SM4 in all modes, both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crypto.errors import CryptoError
from crypto.reference.xts import crypt_xts
from crypto.sm4 import (
    BLOCK_SIZE,
    crypt_ctr,
    crypt_ofb,
    decrypt_cbc,
    decrypt_ccm,
    decrypt_cfb,
    decrypt_ecb,
    decrypt_gcm,
    encrypt_cbc,
    encrypt_ccm,
    encrypt_cfb,
    encrypt_ecb,
    encrypt_gcm,
)

Case = dict[str, Any]
Mode = Callable[[bytes, bytes, bytes], bytes]
octets = bytes.fromhex

_MODES: dict[str, tuple[Mode, Mode]] = {
    "ECB": (lambda key, _, data: encrypt_ecb(key, data), lambda key, _, data: decrypt_ecb(key, data)),
    "CBC": (
        lambda key, iv, data: encrypt_cbc(key, iv, data, padded=False),
        lambda key, iv, data: decrypt_cbc(key, iv, data, padded=False),
    ),
    "CTR": (crypt_ctr, crypt_ctr),
    "OFB": (crypt_ofb, crypt_ofb),
    "CFB": (encrypt_cfb, decrypt_cfb),
}


def mode(case: Case) -> tuple[str, str]:
    """One case of a block mode; its ciphertext is also decrypted again."""
    if case["mode"] in ("GCM", "CCM"):
        return aead(case | {"msg": case["pt"], "what": case["mode"]})
    key, iv, plain = octets(case["key"]), octets(case["iv"]), octets(case["pt"])
    if case["mode"] == "XTS":
        return case["ct"], _xts(key, iv, plain, octets(case["ct"]))
    if "iterations" in case:
        return case["ct"], _repeated(key, plain, case["iterations"]).hex()
    encrypt, decrypt = _MODES[case["mode"]]
    crypted = encrypt(key, iv, plain)
    return case["ct"], crypted.hex() if decrypt(key, iv, crypted) == plain else "does not decrypt"


def aead(case: Case) -> tuple[str, str]:
    """GCM or CCM: the tag must open, and encrypting must give the same ciphertext and tag."""
    encrypt, decrypt = (encrypt_ccm, decrypt_ccm) if "CCM" in case["what"] else (encrypt_gcm, decrypt_gcm)
    key, iv, aad, tag = (octets(case[name]) for name in ("key", "iv", "aad", "tag"))
    size = case.get("tag_bits", 8 * len(tag)) // 8
    if len(tag) != size:
        raise CryptoError("the tag has another length than agreed")
    plain = decrypt(key, iv, octets(case["ct"]) + tag, aad, size)
    if plain.hex() != case["msg"]:
        return case["msg"], plain.hex()
    return case["ct"] + case["tag"], encrypt(key, iv, plain, aad, size).hex()


def cbc_padding(case: Case) -> tuple[str, str]:
    key, iv = octets(case["key"]), octets(case["iv"])
    plain = decrypt_cbc(key, iv, octets(case["ct"]))
    if plain.hex() != case["msg"]:
        return case["msg"], plain.hex()
    return case["ct"], encrypt_cbc(key, iv, plain).hex()


def _repeated(key: bytes, plain: bytes, times: int) -> bytes:
    """ECB of ECB of …: CBC over zero blocks with the plaintext as initial vector is just that, in one call."""
    return encrypt_cbc(key, plain, bytes(BLOCK_SIZE * times), padded=False)[-BLOCK_SIZE:]


def _xts(key: bytes, tweak: bytes, plain: bytes, crypted: bytes) -> str:
    """By the rule of GB/T 17964, or of IEEE 1619 where the case was made by that one (the files do not say)."""
    results = []
    for ieee in (False, True):
        result = crypt_xts(key, tweak, plain, encrypt=True, ieee=ieee)
        if crypt_xts(key, tweak, result, encrypt=False, ieee=ieee) != plain:
            return "does not decrypt"
        results.append(result)
    return (results[1] if results[1] == crypted else results[0]).hex()
