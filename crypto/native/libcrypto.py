"""OpenSSL's libcrypto by ctypes: found on any distribution, its functions typed.

Python's own ``ssl`` hides the SM2 calls and the ``cryptography`` wheel links its OpenSSL statically, out of reach. The loader is
asked for the sonames (it knows /etc/ld.so.conf on Debian and openEuler, and the fixed paths of musl), so nothing is guessed about
folders. ``LIANDUN_LIBCRYPTO`` names a file instead, for an OpenSSL or Tongsuo of one's own.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_void_p
from pathlib import Path
from typing import NamedTuple

from crypto.errors import BackendError

_SONAMES = {
    "linux": ("libcrypto.so.3", "libcrypto.so.4", "libcrypto.so.1.1"),
    "darwin": (  # never the bare libcrypto.dylib: macOS kills who loads it
        "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
        "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
    ),
    "win32": ("libcrypto-3-x64.dll", "libcrypto-3-arm64.dll", "libcrypto-3.dll"),
}

# name: (result, arguments)
_FUNCTIONS: dict[str, tuple[type | None, tuple[type, ...]]] = {
    "OpenSSL_version": (c_char_p, (c_int,)),
    "ERR_clear_error": (None, ()),
    "EC_GROUP_new_by_curve_name": (c_void_p, (c_int,)),
    "EC_POINT_new": (c_void_p, (c_void_p,)),
    "EC_POINT_clear_free": (None, (c_void_p,)),
    "EC_POINT_mul": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "EC_POINT_oct2point": (c_int, (c_void_p, c_void_p, c_char_p, c_size_t, c_void_p)),
    "EC_POINT_point2oct": (c_size_t, (c_void_p, c_void_p, c_int, c_char_p, c_size_t, c_void_p)),
    "BN_CTX_secure_new": (c_void_p, ()),
    "BN_CTX_free": (None, (c_void_p,)),
    "BN_bin2bn": (c_void_p, (c_char_p, c_int, c_void_p)),
    "BN_set_flags": (None, (c_void_p, c_int)),
    "BN_clear_free": (None, (c_void_p,)),
    "d2i_AutoPrivateKey": (c_void_p, (c_void_p, POINTER(c_void_p), ctypes.c_long)),
    "d2i_PUBKEY": (c_void_p, (c_void_p, POINTER(c_void_p), ctypes.c_long)),
    "EVP_PKEY_free": (None, (c_void_p,)),
    "EVP_PKEY_CTX_new": (c_void_p, (c_void_p, c_void_p)),
    "EVP_PKEY_CTX_free": (None, (c_void_p,)),
    "EVP_PKEY_sign_init": (c_int, (c_void_p,)),
    "EVP_PKEY_sign": (c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    "EVP_PKEY_verify_init": (c_int, (c_void_p,)),
    "EVP_PKEY_verify": (c_int, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
}


class Libcrypto(NamedTuple):
    """origin: where it came from, for people; version: what it calls itself; modern: OpenSSL 3 or later."""

    origin: str
    version: str
    modern: bool
    lib: ctypes.CDLL


def system_libcrypto() -> Libcrypto:
    """The OpenSSL of the machine. Raises BackendError where there is none with what SM2 needs."""
    named = os.environ.get("LIANDUN_LIBCRYPTO", "")
    names = (named,) if named else _SONAMES.get(sys.platform, _SONAMES["linux"])
    reasons = []
    for name in names:
        try:
            return _load(name, Path(name).name)
        except BackendError as error:
            reasons.append(str(error))
    raise BackendError("; ".join(reasons))


def tongsuopy_libcrypto() -> Libcrypto:
    """The BabaSSL inside of the tongsuopy wheel (x86_64 Linux). Raises BackendError where it is not installed."""
    spec = importlib.util.find_spec("tongsuopy")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted((Path(folder) / "backends").glob("_tongsuo*.so")):
            return _load(str(path), "tongsuopy")
    raise BackendError("the wheel tongsuopy is not installed")


def _load(name: str, origin: str) -> Libcrypto:
    try:
        lib = ctypes.CDLL(name)
        _declare(lib, _FUNCTIONS)
        version = lib.OpenSSL_version(0).decode()
        modern = not hasattr(lib, "EVP_PKEY_set_alias_type")
        if not modern:
            _declare(lib, {"EVP_PKEY_set_alias_type": (c_int, (c_void_p, c_int))})
    except (OSError, AttributeError) as error:
        raise BackendError(f"{origin} cannot be used: {error}") from error
    return Libcrypto(origin, version, modern, lib)


def _declare(lib: ctypes.CDLL, functions: dict[str, tuple[type | None, tuple[type, ...]]]) -> None:
    for name, (result, arguments) in functions.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
