"""Both ways with github.com/emmansun/gmsm (the program in ``gmsm_certificates/``): chains, lists, requests, keys, messages."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto.certificates import (
    ENCRYPTION,
    ISSUING,
    SERVER,
    SIGNING,
    Authority,
    Request,
    RevocationList,
    check_chain,
    issue,
    make_request,
    make_revocation_list,
    make_root,
    name,
    read_certificates,
)
from crypto.certificates.double import envelop_key, open_key
from crypto.certificates.revocation import Revoked
from crypto.envelope import (
    Signer,
    encrypt_data,
    envelop,
    open_encrypted,
    open_envelope,
    open_signed_envelope,
    read_signed,
    sign_and_envelop,
    sign_data,
)
from crypto.errors import DecryptionError
from crypto.sm2 import PrivateKey
from tests.crypto.gmsm_source import go

SOURCE = Path(__file__).resolve().parent / "gmsm_certificates"
CONTENT = "防火墙规则 42 changed".encode() * 300
SHARED = bytes(range(16))


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tool = go()
    if tool is None:
        pytest.skip("needs go (https://go.dev/dl), for the peer made of github.com/emmansun/gmsm")
    target = tmp_path_factory.mktemp("gmsm") / "peer"
    command = [tool, "build", "-mod=readonly", "-o", str(target), "."]
    environment = os.environ | {"GOFLAGS": "", "CGO_ENABLED": "0"}
    done = subprocess.run(command, cwd=SOURCE, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.skip(f"the gmsm peer cannot be built: {done.stderr.strip()[-300:]}")
    return target


def test_theirs_in_ours(peer: Path, tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "shared.key").write_bytes(SHARED)
    done = subprocess.run([str(peer), "write", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    def load(file: str) -> bytes:
        return (tmp_path / file).read_bytes()

    root, sign, enc = (read_certificates(load(f"{file}.pem"))[0] for file in ("root", "sign", "enc"))
    sign_key, enc_key = (PrivateKey.from_pem(load(f"{file}.key")) for file in ("sign", "enc"))
    listed = RevocationList(load("crl.der"))
    assert check_chain(sign, [], [root], name="gmsm.example", lists=[listed], lists_needed=True) == [sign, root]
    assert (listed.number, listed.entries[77].reason) == (9, "key_compromise")
    request = Request(load("request.der"))
    request.check()
    assert request.alternatives == ("asks.example",)
    assert open_key(load("envelopedkey.der"), sign_key).to_bytes() == enc_key.to_bytes()
    for file in ("signed.der", "signed-plain.der"):
        verified = read_signed(load(file)).verify()
        assert (verified.content, verified.signers) == (CONTENT, (sign,))
    assert read_signed(load("detached.der")).verify(CONTENT).signers == (sign,)
    for mode in ("cbc", "gcm"):
        assert open_envelope(load(f"enveloped-{mode}.der"), enc, enc_key) == CONTENT
        assert open_signed_envelope(load(f"both-{mode}.der"), enc, enc_key).content == CONTENT
        for form in ("legacy", "cfca"):
            assert open_envelope(load(f"{form}-{mode}.der"), enc, enc_key) == CONTENT
        assert open_encrypted(load(f"encrypted-{mode}.der"), SHARED) == CONTENT
    with pytest.raises(DecryptionError):
        open_encrypted(load("encrypted-gcm.der"), bytes(16))


def test_ours_in_theirs(peer: Path, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    root = make_root(name("City root", "City"), PrivateKey.generate())
    sub_key, sign_key, enc_key = PrivateKey.generate(), PrivateKey.generate(), PrivateKey.generate()
    sub = Authority(issue(root, name("Issuing"), sub_key.public, ISSUING, 3650), sub_key)
    sign = issue(sub, name("officer"), sign_key.public, SIGNING, 30)
    enc = issue(sub, name("officer"), enc_key.public, ENCRYPTION, 30)
    server = issue(sub, name("server"), sign_key.public, SERVER, 30, ["2001:db8::7", "a.city.example"])
    listed = make_revocation_list(sub, [Revoked(server.serial, now)], 5, now, now + timedelta(days=1))
    signer = Signer(sign, sign_key)
    texts = {"root": root.certificate, "sub": sub.certificate, "sign": sign, "enc": enc, "server": server, "crl": listed}
    files = {f"{file}.pem": one.to_pem().encode() for file, one in texts.items()} | {
        "sign.key": sign_key.to_pem().encode(),
        "enc.key": enc_key.to_pem().encode(),
        "request.pem": make_request(sign_key, name("asks"), ["asks.example", "192.0.2.1"]).to_pem().encode(),
        "envelopedkey.der": envelop_key(enc_key, sign_key.public),
        "content": CONTENT,
        "shared.key": SHARED,
        "encrypted-cbc.der": encrypt_data(CONTENT, SHARED, "sm4-cbc"),
        "encrypted-gcm.der": encrypt_data(CONTENT, SHARED),
        "legacy-cbc.der": envelop(CONTENT, [enc], "sm4-cbc", "c1c2c3-bare"),
        "legacy-gcm.der": envelop(CONTENT, [enc], "sm4-gcm", "c1c2c3-bare"),
        "signed.der": sign_data(CONTENT, [signer]),
        "signed-plain.der": sign_data(CONTENT, [signer], attributes=False),
        "detached.der": sign_data(CONTENT, [signer], detached=True),
        "enveloped-cbc.der": envelop(CONTENT, [enc], "sm4-cbc"),
        "enveloped-gcm.der": envelop(CONTENT, [enc], "sm4-gcm"),
        "both-cbc.der": sign_and_envelop(CONTENT, [signer], [enc], "sm4-cbc"),
        "both-gcm.der": sign_and_envelop(CONTENT, [signer], [enc], "sm4-gcm"),
    }
    for file, octets in files.items():
        (tmp_path / file).write_bytes(octets)
    done = subprocess.run([str(peer), "read", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
