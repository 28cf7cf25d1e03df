"""SM3, HMAC, key derivation, one-time passwords; SM9 and ZUC by the reference code."""

from __future__ import annotations

from typing import Any

from crypto.derive import hkdf_sm3, pbkdf2_sm3
from crypto.errors import CryptoError
from crypto.otp import one_time_password
from crypto.reference import sm9 as reference
from crypto.reference import zuc
from crypto.sm3 import Mac, sm3, sm3_hasher

Case = dict[str, Any]
octets = bytes.fromhex


def digest(case: Case) -> tuple[str, str]:
    message = octets(case["message"])
    hasher = sm3_hasher()
    for start in range(0, len(message), 7):  # the same in pieces
        hasher.update(message[start : start + 7])
    at_once = sm3(message).hex()
    return case["digest"], at_once if hasher.hexdigest() == at_once else "pieces differ"


def hmac(case: Case) -> tuple[str, str]:
    tag = octets(case["tag"])
    mac = Mac(octets(case["key"]), size=case.get("tag_bits", 8 * len(tag)) // 8).update(octets(case["msg"]))
    if not mac.verify(tag):
        raise CryptoError("the tag is not right")
    return case["tag"], mac.digest().hex()


def pbkdf2(case: Case) -> tuple[str, str]:
    key = pbkdf2_sm3(octets(case["password"]), octets(case["salt"]), case["iterations"], case["key_bytes"])
    return case["key"], key.hex()


def hkdf(case: Case) -> tuple[str, str]:
    return case["okm"], hkdf_sm3(octets(case["ikm"]), octets(case["salt"]), octets(case["info"]), case["size"]).hex()


def otp(case: Case) -> tuple[str, str]:
    got = one_time_password(octets(case["key"]), case["time_factor"], case["event"] or 0, case["challenge"] or "", case["digits"])
    return case["otp"], got


def eea3(case: Case) -> tuple[str, str]:
    plain, key = octets(case["pt"]), octets(case["key"])
    crypted = zuc.eea3(key, case["count"], case["bearer"], case["direction"], plain)
    back = zuc.eea3(key, case["count"], case["bearer"], case["direction"], crypted)
    return case["ct"], crypted.hex() if back == plain else "does not decrypt"


def eia3(case: Case) -> tuple[str, str]:
    code = zuc.eia3(octets(case["key"]), case["count"], case["bearer"], case["direction"], octets(case["message"]), case["bits"])
    return case["mac"], code.hex()


def sm9(case: Case) -> tuple[str, str]:
    """Everything the example states, one after the other: public keys, user key, C, key, ciphertext, confirmations."""
    expected: dict[str, str] = case["expected"]
    numbers = [int(value, 16) for _, value in case["decoded"]]
    names = list(dict.fromkeys(value.encode() for name, value in case["strings"] if name != "plaintext"))
    master = reference.Master(numbers[0], int(case["hid"][0], 16))
    got = {"expectedMasterPublicKey": reference.first_octets(master.public).hex()}
    if "expectedSignatureA" in expected:
        got |= _sm9_exchange(master, names, numbers[1:], expected)
    else:
        got |= _sm9_encryption(case, master, names[0], numbers[1], expected)
    return " ".join(expected.values()), " ".join(got.get(name, f"{name}?") for name in expected)


def _sm9_encryption(case: Case, master: reference.Master, ident: bytes, r: int, expected: dict[str, str]) -> dict[str, str]:
    size = len(expected["expectedKey"]) // 2
    private = master.user_private(ident)
    c, key = reference.encapsulate(master, ident, r, size)
    got = {
        "expectedUserPrivateKey": reference.private_octets(private).hex(),
        "expectedUserPublicKey": reference.first_octets(master.user_public(ident)).hex(),
        "expectedCipher": c.hex(),
        "expectedKey": key.hex(),
    }
    if reference.decapsulate(private, ident, reference.first_point(c), size) != key:
        got["expectedKey"] = "the private key gives another key"
    if "expectedCiphertext" in expected:
        plaintext = next(value for name, value in case["strings"] if name == "plaintext").encode()
        block = len(plaintext) + 32 != size
        got["expectedCiphertext"] = reference.encrypt(master, ident, r, plaintext, block).hex()
    return got


def _sm9_exchange(master: reference.Master, names: list[bytes], numbers: list[int], expected: dict[str, str]) -> dict[str, str]:
    size = len(expected["expectedKey"]) // 2
    initiator, responder = reference.exchange(master, (names[0], names[1]), (numbers[0], numbers[1]), size)
    return {
        "expectedPube": reference.first_octets(master.public).hex(),
        "expectedKey": initiator.key.hex() if initiator == responder else "the sides differ",
        "expectedSignatureB": initiator.by_responder.hex(),
        "expectedSignatureA": initiator.by_initiator.hex(),
    }
