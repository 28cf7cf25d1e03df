"""[secrets] — what protects the master key of sealed secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from kernel.config.mistakes import Mistakes
from kernel.config.secret import Secret


class SecretsPkcs11(msgspec.Struct, forbid_unknown_fields=True):
    """[secrets.pkcs11] — a token through PKCS#11, used with ``keeper = "pkcs11"``. See docs/secrets.md.

    module          the vendor's shared library
    token, key      labels of the token and of the AES-256 key in it that wraps the master key (made at the first use)
    pin             only in the environment (LIANDUN_SECRETS_PKCS11_PIN), never in the file
    pin_credential  name of a systemd credential (LoadCredential=) that holds the PIN
    pin_file        file that holds the PIN, mode 0600
    """

    module: Path | None = None
    token: str = "liandun"  # noqa: S105 — a label
    key: str = "liandun-master"
    pin: Secret = msgspec.field(default_factory=Secret)
    pin_credential: str = ""
    pin_file: Path | None = None


class SecretsSdf(msgspec.Struct, forbid_unknown_fields=True):
    """[secrets.sdf] — a cryptographic device after GM/T 0018, used with ``keeper = "sdf"``. See docs/secrets.md.

    library        the vendor's shared library
    kek            number of the key-encryption key in the device
    kek_algorithm  how the device encrypts session keys under it
    """

    library: Path | None = None
    kek: int = 1
    kek_algorithm: Literal["sm4-ecb", "sm4-cbc"] = "sm4-ecb"


class Secrets(msgspec.Struct, forbid_unknown_fields=True):
    """[secrets] — what protects the master key of sealed secrets: its file alone, a token, or a device. See docs/secrets.md."""

    keeper: Literal["file", "pkcs11", "sdf"] = "file"
    pkcs11: SecretsPkcs11 = msgspec.field(default_factory=SecretsPkcs11)
    sdf: SecretsSdf = msgspec.field(default_factory=SecretsSdf)


def check_secrets(secrets: Secrets, mistakes: Mistakes) -> None:
    token, device = secrets.pkcs11, secrets.sdf
    if token.pin and mistakes.stands_in_file("secrets.pkcs11.pin"):
        mistakes.add("secrets.pkcs11.pin", "no PIN in this file: use pin_file, pin_credential, or LIANDUN_SECRETS_PKCS11_PIN")
    if secrets.keeper == "pkcs11" and token.module is None:
        mistakes.add("secrets.pkcs11.module", 'is needed with keeper = "pkcs11": the shared library of the token')
    if token.module is not None and not (token.pin or token.pin_credential or token.pin_file):
        mistakes.add("secrets.pkcs11.pin_file", "a token needs its PIN: pin_file, pin_credential, or LIANDUN_SECRETS_PKCS11_PIN")
    if not re.fullmatch(r"[\w.@:-]{0,255}", token.pin_credential):
        mistakes.add("secrets.pkcs11.pin_credential", "is the name of a credential, not a path")
    for name, value, longest in (("token", token.token, 32), ("key", token.key, 255)):
        if not 1 <= len(value.encode()) <= longest:
            mistakes.add(f"secrets.pkcs11.{name}", f"is a label of 1 to {longest} bytes")
    if secrets.keeper == "sdf" and device.library is None:
        mistakes.add("secrets.sdf.library", 'is needed with keeper = "sdf": the shared library of the device')
    if not 0 <= device.kek <= 65535:
        mistakes.add("secrets.sdf.kek", f"{device.kek} is not between 0 and 65535")
