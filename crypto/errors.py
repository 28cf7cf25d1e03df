"""What can go wrong in cryptography. Messages say what to do and never hold a key, a password or a plaintext."""

from __future__ import annotations


class CryptoError(ValueError):
    """Base of all errors of this room; the text may be shown to people."""


class EncodingError(CryptoError):
    """Bytes do not follow their format (DER, PEM, point, ciphertext) exactly."""


class InvalidKeyError(CryptoError):
    """A key is outside of its range, off the curve, of another algorithm, or does not belong to its other half."""


class WrongPasswordError(CryptoError):
    """An encrypted key or file needs a password, or does not open with the one given."""


class DecryptionError(CryptoError):
    """A ciphertext does not open: another key, another context, or it was changed. Deliberately says no more."""


class BackendError(CryptoError):
    """A library cannot do its work or answers wrongly (its known-answer test failed)."""


class BackendMissingError(BackendError):
    """A library is not on this machine, or was built without what is needed; another one serves."""


class SecretError(CryptoError):
    """A sealed secret, the master key or its keeper cannot be used; the message says why, never what it holds."""
