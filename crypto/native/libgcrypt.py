"""SM4-GCM by libgcrypt (1.9 and later), which has AES-NI, AVX2 and ARM vector code for SM4. Optional: found, tested, or left
alone.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint, c_void_p

from crypto.errors import BackendError

_SM4, _GCM = 318, 9  # GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_GCM
_DISABLE_SECURE_MEMORY, _FINISHED, _IS_FINISHED = 37, 38, 39  # GCRYCTL_…
_BAD_TAG = 10  # GPG_ERR_CHECKSUM
_TAG = 16

_NAMES = {"darwin": "/opt/homebrew/lib/libgcrypt.20.dylib", "win32": "libgcrypt-20.dll"}
_FUNCTIONS: dict[str, tuple[type, ...]] = {
    "gcry_cipher_open": (POINTER(c_void_p), c_int, c_int, c_uint),
    "gcry_cipher_setkey": (c_void_p, c_char_p, c_size_t),
    "gcry_cipher_setiv": (c_void_p, c_char_p, c_size_t),
    "gcry_cipher_authenticate": (c_void_p, c_char_p, c_size_t),
    "gcry_cipher_encrypt": (c_void_p, c_void_p, c_size_t, c_char_p, c_size_t),
    "gcry_cipher_decrypt": (c_void_p, c_void_p, c_size_t, c_char_p, c_size_t),
    "gcry_cipher_gettag": (c_void_p, c_void_p, c_size_t),
    "gcry_cipher_checktag": (c_void_p, c_char_p, c_size_t),
}


class LibgcryptGcm:
    """The interface of ``sm4.gcm.GcmEngine``; a handle lives for one message, so threads share nothing."""

    def __init__(self) -> None:
        self._lib, version = _library()
        self.name = f"libgcrypt ({version})"

    def encrypt(self, key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
        handle = self._open(key, nonce, aad)
        try:
            output, tag = ctypes.create_string_buffer(len(plaintext)), ctypes.create_string_buffer(_TAG)
            self._must(self._lib.gcry_cipher_encrypt(handle, output, len(plaintext), plaintext, len(plaintext)))
            self._must(self._lib.gcry_cipher_gettag(handle, tag, _TAG))
            return output.raw, tag.raw
        finally:
            self._lib.gcry_cipher_close(handle)

    def decrypt(self, key: bytes, nonce: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes | None:
        handle = self._open(key, nonce, aad)
        try:
            output = ctypes.create_string_buffer(len(ciphertext))
            self._must(self._lib.gcry_cipher_decrypt(handle, output, len(ciphertext), ciphertext, len(ciphertext)))
            code = self._lib.gcry_cipher_checktag(handle, tag, len(tag)) & 0xFFFF
            if code == _BAD_TAG:
                return None
            self._must(code)
            return output.raw
        finally:
            self._lib.gcry_cipher_close(handle)

    def _open(self, key: bytes, nonce: bytes, aad: bytes) -> c_void_p:
        handle = c_void_p()
        self._must(self._lib.gcry_cipher_open(byref(handle), _SM4, _GCM, 0))
        self._must(self._lib.gcry_cipher_setkey(handle, key, len(key)))
        self._must(self._lib.gcry_cipher_setiv(handle, nonce, len(nonce)))
        self._must(self._lib.gcry_cipher_authenticate(handle, aad, len(aad)))
        return handle

    def _must(self, code: int) -> None:
        if code:
            raise BackendError(f"{self.name} refused an SM4-GCM operation (code {code & 0xFFFF})")


@functools.cache
def _library() -> tuple[ctypes.CDLL, str]:
    try:
        lib = ctypes.CDLL(_NAMES.get(sys.platform, "libgcrypt.so.20"))
        lib.gcry_check_version.restype, lib.gcry_check_version.argtypes = c_char_p, (c_char_p,)
        lib.gcry_cipher_close.restype, lib.gcry_cipher_close.argtypes = None, (c_void_p,)
        for name, arguments in _FUNCTIONS.items():
            function = getattr(lib, name)
            function.restype, function.argtypes = c_uint, arguments
        version = lib.gcry_check_version(None).decode()  # also initialises the library, as its manual asks
    except (OSError, AttributeError) as error:
        raise BackendError(f"libgcrypt cannot be used: {error}") from error
    if not lib.gcry_control(_IS_FINISHED, 0):  # another part of the process may have done it
        lib.gcry_control(_DISABLE_SECURE_MEMORY, 0)  # keys are in Python's memory anyway
        lib.gcry_control(_FINISHED, 0)
    return lib, version
