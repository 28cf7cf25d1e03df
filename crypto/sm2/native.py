"""SM2 through OpenSSL's EVP and EC calls (libcrypto 3, its successors, or the BabaSSL of tongsuopy).

OpenSSL checks less than we promise: 3.0 takes private keys from n-1 on (and then never returns from signing), foreign public keys
in PKCS#8, bytes after a key, the point at infinity. So it is only ever handed values that ``keys`` has checked. Signing and
verification use EVP on the digest e; everything else needs one primitive, the multiplication of a point, which OpenSSL does with
a ladder of fixed length for a secret scalar. Calls through ctypes release the GIL; keys are read-only once made, so threads may
share them.
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t, c_void_p

from crypto.der import encode_bits, encode_integer, encode_object_id, encode_octets, encode_sequence
from crypto.errors import BackendError
from crypto.native.libcrypto import Libcrypto
from crypto.sm2.curve import OBJECT_ID

_NID_SM2 = 1172
_UNCOMPRESSED = 4
_CONSTANT_TIME = 0x04  # BN_FLG_CONSTTIME
_LONGEST_SIGNATURE = 72

_ALGORITHM = encode_sequence(encode_object_id("1.2.840.10045.2.1"), encode_object_id(OBJECT_ID))


class NativeEngine:
    """The interface of ``engine.Engine``."""

    native = True

    def __init__(self, found: Libcrypto) -> None:
        self.name = f"{found.origin} ({found.version})"
        self._found = found
        self._group = found.lib.EC_GROUP_new_by_curve_name(_NID_SM2)
        if not self._group:
            found.lib.ERR_clear_error()
            raise BackendError(f"{self.name} was built without SM2")

    def multiply(self, scalar: bytes, point: bytes | None = None) -> bytes:
        lib, group = self._found.lib, self._group
        context, number = lib.BN_CTX_secure_new(), lib.BN_bin2bn(scalar, len(scalar), None)
        base = lib.EC_POINT_new(group) if point else None
        result = lib.EC_POINT_new(group)
        try:
            lib.BN_set_flags(number, _CONSTANT_TIME)
            if point:
                self._must(lib.EC_POINT_oct2point(group, base, point, len(point), context))
                self._must(lib.EC_POINT_mul(group, result, None, base, number, context))
            else:
                self._must(lib.EC_POINT_mul(group, result, number, None, None, context))
            octets = ctypes.create_string_buffer(65)
            self._must(lib.EC_POINT_point2oct(group, result, _UNCOMPRESSED, octets, 65, context) == 65)
            return octets.raw
        finally:
            lib.BN_clear_free(number)
            lib.EC_POINT_clear_free(base)
            lib.EC_POINT_clear_free(result)
            lib.BN_CTX_free(context)

    def signer(self, scalar: bytes, point: bytes) -> NativeSigner:
        inner = encode_sequence(encode_integer(1), encode_octets(scalar), _public_part(point))
        return NativeSigner(self._found, encode_sequence(encode_integer(0), _ALGORITHM, encode_octets(inner)))

    def verifier(self, point: bytes) -> NativeVerifier:
        return NativeVerifier(self._found, encode_sequence(_ALGORITHM, encode_bits(point)))

    def _must(self, done: int | bool) -> None:
        if done != 1:
            self._found.lib.ERR_clear_error()
            raise BackendError(f"{self.name} could not multiply a point")


class _Key:
    """An EVP_PKEY, freed with its object."""

    def __init__(self, found: Libcrypto, reader: str, der: bytes) -> None:
        self._lib = found.lib
        octets = ctypes.create_string_buffer(der, len(der))
        self._key: int | None = getattr(found.lib, reader)(None, byref(c_void_p(ctypes.addressof(octets))), len(der))
        ctypes.memset(octets, 0, len(der))
        if not self._key or (not found.modern and found.lib.EVP_PKEY_set_alias_type(self._key, _NID_SM2) != 1):
            found.lib.ERR_clear_error()
            raise BackendError(f"{found.origin} does not take an SM2 key")

    def __del__(self) -> None:
        if key := self.__dict__.get("_key"):
            self._lib.EVP_PKEY_free(key)


class NativeSigner(_Key):
    def __init__(self, found: Libcrypto, pkcs8: bytes) -> None:
        super().__init__(found, "d2i_AutoPrivateKey", pkcs8)

    def sign(self, e: bytes) -> bytes:
        lib = self._lib
        context = lib.EVP_PKEY_CTX_new(self._key, None)
        octets, size = ctypes.create_string_buffer(_LONGEST_SIGNATURE), c_size_t(_LONGEST_SIGNATURE)
        try:
            if lib.EVP_PKEY_sign_init(context) != 1 or lib.EVP_PKEY_sign(context, octets, byref(size), e, len(e)) != 1:
                lib.ERR_clear_error()
                raise BackendError("the SM2 library could not sign")
            return octets.raw[: size.value]
        finally:
            lib.EVP_PKEY_CTX_free(context)


class NativeVerifier(_Key):
    def __init__(self, found: Libcrypto, spki: bytes) -> None:
        super().__init__(found, "d2i_PUBKEY", spki)

    def verify(self, e: bytes, signature: bytes) -> bool:
        lib = self._lib
        context = lib.EVP_PKEY_CTX_new(self._key, None)
        try:
            if lib.EVP_PKEY_verify_init(context) == 1 and lib.EVP_PKEY_verify(context, signature, len(signature), e, len(e)) == 1:
                return True
            lib.ERR_clear_error()  # a refused signature leaves an entry in the thread's queue
            return False
        finally:
            lib.EVP_PKEY_CTX_free(context)


def _public_part(point: bytes) -> bytes:
    """[1] public key of an ECPrivateKey: without it OpenSSL would compute it again."""
    bits = encode_bits(point)
    return bytes((0xA1, len(bits))) + bits
