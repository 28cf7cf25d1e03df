"""Real places for a master key: tokens of SoftHSM2, and a device behind a compiled SDF library."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
SDF_SOURCE = Path(__file__).parent / "crypto" / "keepers" / "sdf_device.c"


@dataclass(frozen=True)
class SoftHsm:
    """One SoftHSM2 with its own folder of tokens. Its library reads SOFTHSM2_CONF once in a process."""

    module: Path
    conf: Path
    pin: str

    @property
    def environment(self) -> dict[str, str]:
        return {"SOFTHSM2_CONF": str(self.conf)}

    def add_token(self, label: str) -> str:
        """Initialise a token; only processes that begin later see it."""
        words = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "87654321", "--pin", self.pin]
        subprocess.run(words, env={**os.environ, **self.environment}, check=True, capture_output=True)
        return label


def make_softhsm(folder: Path) -> SoftHsm:
    module = next((Path(name) for name in MODULES if Path(name).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("needs SoftHSM2 (apt install softhsm2)")
    pytest.importorskip("pkcs11", reason="needs python-pkcs11")
    (folder / "tokens").mkdir(parents=True)
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    return SoftHsm(module, conf, "20261126")


@dataclass(frozen=True)
class SdfDevice:
    """A device after GM/T 0018 in a folder: key-encryption keys in files, every call in a log."""

    library: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"LIANDUN_TEST_SDF": str(self.folder)}

    def make_kek(self, number: int) -> None:
        (self.folder / f"kek{number}").write_bytes(secrets.token_bytes(16))

    def calls(self) -> list[str]:
        log = self.folder / "calls"
        return log.read_text().splitlines() if log.exists() else []


def build_sdf(folder: Path) -> SdfDevice:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not (Path("/usr/include/openssl/evp.h")).exists():
        pytest.skip("needs a C compiler and OpenSSL's headers (apt install gcc libc6-dev libssl-dev)")
    library = folder / "libsdf.so"
    words = [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", str(library), str(SDF_SOURCE)]
    subprocess.run([*words, "-lcrypto"], check=True, capture_output=True)
    device = SdfDevice(library, folder / "device")
    device.folder.mkdir()
    device.make_kek(1)
    return device
