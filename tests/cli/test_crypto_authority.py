"""``liandun crypto ca``: from nothing to a certificate that is revoked."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from cli.__main__ import main
from crypto.certificates import make_request, name, read_certificates
from crypto.certificates.double import open_key
from crypto.sm2 import PrivateKey


def _run(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


def test_life_of_an_authority(tmp_path: Path) -> None:
    data, key = ("--data", tmp_path / "data"), PrivateKey.generate()
    (tmp_path / "root.pem").write_text(_run("crypto", "ca", "init", "-o", "City", *data))
    (tmp_path / "r.pem").write_text(make_request(key, name("collector"), ["2001:db8::7"]).to_pem())
    double = ("--double", tmp_path / "enc.pem")
    _run("crypto", "ca", "issue", tmp_path / "r.pem", "-o", tmp_path / "leaf.pem", *double, *data)
    verify = ("crypto", "cert", "verify", tmp_path / "leaf.pem", "-t", tmp_path / "root.pem", "--name", "2001:db8::7")
    assert "good" in _run(*verify)
    enc = read_certificates((tmp_path / "enc.pem").read_bytes())[0]
    assert open_key((tmp_path / "enc.pem.key").read_bytes(), key).public == enc.public_key
    assert (tmp_path / "enc.pem.key").stat().st_mode & 0o777 == 0o600
    serial = f"{read_certificates((tmp_path / 'leaf.pem').read_bytes())[0].serial:x}"
    _run("crypto", "ca", "renew", serial, *data)
    _run("crypto", "ca", "revoke", serial, "--reason", "superseded", *data)
    _run("crypto", "ca", "crl", "-o", tmp_path / "crl.pem", *data)
    assert "revoked" in _run("crypto", "ca", "list", *data)
    _run("crypto", "ca", "trust", "other", tmp_path / "leaf.pem", *data, code=1)
    _run(*verify, "--crl", tmp_path / "crl.pem", code=1)
