"""The calls of the cryptographic device interface (GM/T 0018-2023, as in the edition of 2012) that a keeper needs, through ctypes.

Handles are ``void *``, lengths and algorithm identifiers ``unsigned int``, every function returns an ``int`` that is 0 (SDR_OK) on
success. Algorithm identifiers: GM/T 0006.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto.errors import SecretError

SGD_SM4_ECB, SGD_SM4_CBC = 0x00000401, 0x00000402
BLOCK = 16

_MOST = 512
"""Bytes of a wrapped session key at most; devices answer 16 to some tens."""

_ERRORS = {
    0x01000001: "unknown error",
    0x01000002: "the device does not offer this function",
    0x01000003: "no connection to the device",
    0x01000004: "the device does not answer",
    0x01000005: "the device cannot be opened",
    0x01000006: "no session",
    0x01000007: "this private key may not be used",
    0x01000008: "there is no such key",
    0x01000009: "the device does not know this algorithm",
    0x0100000A: "the device does not know this mode",
    0x0100000F: "the symmetric operation failed",
    0x01000014: "wrong key type",
    0x01000015: "wrong key",
    0x01000016: "encrypted data are wrong",
    0x0100001C: "no buffer left",
    0x0100001D: "wrong input parameter",
    0x0100001E: "wrong output parameter",
}
"""SDR_BASE + n, GM/T 0018 annex A."""

_handle, _uint = ctypes.c_void_p, ctypes.c_uint
_bytes, _to_uint, _to_handle = ctypes.c_char_p, ctypes.POINTER(ctypes.c_uint), ctypes.POINTER(ctypes.c_void_p)
_crypt = (_handle, _handle, _uint, _bytes, _bytes, _uint, _bytes, _to_uint)
_CALLS: dict[str, tuple[type, ...]] = {
    "SDF_OpenDevice": (_to_handle,),
    "SDF_CloseDevice": (_handle,),
    "SDF_OpenSession": (_handle, _to_handle),
    "SDF_CloseSession": (_handle,),
    "SDF_GenerateKeyWithKEK": (_handle, _uint, _uint, _uint, _bytes, _to_uint, _to_handle),
    "SDF_ImportKeyWithKEK": (_handle, _uint, _uint, _bytes, _uint, _to_handle),
    "SDF_DestroyKey": (_handle, _handle),
    "SDF_Encrypt": _crypt,
    "SDF_Decrypt": _crypt,
}


class SdfLibrary:
    """A vendor's shared library. Raises SecretError where it cannot be loaded or lacks a call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._library = ctypes.CDLL(str(path))
            for name, arguments in _CALLS.items():
                function = getattr(self._library, name)
                function.argtypes, function.restype = arguments, ctypes.c_int
        except (OSError, AttributeError) as error:
            raise SecretError(f"the SDF library {path} cannot be used: {error}") from error

    @contextmanager
    def session(self) -> Iterator[SdfSession]:
        """Device and session, both closed at the end."""
        device, session = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("SDF_OpenDevice", ctypes.byref(device))
        try:
            self.call("SDF_OpenSession", device, ctypes.byref(session))
            try:
                yield SdfSession(self, session)
            finally:
                self._library.SDF_CloseSession(session)
        finally:
            self._library.SDF_CloseDevice(device)

    def call(self, name: str, *arguments: object) -> None:
        """Raises SecretError for every answer but SDR_OK."""
        code = getattr(self._library, name)(*arguments) & 0xFFFFFFFF
        if code:
            raise SecretError(f"the device behind {self.path} refuses {name}: {_ERRORS.get(code, 'error')} (0x{code:08x})")


class SdfSession:
    """An open session."""

    def __init__(self, library: SdfLibrary, handle: ctypes.c_void_p) -> None:
        self._library, self._handle = library, handle

    @contextmanager
    def new_key(self, algorithm: int, kek: int) -> Iterator[tuple[SdfKey, bytes]]:
        """A session key that the device has made, and the same key encrypted under its key-encryption key number ``kek``."""
        wrapped, size, key = ctypes.create_string_buffer(_MOST), ctypes.c_uint(_MOST), ctypes.c_void_p()
        arguments = (ctypes.c_uint(BLOCK * 8), ctypes.c_uint(algorithm), ctypes.c_uint(kek))
        self._library.call("SDF_GenerateKeyWithKEK", self._handle, *arguments, wrapped, ctypes.byref(size), ctypes.byref(key))
        with self._destroying(key) as opened:
            yield opened, wrapped.raw[: size.value]

    @contextmanager
    def imported_key(self, algorithm: int, kek: int, wrapped: bytes) -> Iterator[SdfKey]:
        """The session key that was encrypted under key-encryption key number ``kek``."""
        key = ctypes.c_void_p()
        arguments = (ctypes.c_uint(algorithm), ctypes.c_uint(kek), wrapped, ctypes.c_uint(len(wrapped)))
        self._library.call("SDF_ImportKeyWithKEK", self._handle, *arguments, ctypes.byref(key))
        with self._destroying(key) as opened:
            yield opened

    @contextmanager
    def _destroying(self, key: ctypes.c_void_p) -> Iterator[SdfKey]:
        try:
            yield SdfKey(self._library, self._handle, key)
        finally:
            self._library.call("SDF_DestroyKey", self._handle, key)


class SdfKey:
    """A session key in the device."""

    def __init__(self, library: SdfLibrary, session: ctypes.c_void_p, handle: ctypes.c_void_p) -> None:
        self._library, self._session, self._handle = library, session, handle

    def encrypt(self, vector: bytes, blocks: bytes) -> bytes:
        """SM4-CBC over whole blocks."""
        return self._crypt("SDF_Encrypt", vector, blocks)

    def decrypt(self, vector: bytes, blocks: bytes) -> bytes:
        return self._crypt("SDF_Decrypt", vector, blocks)

    def _crypt(self, name: str, vector: bytes, blocks: bytes) -> bytes:
        room = len(blocks) + BLOCK
        carried = ctypes.create_string_buffer(vector, BLOCK)  # devices write the next vector there
        out, size = ctypes.create_string_buffer(room), ctypes.c_uint(room)
        arguments = (ctypes.c_uint(SGD_SM4_CBC), carried, blocks, ctypes.c_uint(len(blocks)), out, ctypes.byref(size))
        self._library.call(name, self._session, self._handle, *arguments)
        if size.value != len(blocks):
            raise SecretError(f"the device behind {self._library.path} answers {name} with {size.value} bytes for {len(blocks)}")
        return out.raw[: size.value]
