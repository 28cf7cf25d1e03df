"""A certificate, request or revocation list that may not be used."""

from __future__ import annotations

from crypto.errors import CryptoError


class CertificateError(CryptoError):
    """``where`` is the subject of the certificate (or the issuer of the list) at fault, empty where there is none yet."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where
