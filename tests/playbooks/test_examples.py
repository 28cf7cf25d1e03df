"""Every public playbook of the corpus runs or is refused for the right reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from playbooks.check import check, is_right
from playbooks.problems import PlaybookError, Problem
from playbooks.reading import read, write

NOW = datetime(2026, 11, 27, tzinfo=UTC)
RIGHT = ("oasis-basic-example-1", "soarca-example-manual")
WRONG: dict[str, list[tuple[str, str]]] = {
    "casp-openc2-kestrel-hunting": [
        ("workflow.while-condition--14d5afba-d4cb-41cb-87e0-02a27bbefe84.condition", "not understood"),
        ("workflow.action--011b0fcc-bf3c-40af-aec6-40d24a5e6495.commands[0].content_b64", "OpenC2 command is missing"),
        ("workflow.action--011b0fcc-bf3c-40af-aec6-40d24a5e6495.commands[0].command", "no HTTP start line"),
    ],
    "cosai-training-data-poisoning": [
        ("id", "no identifier"),
        ("workflow.start--001", "no identifier of a step"),
        ("workflow.action--dataset-scan.agent", "agent is missing"),
        ("workflow.action--dataset-scan.commands[0].type", "'jupyter-nb'"),
        ("playbook_variables.__anomaly_threshold__.value", "stands as text"),
    ],
    "misp-malware-triage": [
        ("workflow.action--c06ffc4b-1955-4166-a665-a8170708b2f9.commands[0].command", "the manual command is empty"),
    ],
    "oasis-locky-bart-mbc": [
        ("agent_definitions.software--5e1cadae-7532-45d8-89f8-fe051a1e7df8.type", "'software'"),
        ("workflow.action--191bce6e-2fea-4a7e-b4a5-c0d96f129a8d.targets[0]", "there is no target"),
        ("workflow.action--3fdb51db-2548-4beb-ab7d-f52b3ab1e5ed.commands[0].type", "'ftp'"),
    ],
    "soarca-doc-primer": [
        ("workflow.action--7fe08053-3685-4d8c-bc0a-40efce75113e.agent", "agent is missing"),
        ("workflow.if-condition--4b95eaa4-944a-4a9d-88d4-1374a70dbacd.condition", "__soarca_ssh_result__ is not declared"),
        ("target_definitions.linux--c50901f4-3802-4b8f-9b19-e1e62cc8fac4", "the key says linux, the type says http-api"),
    ],
    "soarca-example-fin": [
        ("modified", "modified is before created"),
        ("workflow.action--2fd6bca0-24ed-4d74-8eae-da126a84f7c4.commands[0].type", "'pong'"),
    ],
    "soarca-example-http": [
        ("workflow.action--eb9372d4-d524-49fc-bf24-be26ea084779.commands[0].command", "the target 'get' does not begin with /"),
        ("workflow.action--eb9372d4-d524-49fc-bf24-be26ea084779.commands[0].command", "there is no version 'HTTP1.1'"),
    ],
    "soarca-example-powershell": [
        (
            "authentication_info_definitions.authentication-info--5a9c4caa-734b-4bd4-bbe1-fef0d426cf5a.password",
            "the password stands in plain",
        ),
    ],
    "soarca-test-infinite_playbook": [
        ("workflow.action--6b23c237-ade8-4d00-9aa1-75999738d557.on_completion", "in a circle"),
        ("workflow_start", "a step of the kind action"),
        ("workflow", "there is no end step"),
    ],
    "soarca-test-invalid_email_playbook": [
        ("agent_definitions.individual--6b23a237-ade8-4d00-9aa1-75999732d557.contact.email.work", "no e-mail address"),
    ],
    "soarca-test-invalid_playbook": [
        ("agent_definitions.http-api--7e9174ec-a293-43df-a72d-471c79e276bf.type", "'invalid'"),
    ],
    "soarca-test-playbook": [
        ("agent_definitions.individual--6b23a237-ade8-4d00-9aa1-75999732d557.banana", "no property 'banana'"),
        ("workflow_exception", "there is no step"),
        ("workflow", "there is no start step"),
        (
            "authentication_info_definitions.http-basic--76c26f7f-9a15-40ff-a90a-7b19e23372ae.password",
            "the password stands in plain",
        ),
    ],
}
UNREADABLE = {"soarca-test-changed-playbook": ("workflow", "a list stands where the steps are wanted")}


def _octets(shared: Path, name: str) -> bytes:
    return (shared / "cacao" / "examples" / f"{name}.json").read_bytes()


def test_every_file_has_its_verdict(shared: Path) -> None:
    files = {path.stem for path in (shared / "cacao" / "examples").glob("*.json")}
    assert files == {*RIGHT, *WRONG, *UNREADABLE}


@pytest.mark.parametrize("name", RIGHT)
def test_what_can_run_is_right(shared: Path, name: str) -> None:
    problems = check(read(_octets(shared, name)), now=NOW)
    assert is_right(problems), problems


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_run_is_refused_for_the_right_reason(shared: Path, name: str) -> None:
    problems = [one for one in check(read(_octets(shared, name)), now=NOW) if one.severity == "error"]
    for path, message in WRONG[name]:
        found = [one for one in problems if one.path == path and message in one.message]
        assert found, (path, message, problems)
        if path.startswith("workflow."):
            assert found[0].step == path.split(".")[1]


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_says_why(shared: Path, name: str) -> None:
    with pytest.raises(PlaybookError) as caught:
        read(_octets(shared, name))
    (problem,) = caught.value.problems
    assert isinstance(problem, Problem)
    assert (problem.path, UNREADABLE[name][1] in problem.message) == (UNREADABLE[name][0], True)


@pytest.mark.parametrize("name", [*RIGHT, *WRONG])
def test_import_and_export_keep_the_document(shared: Path, name: str) -> None:
    found = read(_octets(shared, name))
    assert read(write(found)).raw == found.raw
