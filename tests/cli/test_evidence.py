"""``liandun crypto csr``, ``cert`` and ``evidence`` as a person uses them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from crypto.certificates import SIGNING, Request, issue, make_root, name
from crypto.sm2 import PrivateKey
from kernel.errors import LiandunError


def _run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(main, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_from_request_to_opened_evidence(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    root = make_root(name("City root"), PrivateKey.generate())
    (tmp_path / "root.pem").write_text(root.certificate.to_pem())
    (tmp_path / "key.pem").write_text(key.to_pem())
    (tmp_path / "public.pem").write_text(key.public.to_pem())
    _run("crypto", "csr", "make", "-k", tmp_path / "key.pem", "--cn", "officer", "--san", "2001:db8::7", "-o", tmp_path / "r.pem")
    assert "signed by its own key" in _run("crypto", "csr", "check", tmp_path / "r.pem")
    assert "2001:db8::7" in _run("crypto", "csr", "show", tmp_path / "r.pem")
    request = Request((tmp_path / "r.pem").read_bytes())
    leaf = issue(root, request.subject_name, request.public_key, SIGNING, 30, request.alternatives)
    (tmp_path / "leaf.pem").write_text(leaf.to_pem())
    assert "digital_signature" in _run("crypto", "cert", "show", tmp_path / "leaf.pem")
    trust = ("-t", tmp_path / "root.pem")
    assert "good" in _run("crypto", "cert", "verify", tmp_path / "leaf.pem", *trust, "--name", "2001:db8::7")

    _run("crypto", "ca", "init", "-o", "City", "--data", tmp_path / "data")
    (tmp_path / "mail").write_bytes(b"From: attacker")
    here = ("--data", tmp_path / "data")
    package, who = tmp_path / "e", ("-k", tmp_path / "key.pem", "--cert", tmp_path / "leaf.pem", "--reason", "incident 7")
    _run("evidence", "seal", tmp_path / "mail", package, "--to", tmp_path / "public.pem", "--from", "192.0.2.7", *who, *here)
    _run("evidence", "custody", package, "--action", "hand over", "--from", "station 3", *who, *trust, *here)
    assert "in order" in _run("evidence", "verify", package, *trust, "--outside")
    _run(
        "evidence",
        "collect",
        tmp_path / "mail",
        tmp_path / "root.pem",
        tmp_path / "e2",
        "--to",
        tmp_path / "public.pem",
        "--from",
        "host",
        *who,
        *here,
    )
    assert "collect, " in _run("evidence", "verify", tmp_path / "e2", *trust, *here)
    with pytest.raises(LiandunError, match="no platform whose audit trail"):
        _run("evidence", "verify", package, *trust, "--data", tmp_path / "nowhere")
    _run("evidence", "open", package, tmp_path / "out", "-k", tmp_path / "key.pem", *trust, *here)
    assert (tmp_path / "out").read_bytes() == b"From: attacker"
    package.write_bytes(package.read_bytes()[:-1])
    with pytest.raises(Exception, match="not the one of the custody record"):
        _run("evidence", "verify", package, *trust, *here)
