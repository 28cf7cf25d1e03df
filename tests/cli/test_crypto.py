"""``./liandun crypto`` from the outside, together with the programs whose formats it speaks."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from gmssl.sm2 import CryptSM2

from cli.__main__ import main
from cli.crypto import command
from crypto.errors import CryptoError
from crypto.second_opinion import readable_key
from crypto.sm2 import PrivateKey
from kernel.errors import LiandunError

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl (apt install openssl)")


def run(*arguments: str | Path, stdin: bytes | None = None, env: dict[str, str] | None = None) -> Result:
    return CliRunner(env=env).invoke(main, ["crypto", *map(str, arguments)], input=stdin, catch_exceptions=False)


def ok(*arguments: str | Path, stdin: bytes | None = None, env: dict[str, str] | None = None) -> bytes:
    result = run(*arguments, stdin=stdin, env=env)
    assert result.exit_code == 0, result.output
    return result.stdout_bytes


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """key.pem, public.pem (plain), message; and this is the current folder."""
    monkeypatch.chdir(tmp_path)
    ok("keygen", "-o", "key.pem", "--public", "public.pem", "--scheme", "plain")
    (tmp_path / "message").write_bytes(b"firewall rule 42 changed\n")
    return tmp_path


def test_digest(folder: Path) -> None:
    (folder / "abc").write_bytes(b"abc")
    line = b"66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0  "
    assert ok("digest", "abc", "abc") == (line + b"abc\n") * 2
    assert ok("digest", stdin=b"abc") == line + b"-\n"
    (folder / "mac.key").write_bytes(b"key")
    assert ok("digest", "--mac-key", "mac.key", "abc") != line + b"abc\n"
    with pytest.raises(LiandunError, match="nothing cannot be read"):
        run("digest", "nothing")


def test_private_keys_are_private_and_never_overwritten(folder: Path) -> None:
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    before = (folder / "key.pem").read_bytes()
    for arguments in (("-o", "key.pem"), ("-o", "new.pem", "--public", "public.pem")):
        with pytest.raises(LiandunError, match="exists and is not overwritten"):
            run("keygen", *arguments, "--scheme", "plain")
    assert (folder / "key.pem").read_bytes() == before
    assert not (folder / "new.pem").exists()
    ok("keygen", "-o", "key.pem", "--scheme", "plain", "--force")
    assert (folder / "key.pem").read_bytes() != before
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["key.pem", "message", "public.pem"]


def test_passwords_come_from_a_file_the_environment_or_a_person(folder: Path) -> None:
    (folder / "password").write_text("口令 secret\nsecond line\n")
    ok("keygen", "-o", "e.pem", "--password-file", "password")
    assert "ENCRYPTED" in (folder / "e.pem").read_text()
    assert PrivateKey.from_pem((folder / "e.pem").read_text(), "口令 secret")
    env = {"KEY_PASSWORD": "口令 secret"}
    assert ok("public", "e.pem", "--password-env", "KEY_PASSWORD", env=env).startswith(b"-----BEGIN PUBLIC KEY")
    with pytest.raises(CryptoError, match=r"e\.pem: the private key does not open"):
        run("public", "e.pem", "--password-env", "KEY_PASSWORD", env={"KEY_PASSWORD": "wrong"})
    with pytest.raises(LiandunError, match="nobody can be asked"):
        run("public", "e.pem")
    with pytest.raises(LiandunError, match="NOT_SET is not set"):
        run("public", "e.pem", "--password-env", "NOT_SET")
    (folder / "empty").write_text("")
    with pytest.raises(LiandunError, match="first line is empty"):
        run("public", "e.pem", "--password-file", "empty")


def test_no_option_takes_a_password_itself() -> None:
    """The command line of a process is seen by every user of the machine."""
    for name, sub in command.commands.items():
        for parameter in sub.params:
            if "password" in (parameter.name or ""):
                assert parameter.name in ("password_file", "password_env") or getattr(parameter, "is_flag", False), name


@pytest.mark.parametrize("text", ["binary", "hex", "base64"])
@pytest.mark.parametrize("form", ["der", "raw"])
def test_sign_and_verify(folder: Path, form: str, text: str) -> None:
    options = ("--form", form, "--text", text, "--ident", "officer@example.gov.cn")
    ok("sign", "-k", "key.pem", *options, "-o", "signature", "message")
    assert ok("verify", "-p", "public.pem", "-s", "signature", *options, "message") == b"message: good signature\n"
    piped = ok("verify", "-p", "public.pem", "-s", "signature", *options, stdin=b"firewall rule 42 changed\n")
    assert piped == b"-: good signature\n"
    wrong = run("verify", "-p", "public.pem", "-s", "signature", *options, stdin=b"firewall rule 43 changed\n")
    assert (wrong.exit_code, wrong.output) == (1, "-: BAD SIGNATURE\n")
    assert run("verify", "-p", "public.pem", "-s", "signature", *options[:4], "message").exit_code == 1  # another identifier


@needs_openssl
def test_signatures_and_ciphertexts_of_openssl(folder: Path) -> None:
    def openssl(*arguments: str) -> bytes:
        return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True).stdout

    ok("sign", "-k", "key.pem", "-o", "signature", "message")
    ident = ("-sigopt", "distid:1234567812345678")
    assert openssl("dgst", "-sm3", "-verify", "public.pem", *ident, "-signature", "signature", "message") == b"Verified OK\n"
    openssl("dgst", "-sm3", "-sign", "key.pem", *ident, "-out", "theirs", "message")
    ok("verify", "-p", "public.pem", "-s", "theirs", "message")
    openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", "public.pem", "-in", "message", "-out", "encrypted")
    assert ok("decrypt", "-k", "key.pem", "encrypted") == (folder / "message").read_bytes()
    ok("encrypt", "--to", "public.pem", "-o", "encrypted", "message")
    assert openssl("pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "encrypted") == (folder / "message").read_bytes()
    (folder / "sm4.key").write_text("000102030405060708090a0b0c0d0e0f\n")
    result = run("encrypt", "--sm4-key", "sm4.key", "-o", "encrypted", "message")
    vector = result.stderr.removeprefix("iv: ").strip()
    key = ("-K", "000102030405060708090a0b0c0d0e0f", "-iv", vector)
    assert openssl("enc", "-sm4-cbc", "-d", *key, "-in", "encrypted") == (folder / "message").read_bytes()
    openssl("enc", "-sm4-cbc", *key, "-in", "message", "-out", "encrypted")
    assert ok("decrypt", "--sm4-key", "sm4.key", "--iv", vector, "encrypted") == (folder / "message").read_bytes()


def test_formats_of_gmssl(folder: Path) -> None:
    """Keys in hex without prefix, raw signatures and ciphertexts in hex."""
    key = readable_key()
    (folder / "d.hex").write_text(key.to_bytes().hex())
    (folder / "p.hex").write_text(key.public.to_bytes()[1:].hex())
    peer = CryptSM2(private_key=key.to_bytes().hex(), public_key=key.public.to_bytes()[1:].hex(), mode=1)
    message = (folder / "message").read_bytes()
    signature = ok("sign", "-k", "d.hex", "--form", "raw", "--text", "hex", "message").decode().strip()
    assert peer.verify_with_sm3(signature, message)
    (folder / "s.hex").write_text(peer.sign_with_sm3(message))
    ok("verify", "-p", "p.hex", "-s", "s.hex", "--form", "raw", "--text", "hex", "message")
    (folder / "c").write_bytes(peer.encrypt(message))
    assert ok("decrypt", "-k", "d.hex", "--form", "c1c3c2-bare", "c") == message
    assert peer.decrypt(ok("encrypt", "--to", "p.hex", "--form", "c1c3c2-bare", "message")) == message


@pytest.mark.parametrize("form", ["pem", "der", "hex", "compressed"])
def test_public_keys_in_every_form(folder: Path, form: str) -> None:
    ok("public", "key.pem", "--form", form, "-o", "other")
    assert ok("public", "other") == (folder / "public.pem").read_bytes() == ok("public", "public.pem")


def test_what_was_decrypted_is_private(folder: Path) -> None:
    ok("encrypt", "--to", "public.pem", "-o", "encrypted", "message")
    ok("decrypt", "-k", "key.pem", "-o", "plain", "encrypted")
    assert (folder / "plain").read_bytes() == (folder / "message").read_bytes()
    assert stat.S_IMODE((folder / "plain").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("encrypt", "message"), "either --to or --sm4-key"),
        (("encrypt", "--to", "public.pem", "--sm4-key", "message", "message"), "either --to or --sm4-key"),
        (("decrypt", "--sm4-key", "sm4.key", "message"), "--iv with 32 hex digits"),
        (("decrypt", "--sm4-key", "sm4.key", "--iv", "12", "message"), "32 hex digits"),
        (("decrypt", "--sm4-key", "message", "--iv", "00" * 16, "message"), "message: an SM4 key is 16 bytes"),
        (("decrypt", "-k", "key.pem", "message"), "does not open"),
        (("decrypt", "-k", "message", "message"), "message: "),
        (("verify", "-p", "message", "-s", "message", "message"), "message: "),
        (("verify", "-p", "public.pem", "-s", "message", "--text", "hex", "message"), "the input is not hex"),
        (("seal", "message"), "for whom"),
        (("open", "message"), "with what"),
        (("open", "--key", "key.pem", "message"), "not a sealed file"),
        (("sign", "-k", "key.pem", "--ident", "x" * 8192, "message"), "8191"),
        (("vectors", "message"), "not a file of known answers"),
    ],
)
def test_mistakes_are_told(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    (folder / "sm4.key").write_bytes(bytes(16))
    with pytest.raises((LiandunError, CryptoError), match=told):
        run(*arguments)


def test_seal_and_open(folder: Path) -> None:
    (folder / "password").write_text("secret\n")
    (folder / "sm4.key").write_bytes(bytes(range(16)))
    (folder / "large").write_bytes(bytes(300_000))
    recipients = ("--to", "public.pem", "--password-file", "password", "--key-file", "sm4.key")
    ok("seal", *recipients, "--context", "backup", "-o", "sealed", "large")
    for opener in (("--key", "key.pem"), ("--password-file", "password"), ("--key-file", "sm4.key")):
        assert ok("open", *opener, "--context", "backup", "sealed") == bytes(300_000)
    ok("open", "--key", "key.pem", "--context", "backup", "-o", "back", "sealed")
    assert (folder / "back").read_bytes() == bytes(300_000)
    sealed = ok("seal", "--key-file", "sm4.key", stdin=b"through a pipe")
    assert ok("open", "--key-file", "sm4.key", stdin=sealed) == b"through a pipe"


def test_nothing_half_opened_comes_out(folder: Path) -> None:
    (folder / "large").write_bytes(bytes(300_000))
    ok("seal", "--to", "public.pem", "-o", "sealed", "large")
    (folder / "sealed").write_bytes((folder / "sealed").read_bytes()[:-20])
    runner = CliRunner()
    for target in (("-o", "back"), ()):
        result = runner.invoke(main, ["crypto", "open", "--key", "key.pem", *target, "sealed"])
        assert isinstance(result.exception, CryptoError)
        assert result.stdout_bytes == b""
    assert not (folder / "back").exists()


def test_selftest() -> None:
    output = ok("selftest").decode()
    assert "SM2" in output
    assert "FAILED" not in output
    assert "not certified modules" in output


def test_vectors(shared: Path, tmp_path: Path) -> None:
    files = [shared / "gm-vectors" / "sm3.json", shared / "gm-vectors" / "sm2_key_cases.json"]
    lines = ok("vectors", *files).decode().splitlines()
    assert "sm3.json  sm3-std-0  valid: 66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0  got 66c7" in "\n".join(
        lines
    )
    assert lines[-1].split() == ["all", "129", "of", "129", "passed"]
    document = json.loads(files[0].read_text())
    document["cases"][0]["digest"] = "00" * 32
    (tmp_path / "wrong.json").write_text(json.dumps(document))
    result = run("vectors", "--quiet", tmp_path / "wrong.json")
    assert result.exit_code == 1
    assert result.output.splitlines()[0].endswith("FAIL")
    assert result.output.splitlines()[-1].split() == ["all", "102", "of", "103", "passed"]


def test_the_program_itself(folder: Path, request: pytest.FixtureRequest) -> None:
    """The exit codes and messages that a shell script sees."""
    program = request.config.rootpath / "liandun"
    done = subprocess.run([program, "crypto", "decrypt", "-k", "key.pem", "message"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "liandun: the SM2 ciphertext does not open: another key, or it was changed\n"
    piped = subprocess.run([program, "crypto", "digest"], input=b"abc", capture_output=True)
    assert piped.stdout.startswith(b"66c7f0f462eeedd9d1f2d46bdc10e4e2")
