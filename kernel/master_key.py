"""The master key as configured: ``[secrets]`` → keepers → the key of the data directory.

key = open_master_key(config)        # made at the first start
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from crypto.errors import SecretError
from crypto.generations import KeyFile
from crypto.keepers import FileKeeper, Keeper, Keepers
from crypto.keepers.pkcs11 import TokenKeeper
from crypto.keepers.sdf import DeviceKeeper
from crypto.private_file import read_private
from crypto.secret import MasterKey
from kernel.config import Config, load_config
from kernel.config.keepers import Secrets, SecretsPkcs11
from kernel.errors import ConfigError
from kernel.layout import Layout


def open_master_key(config: Config) -> MasterKey:
    """Raises SecretError where the key cannot be had; the message says what to do."""
    return MasterKey.load(Layout(config.data_dir).master_key, Configured(config))


def key_file(config: Config) -> KeyFile:
    """The file of the master key, for the commands that change it."""
    return KeyFile(Layout(config.data_dir).master_key, Configured(config))


class Configured:
    """The keepers of a configuration, read anew each time: a running role follows a key that was moved to another keeper."""

    def __init__(self, config: Config) -> None:
        self._file = Path(config.file) if config.file else config.data_dir / "liandun.toml"
        self._secrets = config.secrets

    def __call__(self) -> Keepers:
        if self._file.is_file():
            with contextlib.suppress(ConfigError):  # being edited: what was read last holds
                self._secrets = load_config(self._file).secrets
        return keepers_of(self._secrets)


def keepers_of(secrets: Secrets) -> Keepers:
    """The keepers that are configured; the chosen one among them."""
    known: dict[str, Keeper] = {"file": FileKeeper()}
    if (module := secrets.pkcs11.module) is not None:
        settings = secrets.pkcs11
        known["pkcs11"] = TokenKeeper(module, token=settings.token, key=settings.key, pin=lambda: read_pin(settings))
    if (library := secrets.sdf.library) is not None:
        known["sdf"] = DeviceKeeper(library, kek=secrets.sdf.kek, wrapping=secrets.sdf.kek_algorithm)
    return Keepers(secrets.keeper, known)


def read_pin(settings: SecretsPkcs11) -> str:
    """The PIN from the environment, else a systemd credential, else its file. Raises SecretError."""
    if settings.pin:
        return settings.pin.reveal()
    try:
        if settings.pin_credential:
            folder = os.environ.get("CREDENTIALS_DIRECTORY")
            if not folder:
                raise SecretError("there are no systemd credentials here ([secrets.pkcs11] pin_credential): see LoadCredential=")
            content = (Path(folder) / settings.pin_credential).read_bytes()  # systemd sees to its mode and owner
        elif settings.pin_file is not None:
            content = read_private(settings.pin_file)
        else:
            raise SecretError("the token's PIN is not configured: see [secrets.pkcs11]")
        pin = content.decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8"
        raise SecretError(f"the token's PIN cannot be read ([secrets.pkcs11]): {reason}") from None
    if not pin:
        raise SecretError("the token's PIN is empty ([secrets.pkcs11])")
    return pin
