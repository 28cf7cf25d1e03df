"""The exported bundle verifies offline: with its own script on a bare Python, and with implementations that are not ours."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.sm2 import PrivateKey
from crypto.sm3 import sm3
from kernel.db import Database
from operations.audit import tree
from operations.audit.bundle import verify as script
from operations.audit.export import write_bundle
from operations.audit.heads import Trail, log_id, stored_heads, stored_keys
from operations.audit.verify import head_before
from operations.errors import Invalid
from tests.operations.audit.conftest import EVE, tamper, write

Verify = Callable[..., dict[str, Any]]


@pytest.fixture
def bundle(database: Database, trail: Trail, tmp_path: Path) -> Path:
    """25 entries, heads of 12, 13, 22 and 25; the key was replaced after the first."""
    write(database, 10)
    trail.rotate(EVE)
    write(database, 9)
    trail.sign()
    write(database, 3)
    trail.sign()
    target = tmp_path / "trail.zip"
    with database.read() as session:
        assert write_bundle(session, target) == 25
    return target


def offline(path: Path, *arguments: str, isolated: str = "-I") -> tuple[int, dict[str, Any]]:
    """Run the bundle's own script with nothing on its path but the standard library."""
    folder = path.parent / (path.stem + "-unpacked")
    if not folder.exists():
        with zipfile.ZipFile(path) as file:
            file.extractall(folder)
    done = subprocess.run(
        [sys.executable, isolated, "-S", str(folder / "verify.py"), "--json", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "{}")


def rewritten(path: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """The bundle with one file changed."""
    target = path.with_name(f"{path.stem}-{name.replace('.', '-')}.zip")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for entry in source.namelist():
            content = source.read(entry)
            copy.writestr(entry, change(content) if entry == name else content)
    return target


def test_it_verifies_with_a_bare_python(bundle: Path, database: Database) -> None:
    code, found = offline(bundle)
    with database.read() as session:
        log = log_id(stored_keys(session))
    assert (code, found["first"], found["last"], found["heads"], found["log"]) == (0, 1, 25, 4, log)
    assert offline(bundle, "--key", log)[0] == 0
    assert offline(bundle, "--key", "0" * 32)[0] == 1
    assert offline(bundle, str(bundle))[0] == 0  # as a zip, too


def test_it_holds_what_the_readme_lists_in_both_languages(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as file:
        names = set(file.namelist())
        for readme in ("README.md", "README.zh-CN.md"):
            text = file.read(readme).decode()
            assert all(f"`{name}`" in text for name in names - {"verify.py", "README.md", "README.zh-CN.md"})
    assert {"verify.py", "README.md", "README.zh-CN.md", "entries.jsonl"} <= names


@pytest.mark.parametrize(
    ("name", "change", "bad"),
    [
        ("entries.jsonl", lambda text: text.replace(b'"object_id":"6"', b'"object_id":"7"', 1), 9),
        ("entries.jsonl", lambda text: b"".join(_without(text.splitlines(keepends=True), 8)), 9),
        ("entries.jsonl", lambda text: b"".join(_swapped(text.splitlines(keepends=True), 8, 14)), 9),
        ("entries.jsonl", lambda text: b"".join(text.splitlines(keepends=True)[:-1]), 25),
        ("heads.jsonl", lambda text: b"".join(text.splitlines(keepends=True)[:-1]), 23),
        ("heads.jsonl", lambda text: text.replace(b'"size":12', b'"size":11'), 11),
        ("keys.jsonl", lambda text: b"".join(text.splitlines(keepends=True)[:1]), 13),
        ("keys.jsonl", lambda text: text.replace(b'"from_size":12', b'"from_size":13'), 14),
    ],
)
def test_whatever_is_changed_is_named(bundle: Path, name: str, change: Callable[[bytes], bytes], bad: int) -> None:
    code, found = offline(rewritten(bundle, name, change))
    assert (code, found["bad_id"]) == (1, bad), found


def _without(lines: list[bytes], position: int) -> list[bytes]:
    return lines[:position] + lines[position + 1 :]


def _swapped(lines: list[bytes], one: int, other: int) -> list[bytes]:
    lines[one], lines[other] = lines[other], lines[one]
    return lines


def test_entries_and_leaves_changed_together_are_told_by_the_next_head(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as file:
        lines = file.read("entries.jsonl").splitlines()
    changed = lines[8].replace(b"eve", b"bob")
    one = rewritten(bundle, "entries.jsonl", lambda text: text.replace(lines[8], changed))
    leaf = script.leaf_hash(lines[8]).hex().encode(), script.leaf_hash(changed).hex().encode()
    both = rewritten(one, "leaves.txt", lambda text: text.replace(*leaf))
    code, found = offline(both)
    assert (code, found["bad_id"]) == (1, 1)
    assert "entries 1 to 12 are not what was signed" in found["reason"]


def test_a_bundle_since_a_head_proves_the_heads_before(bundle: Path, database: Database, tmp_path: Path) -> None:
    target = tmp_path / "later.zip"
    with database.read() as session:
        assert write_bundle(session, target, since=head_before(session, size=22)) == 3
    assert offline(target)[1]["first"] == 23
    cut = rewritten(target, "proofs.jsonl", lambda text: text.replace(b'"path":["', b'"path":["00'))
    assert offline(cut)[0] in (1, 2)
    without = rewritten(target, "proofs.jsonl", lambda _text: b"")
    code, found = offline(without)
    assert (code, found["bad_id"]) == (1, 12)


def test_a_bundle_of_a_trail_that_was_bent_says_where(bundle: Path, database: Database, tmp_path: Path) -> None:
    tamper(database, "UPDATE audit_entries SET actor = 'mallory' WHERE id = 9")
    target = tmp_path / "bent.zip"
    with database.read() as session:
        write_bundle(session, target)
    code, found = offline(target)
    assert (code, found["bad_id"], found["reason"]) == (1, 9, "entry 9 was changed")


def test_nothing_is_exported_before_the_first_head(database: Database, tmp_path: Path) -> None:
    with database.read() as session, pytest.raises(Invalid, match="no head has been signed"):
        write_bundle(session, tmp_path / "x.zip")


def test_the_proof_of_one_entry_verifies_with_the_script(bundle: Path, database: Database, tmp_path: Path) -> None:
    with database.read() as session:
        keys = stored_keys(session)
        [head] = stored_heads(session, keys[0].id, newest=1)
        proof = _builtins(tree.prove_inclusion(session, 9, head.size))
    file = tmp_path / "proof.json"
    told = proof | {"head": _builtins(head), "keys": [_builtins(key) for key in keys]}
    file.write_text(json.dumps(told))
    assert offline(bundle, "--proof", str(file))[0] == 0
    file.write_text(json.dumps(told | {"entry": told["entry"].replace("eve", "bob")}))
    code, found = offline(bundle, "--proof", str(file))
    assert (code, found["bad_id"]) == (1, 9)


def _builtins(record: Any) -> dict[str, Any]:
    found = msgspec.to_builtins(record)
    assert isinstance(found, dict)
    return found


def test_an_independent_implementation_of_sm2_and_sm3_agrees(bundle: Path) -> None:
    """gmssl (PyPI, pure Python): the root over all entries and the signature of every head, from the bundle's files alone."""
    gmssl_sm2, gmssl_sm3 = pytest.importorskip("gmssl.sm2"), pytest.importorskip("gmssl.sm3")

    def hashed(data: bytes) -> bytes:
        return bytes.fromhex(gmssl_sm3.sm3_hash(list(data)))

    def root(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return leaves[0]
        half = 1 << (len(leaves) - 1).bit_length() - 1
        return hashed(b"\1" + root(leaves[:half]) + root(leaves[half:]))

    with zipfile.ZipFile(bundle) as file:
        leaves = [hashed(b"\0" + line) for line in file.read("entries.jsonl").splitlines()]
        heads = [json.loads(line) for line in file.read("heads.jsonl").splitlines()]
        keys = {key["id"]: key["public"] for key in map(json.loads, file.read("keys.jsonl").splitlines())}
    for head in heads:
        assert root(leaves[: head["size"]]).hex() == head["root"]
        x, y, _der = script.read_key(keys[head["key_id"]])
        verifier = gmssl_sm2.CryptSM2(private_key="", public_key=f"{x:064x}{y:064x}", asn1=True)
        assert verifier.verify_with_sm3(_der_hex(head["signature"]), script.head_statement(head))
        assert not verifier.verify_with_sm3(_der_hex(head["signature"]), script.head_statement(head | {"size": 1}))


def _der_hex(signature: str) -> str:
    return base64.b64decode(signature).hex()


@given(st.binary(max_size=200))
def test_the_written_out_sm3_is_sm3(data: bytes) -> None:
    assert script.own_sm3(data) == sm3(data)


@given(st.binary(max_size=60), st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=40, deadline=None)
def test_the_written_out_sm2_accepts_what_was_signed_and_nothing_else(message: bytes, place: int, flip: int) -> None:
    private = PrivateKey.generate()
    pem, signature = private.public.to_pem(), private.sign(message)
    assert script.signed(pem, message, base64.b64encode(signature).decode())
    assert not script.signed(pem, message + b"x", base64.b64encode(signature).decode())
    bent = bytearray(signature)
    bent[place % len(bent)] ^= flip
    assert not script.signed(pem, message, base64.b64encode(bent).decode())
