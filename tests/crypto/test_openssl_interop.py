"""Both ways with the ``openssl`` command line (3.0 and later)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from crypto.derive import hkdf_sm3, pbkdf2_sm3
from crypto.sm2 import PrivateKey, PublicKey
from crypto.sm3 import hmac_sm3, sm3
from crypto.sm4 import crypt_ctr, crypt_ofb, decrypt_cbc, decrypt_cfb, decrypt_ecb, encrypt_cbc, encrypt_cfb, encrypt_ecb

KEY, IV = bytes(range(16)), bytes(range(16, 32))
MESSAGES = [b"", b"a", bytes(range(256)), b"firewall rule 42 changed" * 1000]


def openssl(*arguments: str | Path, stdin: bytes = b"", folder: Path | None = None) -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def openssl_refuses(*arguments: str | Path, folder: Path) -> bool:
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, cwd=folder).returncode != 0


pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None or not openssl("version").split()[1] >= b"3", reason="needs openssl 3 (apt install openssl)"
)


@pytest.mark.parametrize("message", MESSAGES, ids=len)
def test_digest_and_hmac(message: bytes) -> None:
    assert openssl("dgst", "-sm3", "-binary", stdin=message) == sm3(message)
    assert openssl("dgst", "-sm3", "-binary", "-hmac", "key", stdin=message) == hmac_sm3(b"key", message)


def test_key_derivation() -> None:
    output = openssl("kdf", "-binary", "-keylen", "40", *_kdf("digest:SM3", "pass:password", "salt:salt", "iter:1000"), "PBKDF2")
    assert output == pbkdf2_sm3(b"password", b"salt", 1000, 40)
    output = openssl("kdf", "-binary", "-keylen", "70", *_kdf("digest:SM3", "key:secret", "salt:salt", "info:info"), "HKDF")
    assert output == hkdf_sm3(b"secret", b"salt", b"info", 70)


def _kdf(*options: str) -> list[str]:
    return [part for option in options for part in ("-kdfopt", option)]


@pytest.mark.parametrize("message", MESSAGES, ids=len)
def test_sm4(message: bytes) -> None:
    blocks = message[: len(message) // 16 * 16]
    for mode, plain, ours in (
        ("cbc", message, encrypt_cbc(KEY, IV, message)),
        ("ctr", message, crypt_ctr(KEY, IV, message)),
        ("ofb", message, crypt_ofb(KEY, IV, message)),
        ("cfb", message, encrypt_cfb(KEY, IV, message)),
        ("ecb", blocks, encrypt_ecb(KEY, blocks)),
    ):
        command = ["enc", f"-sm4-{mode}", "-K", KEY.hex(), *([] if mode == "ecb" else ["-iv", IV.hex()])]
        padding = ["-nopad"] if mode == "ecb" else []
        assert openssl(*command, *padding, stdin=plain) == ours
        assert openssl(*command, *padding, "-d", stdin=ours) == plain
    theirs = openssl("enc", "-sm4-cbc", "-K", KEY.hex(), "-iv", IV.hex(), stdin=message)
    assert decrypt_cbc(KEY, IV, theirs) == message
    assert decrypt_cfb(KEY, IV, openssl("enc", "-sm4-cfb", "-K", KEY.hex(), "-iv", IV.hex(), stdin=message)) == message
    assert decrypt_ecb(KEY, encrypt_ecb(KEY, blocks)) == blocks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A key pair of openssl's (theirs.pem) and one of ours (ours.pem, public.pem), and a message."""
    openssl("genpkey", "-algorithm", "SM2", "-out", "theirs.pem", folder=tmp_path)
    key = PrivateKey.generate()
    (tmp_path / "ours.pem").write_text(key.to_pem())
    (tmp_path / "public.pem").write_text(key.public.to_pem())
    (tmp_path / "message").write_bytes(b"firewall rule 42 changed")
    return tmp_path


@pytest.mark.parametrize("ident", ["1234567812345678", "officer@example.gov.cn"])
def test_signatures(folder: Path, ident: str) -> None:
    message, ours = (folder / "message").read_bytes(), PrivateKey.from_pem((folder / "ours.pem").read_text())
    verify = ("dgst", "-sm3", "-verify", "public.pem", "-sigopt", f"distid:{ident}", "-signature", "signature", "message")
    (folder / "signature").write_bytes(ours.sign(message, ident.encode()))
    assert openssl(*verify, folder=folder) == b"Verified OK\n"
    (folder / "signature").write_bytes(ours.sign(message, b"somebody else"))
    assert openssl_refuses(*verify, folder=folder)
    theirs = PrivateKey.from_pem((folder / "theirs.pem").read_text()).public
    for _ in range(10):
        signature = openssl("dgst", "-sm3", "-sign", "theirs.pem", "-sigopt", f"distid:{ident}", "message", folder=folder)
        assert theirs.verify(message, signature, ident.encode())
        assert not theirs.verify(message + b".", signature, ident.encode())


def test_ciphertexts(folder: Path) -> None:
    ours = PrivateKey.from_pem((folder / "ours.pem").read_text())
    encrypted = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", "public.pem", "-in", "message", folder=folder)
    assert ours.decrypt(encrypted) == (folder / "message").read_bytes()
    (folder / "encrypted").write_bytes(ours.public.encrypt(b"for openssl"))
    assert openssl("pkeyutl", "-decrypt", "-inkey", "ours.pem", "-in", "encrypted", folder=folder) == b"for openssl"


def test_their_key_files(folder: Path) -> None:
    theirs = PrivateKey.from_pem((folder / "theirs.pem").read_text())
    forms = {
        "public": openssl("pkey", "-in", "theirs.pem", "-pubout", folder=folder),
        "spki": openssl("pkey", "-in", "theirs.pem", "-pubout", "-outform", "DER", folder=folder),
        "sec1": openssl("ec", "-in", "theirs.pem", folder=folder),
        "pkcs8": openssl("pkcs8", "-topk8", "-nocrypt", "-in", "theirs.pem", "-outform", "DER", folder=folder),
    }
    assert PublicKey.from_pem(forms["public"]) == theirs.public == PublicKey.from_der(forms["spki"])
    assert forms["spki"] == theirs.public.to_der()
    assert PrivateKey.from_pem(forms["sec1"]).to_bytes() == theirs.to_bytes() == PrivateKey.from_der(forms["pkcs8"]).to_bytes()
    assert forms["pkcs8"] == theirs.to_der()


@pytest.mark.parametrize("options", ["-v2 sm4-cbc", "-v2 aes-256-cbc", "-v2 aes-128-cbc -v2prf hmacWithSHA512"])
def test_their_encrypted_keys(folder: Path, options: str) -> None:
    theirs = PrivateKey.from_pem((folder / "theirs.pem").read_text())
    text = openssl("pkcs8", "-topk8", "-in", "theirs.pem", *options.split(), "-passout", "pass:secret", folder=folder)
    assert PrivateKey.from_pem(text, "secret").to_bytes() == theirs.to_bytes()


@pytest.mark.parametrize("scheme", ["pbes2-sm4", "pbes2-sha256"])
def test_our_encrypted_keys(folder: Path, scheme: str) -> None:
    ours = PrivateKey.generate()
    (folder / "encrypted.pem").write_text(ours.to_pem("secret", scheme))  # type: ignore[arg-type]
    plain = openssl("pkey", "-in", "encrypted.pem", "-passin", "pass:secret", "-outform", "DER", folder=folder)
    assert PrivateKey.from_der(plain).to_bytes() == ours.to_bytes()
    assert openssl_refuses("pkey", "-in", "encrypted.pem", "-passin", "pass:wrong", folder=folder)


def test_their_compressed_points(folder: Path) -> None:
    theirs = PrivateKey.from_pem((folder / "theirs.pem").read_text()).public
    (folder / "compressed.der").write_bytes(
        bytes.fromhex("3039301306072a8648ce3d020106082a811ccf5501822d032200") + theirs.to_bytes(compressed=True)
    )
    openssl("pkey", "-pubin", "-inform", "DER", "-in", "compressed.der", "-noout", folder=folder)
    assert PublicKey.from_der((folder / "compressed.der").read_bytes()) == theirs
