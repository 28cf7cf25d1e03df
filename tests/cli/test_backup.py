"""``liandun backup`` from one data directory to another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from cli.__main__ import main
from crypto.sm2 import PrivateKey
from kernel.db import open_database
from kernel.layout import Layout
from operations.audit import service as audit


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


def test_checks_and_restores_are_noted_in_the_trail(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    (tmp_path / "key.pem").write_text(key.to_pem())
    (tmp_path / "public.pem").write_text(key.public.to_pem())
    data = ("--data", tmp_path / "data")
    _run("crypto", "ca", "init", "-o", "City", *data)
    _run("backup", "create", tmp_path / "b", "--keys", tmp_path / "k", "--to", tmp_path / "public.pem", *data)
    _run("backup", "verify", tmp_path / "b", "-k", tmp_path / "key.pem", "--note", *data)
    _run("backup", "tested", "b", "恢复到备机，能登录", *data)
    database = open_database(Layout(tmp_path / "data").state_url)
    with database.read() as session:
        found = [(one.action, one.object_id) for one in audit.since(session, 0) if one.action.startswith("backup.")]
    database.close()
    assert found == [("backup.create", "b"), ("backup.verify", "b"), ("backup.restored", "b")]
    assert CliRunner().invoke(main, ["backup", "tested", "b", " ", "--data", str(tmp_path / "data")]).exit_code == 1
