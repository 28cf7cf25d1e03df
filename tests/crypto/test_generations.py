"""The key file: generations come and go, older files are understood, damage is told before anything is sealed."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import SecretError
from crypto.generations import KeyFile, check_of, opened, parse
from crypto.keepers import FILE_ONLY
from crypto.secret import MasterKey, generation_of, prefix_of


def rotated(path: Path) -> None:
    file = KeyFile(path)
    with file.locked():
        file.add(file.read())


def without_older(path: Path) -> None:
    file = KeyFile(path)
    with file.locked():
        file.keep(file.read(), lambda _: False)


def test_a_running_key_follows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    running = MasterKey.load(path)
    first = running.seal(b"x", "c")
    rotated(path)
    second = running.seal(b"y", "c")
    assert (generation_of(first), generation_of(second)) == (1, 2)
    assert running.generation == 2
    fresh = MasterKey.load(path)
    for key in (running, fresh):
        assert key.unseal(first, "c") == b"x"
        assert key.unseal(second, "c") == b"y"
    again = running.reseal(first, "c")
    assert again.startswith(prefix_of(2))
    assert fresh.unseal(again, "c") == b"x"
    without_older(path)
    assert running.unseal(first, "c") == b"x"  # read before, opened a moment later
    with pytest.raises(SecretError, match="generation 1 of the master key, which is not here"):
        MasterKey.load(path).unseal(first, "c")
    rotated(path)
    assert generation_of(running.seal(b"z", "c")) == 3  # numbers are not used again
    path.unlink()
    with pytest.raises(SecretError, match="there is no key file"):
        running.seal(b"w", "c")


def test_the_file_of_earlier_versions(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text("0123456789abcdeffedcba9876543210\n")
    path.chmod(0o600)
    key = MasterKey.load(path)
    assert path.read_text() == "0123456789abcdeffedcba9876543210\n"  # looking changes nothing
    old = "sm4-gcm:v1:" + key.seal(b"x", "c").removeprefix("sm4-gcm:v2:1:")
    assert generation_of(old) == 1
    rotated(path)
    assert MasterKey.load(path).unseal(old, "c") == b"x"
    assert key.unseal(key.reseal(old, "c"), "c") == b"x"


def _load(path: Path, answers: multiprocessing.SimpleQueue[str]) -> None:
    answers.put(MasterKey.load(path).seal(b"x", "c"))


def test_processes_that_start_together_make_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.SimpleQueue[str] = context.SimpleQueue()
    children = [context.Process(target=_load, args=(tmp_path / "master.key", answers)) for _ in range(8)]
    for child in children:
        child.start()
    sealed = [answers.get() for _ in children]
    for child in children:
        child.join()
    key = MasterKey.load(tmp_path / "master.key")
    assert [key.unseal(one, "c") for one in sealed] == [b"x"] * 8


def test_a_damaged_or_exchanged_key_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    running = MasterKey.load(path)
    content = json.loads(path.read_text())
    one = content["generations"][0]
    assert one["check"] == check_of(bytes.fromhex(one["kept"]), 1)
    one["kept"] = "00" * 16
    path.write_text(json.dumps(content))
    with pytest.raises(SecretError, match="not the key that was put there"):
        MasterKey.load(path)
    one["kept"] = "00" * 15
    path.write_text(json.dumps(content))
    with pytest.raises(SecretError, match="has not 16 bytes"):
        MasterKey.load(path)
    one["kept"] = "zz"
    path.write_text(json.dumps(content))
    with pytest.raises(SecretError, match="32 hex digits"):
        MasterKey.load(path)
    one["kept"], one["check"] = "00" * 16, check_of(bytes(16), 1)
    path.write_text(json.dumps(content))  # a restored backup
    assert MasterKey(bytes(16)).unseal(running.seal(b"x", "c"), "c") == b"x"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"format": "liandun master key 1", "generations": []}',
        '{"format": "liandun master key 2", "generations": [{"number": 1, "keeper": "file", "kept": "00"}]}',
        '{"format": "liandun master key 1", "generations": [{"number": 0, "keeper": "file", "kept": "00"}]}',
        '{"format": "liandun master key 1", "generations": [{"number": 1, "keeper": "paper", "kept": "00"}]}',
        '{"format": "liandun master key 1", "generations": [{"number": 2, "keeper": "file", "kept": "00"},'
        ' {"number": 1, "keeper": "file", "kept": "00"}]}',
        "[" * 100_000,
        '{"format":' + "[" * 100_000,
    ],
)
def test_what_is_no_key_file(text: str) -> None:
    with pytest.raises(SecretError):
        parse(text.encode())


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: b"{" + text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_understood_or_refused(content: bytes) -> None:
    try:
        numbers = [one.number for one in parse(content).generations]
    except SecretError:
        return
    assert numbers == sorted(set(numbers))


@given(st.text(max_size=80))
def test_generation_of_any_text(text: str) -> None:
    assert generation_of(text) == 0 or text.startswith("sm4-gcm:v")


@given(st.integers(1, 999_999_999))
def test_generation_of_a_prefix(number: int) -> None:
    assert generation_of(prefix_of(number) + "AAAA") == number
    assert MasterKey(bytes(16), number).seal(b"", "c").startswith(prefix_of(number))


def test_opened_for_a_backup(tmp_path: Path) -> None:
    path, copy = tmp_path / "master.key", tmp_path / "copy.key"
    sealed = MasterKey.load(path).seal(b"x", "c")
    rotated(path)
    copy.write_bytes(opened(KeyFile(path), KeyFile(path).read()))
    copy.chmod(0o600)
    assert MasterKey.load(copy).unseal(sealed, "c") == b"x"
    assert FILE_ONLY.chosen == "file"
    assert "kept" not in repr(KeyFile(path).read())
