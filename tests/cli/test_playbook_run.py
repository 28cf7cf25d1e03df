"""``./liandun playbook run`` as people call it: what it prints, what arrives, how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playbooks.run.target import Target, running_target

ROOT = Path(__file__).resolve().parents[2]
CONFORMANCE = ROOT / "tests" / "playbooks" / "conformance"


@pytest.fixture
def target() -> Iterator[Target]:
    with running_target() as running:
        yield running


def run(name: str, target: Target, *more: str, answers: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "playbook", "run", str(CONFORMANCE / f"{name}.json"), "--set", f"port={target.port}"]
    return subprocess.run([*command, *more], cwd=ROOT, input=answers, capture_output=True, text=True, timeout=60)


def test_a_run_finishes(target: Target) -> None:
    done = run("sequence", target)
    assert (done.returncode, target.paths) == (0, ["/hit/1", "/hit/2"])
    assert "finished" in done.stdout


def test_a_run_fails(target: Target) -> None:
    done = run("failure-without-handler", target)
    assert done.returncode == 1
    assert "HTTP_ERROR" in done.stderr


def test_a_dry_run_shows_and_does_nothing(target: Target) -> None:
    done = run("variables", target, "--dry-run", "--assume", "ticket=T-9")
    assert done.returncode == 0
    assert f"POST http://127.0.0.1:{target.port}/hit/T-9?q=a%20%22b%22%20__ticket__%3Avalue" in done.stdout
    assert target.paths == []


def test_the_trace_is_json_lines(target: Target) -> None:
    done = run("sequence", target, "--trace", "jsonl")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["outcome"] for line in lines if line["event"] == "run"] == ["started", "finished"]
    assert "begun" in done.stderr


def test_a_person_is_asked(target: Target) -> None:
    done = run("manual", target, answers="y\nopen\n")
    assert (done.returncode, target.paths) == (0, ["/hit/open"])
    assert "Look at the door of room 7" in done.stdout


def test_a_dry_run_asks_nobody(shared: Path) -> None:
    """The standard's own example: an ssh command that a person carries out."""
    example = shared / "cacao" / "examples" / "oasis-basic-example-1.json"
    command = [sys.executable, "-m", "cli", "playbook", "run", str(example), "--dry-run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "would do: ask a person: Switch(conf)#mac address-table static 3467.0933.341c" in done.stdout


def test_without_a_person_the_step_fails(target: Target) -> None:
    assert (run("manual", target).returncode, target.paths) == (0, ["/hit/refused"])


@pytest.mark.parametrize("more", [("--set", "nobody=1"), ("--set", "x"), ("--trace", "xml")])
def test_wrong_usage(target: Target, more: tuple[str, ...]) -> None:
    assert run("sequence", target, *more).returncode == 2
    assert target.paths == []


def test_what_the_check_refuses_is_not_run(target: Target) -> None:
    done = run("constant-written", target)
    assert (done.returncode, target.paths) == (1, [])
    assert "__fixed__ is constant" in done.stderr


# -- the journal ------------------------------------------------------------------------------------------------------------------


def test_the_same_command_is_the_same_run(target: Target, tmp_path: Path) -> None:
    """Said again after its end, as whoever starts it may not know that it came so far before a kill -9."""
    kept = ("--journal", str(tmp_path / "run.journal"))
    assert run("sequence", target, *kept).returncode == 0
    again = run("sequence", target, *kept)
    assert (again.returncode, target.paths) == (0, ["/hit/1", "/hit/2"])
    assert "has ended, finished" in again.stderr
    assert run("sequence", target, *kept, "--anew").returncode == 0
    assert target.paths == ["/hit/1", "/hit/2"] * 2


def test_a_run_that_failed_is_told_and_not_begun_again(target: Target, tmp_path: Path) -> None:
    kept = ("--journal", str(tmp_path / "run.journal"))
    first, again = (run("failure-without-handler", target, *kept) for _ in range(2))
    assert (first.returncode, again.returncode) == (1, 1)
    assert "HTTP_ERROR" in again.stderr
    assert len(target.paths) == 1


def test_other_values_are_another_run(target: Target, tmp_path: Path) -> None:
    """A run that a crash left is not taken for the one that is asked for now, nor gone on with behind its back."""
    kept = tmp_path / "run.journal"
    left = subprocess.Popen(
        [sys.executable, "-m", "cli", "playbook", "run", str(CONFORMANCE / "manual.json"), "--set", f"port={target.port}",
         "--journal", str(kept)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert left.stdout is not None
    assert any("room 7" in line for line in left.stdout)
    left.kill()
    left.communicate()
    other = run("sequence", target, "--journal", str(kept))
    assert (other.returncode, target.paths) == (1, [])
    assert "holds a run of 'manual' that has not ended" in other.stderr
    assert run("manual", target, "--journal", str(kept), answers="y\nopen\n").returncode == 0
    assert target.paths == ["/hit/open"]
    assert run("sequence", target, "--journal", str(kept)).returncode == 0


def test_two_at_once_are_one_run(target: Target, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli", "playbook", "run", str(CONFORMANCE / "sequence.json"), "--set", f"port={target.port}",
               "--journal", str(tmp_path / "run.journal")]  # fmt: skip
    both = [subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [one.wait(60) for one in both] == [0, 0, 0]
    assert target.paths == ["/hit/1", "/hit/2"]


@pytest.mark.parametrize("content", ["no journal\n" * 100, "x"])
def test_what_is_no_journal_is_told(target: Target, tmp_path: Path, content: str) -> None:
    kept = tmp_path / "notes.txt"
    kept.write_text(content)
    done = run("sequence", target, "--journal", str(kept))
    assert (done.returncode, target.paths) == (2, [])
    assert "is no journal" in done.stderr
    assert kept.read_text() == content
