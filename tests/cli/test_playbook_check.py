"""``./liandun playbook check``, ``sign`` and ``verify`` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cli.__main__ import main
from crypto.sm2 import PrivateKey
from tests.playbooks.documents import FIRST, document, octets, uuid


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["playbook", *map(str, arguments)])


@pytest.fixture
def right(tmp_path: Path) -> Path:
    file = tmp_path / "right.json"
    file.write_bytes(octets(document()))
    return file


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    file = tmp_path / "wrong.json"
    one = document(name="bad \x1b[31m name")
    one["workflow"][FIRST]["on_completion"] = f"end--{uuid(99)}"
    file.write_bytes(octets(one))
    return file


def test_a_right_playbook_is_said_to_be_right(right: Path) -> None:
    result = run("check", right)
    assert (result.exit_code, result.stdout) == (0, f"{right}: right: 封禁攻击地址: 6 steps; 0 errors, 0 warnings\n")


def test_mistakes_are_told_with_path_and_step_and_harmless_to_a_terminal(right: Path, wrong: Path) -> None:
    result = run("check", right, wrong)
    assert result.exit_code == 1
    assert f"workflow.{FIRST}.on_completion: there is no step 'end--{uuid(99)}'" in result.stdout
    assert "\x1b" not in result.stdout


def test_json_for_other_programs(right: Path, wrong: Path) -> None:
    result = run("check", "--format", "json", right, wrong)
    assert result.exit_code == 1
    first, second = json.loads(result.stdout)
    assert (first["right"], first["problems"], first["steps"]) == (True, [], 6)
    assert second["right"] is False
    assert second["problems"][0]["step"] == FIRST
    assert set(second["problems"][0]) == {"path", "step", "message", "hint", "severity"}


def test_drafts_may_lack_things(tmp_path: Path) -> None:
    file = tmp_path / "draft.json"
    one = document()
    del one["created_by"]
    file.write_bytes(octets(one))
    assert run("check", file).exit_code == 1
    assert run("check", "--draft", file).exit_code == 0


def test_what_is_no_playbook_is_a_fault_and_what_is_no_file_wrong_usage(tmp_path: Path) -> None:
    file = tmp_path / "no.json"
    file.write_bytes(b"{")
    result = run("check", file)
    assert result.exit_code == 1
    assert "cannot be read" in result.stdout
    assert run("check", tmp_path / "missing.json").exit_code == 2
    assert run("check").exit_code == 2
    assert run("check", "--format", "xml", file).exit_code == 2


def test_playbooks_that_are_run_are_looked_for_among_the_files(tmp_path: Path, right: Path) -> None:
    caller = tmp_path / "caller.json"
    one = document(id=f"playbook--{uuid(300)}")
    one["workflow"][FIRST] = {
        "type": "playbook-action",
        "playbook_id": document()["id"],
        "in_args": ["__ip__"],
        "on_completion": one["workflow"][FIRST]["on_completion"],
    }
    one["workflow"][FIRST.replace("action", "playbook-action")] = one["workflow"].pop(FIRST)
    start = next(step for step in one["workflow"].values() if step["type"] == "start")
    start["on_completion"] = FIRST.replace("action", "playbook-action")
    caller.write_bytes(octets(one))
    assert "is not known" in run("check", caller).stdout
    assert run("check", caller, right).exit_code == 0


def test_signed_verified_and_changed(tmp_path: Path, right: Path) -> None:
    sm2, public, p256 = tmp_path / "sm2.pem", tmp_path / "public.pem", tmp_path / "p256.pem"
    key = PrivateKey.generate()
    sm2.write_text(key.to_pem("a long password"))
    public.write_text(key.public.to_pem())
    p256.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    password, one, two = tmp_path / "password", tmp_path / "one.json", tmp_path / "two.json"
    password.write_text("a long password\n")
    signed = run("sign", right, "--key", sm2, "--password-file", password, "--signee", "市网安中心", "--out", one)
    assert signed.exit_code == 0, signed.output
    assert run("sign", one, "--key", p256, "--signee", "Second", "--out", two).exit_code == 0
    assert run("check", two).exit_code == 0

    result = run("verify", two, "--trust", public)
    assert result.exit_code == 0
    assert "valid, trusted: 市网安中心 (SM2-SM3" in result.stdout
    assert "valid, not trusted: Second (ES256" in result.stdout
    assert run("verify", two, "--trust", "00" * 32).exit_code == 1
    assert run("verify", right).exit_code == 1

    two.write_text(two.read_text("utf-8").replace("封禁攻击地址", "放行攻击地址"), "utf-8")
    result = run("verify", "--format", "json", two)
    assert result.exit_code == 1
    assert {one["state"] for one in json.loads(result.stdout)} == {"invalid"}
