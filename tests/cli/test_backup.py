"""``liandun backup`` from one data directory to another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from cli.__main__ import main
from crypto.sm2 import PrivateKey


def _run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(main, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_backup_and_restore(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    (tmp_path / "key.pem").write_text(key.to_pem())
    (tmp_path / "public.pem").write_text(key.public.to_pem())
    root = _run("crypto", "ca", "init", "-o", "City", "--data", tmp_path / "data")
    sealed, keys, private = tmp_path / "b", ("--keys", tmp_path / "k"), ("-k", tmp_path / "key.pem")
    _run("backup", "create", sealed, *keys, "--to", tmp_path / "public.pem", "--data", tmp_path / "data")
    assert "in order" in _run("backup", "verify", sealed, *private)
    _run("backup", "restore", sealed, *keys, *private, "--data", tmp_path / "fresh")
    assert "BEGIN X509 CRL" in _run("crypto", "ca", "crl", "--data", tmp_path / "fresh")
    assert "BEGIN CERTIFICATE" in root


def test_a_file_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    _run("crypto", "ca", "init", "-o", "City", "--data", tmp_path / "data")
    key = PrivateKey.generate()
    (tmp_path / "public.pem").write_text(key.public.to_pem())
    options = ("--to", tmp_path / "public.pem", "--data", tmp_path / "data", "--keys", tmp_path / "k")
    for target, more in ((tmp_path / "b", ("--config", tmp_path / "none.toml")), (tmp_path / "no" / "folder" / "b", ())):
        command = [sys.executable, "-m", "cli", "backup", "create", target, *options, *more]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert "No such file or directory" in done.stderr
