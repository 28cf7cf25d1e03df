"""Keys that sign playbooks, out of the files in which they are kept."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from crypto.certificates.certificate import read_certificates
from crypto.errors import CryptoError, WrongPasswordError
from crypto.sm2 import PrivateKey, PublicKey
from kernel.errors import LiandunError
from playbooks.signatures import AnyPrivate


def read_signing_key(octets: bytes, password: str | None = None) -> AnyPrivate:
    """A private key as PEM: SM2, RSA, P-256 or Ed25519. Raises WrongPasswordError where one is needed, LiandunError for others."""
    try:
        return PrivateKey.from_pem(octets, password)
    except WrongPasswordError:
        if password is not None:
            raise
        wanted = True
    except CryptoError:
        wanted = False
    try:
        key = serialization.load_pem_private_key(octets, None if password is None else password.encode())
    except TypeError as error:
        raise WrongPasswordError("the key is encrypted") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if wanted:
            raise WrongPasswordError("the key is encrypted") from error
        raise LiandunError("this is no private key that can be read", "PEM of SM2, RSA, P-256 or Ed25519") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise LiandunError("this kind of key cannot sign playbooks", "SM2, RSA of 2,048 bits, P-256 or Ed25519")
    return key


def fingerprint_of(octets: bytes) -> str:
    """Fingerprint of the key in a PEM public key or certificate: SHA-256 of its SubjectPublicKeyInfo, hex. Raises LiandunError."""
    try:
        if b"BEGIN CERTIFICATE" in octets:
            certificate = read_certificates(octets)[0]
            if certificate.is_sm2:
                return hashlib.sha256(certificate.public_key.to_der()).hexdigest()
            return _foreign(x509.load_pem_x509_certificate(octets).public_key())
        try:
            return hashlib.sha256(PublicKey.from_pem(octets).to_der()).hexdigest()
        except CryptoError:
            return _foreign(serialization.load_pem_public_key(octets))
    except (CryptoError, ValueError, UnsupportedAlgorithm, IndexError) as error:
        raise LiandunError("this is no public key and no certificate", "PEM is wanted") from error


def _foreign(key: object) -> str:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise ValueError("another kind of key")
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, form)).hexdigest()
