"""Words in a second language: read, complete, and asked for in one place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from playbooks.check import check
from playbooks.problems import Problem
from playbooks.translations import TRANSLATION, Words, playbook_words, step_words
from tests.playbooks.documents import AGENT, FIREWALL, FIRST, ON_TRUE, PERSON, document, playbook

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
NAMES = {AGENT: "Liandun", PERSON: "Duty officer", FIREWALL: "Firewall"}


def _document(step: Any = None, by_hand: Any = None, **words: Any) -> dict[str, Any]:
    one = document()
    definition = {"type": "extension-definition", "name": "x", "created_by": one["created_by"], "schema": "x", "version": "1"}
    one["extension_definitions"] = {TRANSLATION: definition}
    english = {"name": "Block the attacker", "names": NAMES} | words
    one["playbook_extensions"] = {TRANSLATION: {"language": "zh", "translations": {"en": english}}}
    texts = {FIRST: {"en": {"name": "Block it"}} if step is None else step}
    texts[ON_TRUE] = {"en": {"commands": ["Block __ip__:value yourself"]}} if by_hand is None else by_hand
    for key, given in texts.items():
        one["workflow"][key]["step_extensions"] = {TRANSLATION: given}
    return one


def _problems(**changes: Any) -> list[Problem]:
    return check(playbook(_document(**changes)), now=NOW)


def test_complete_words_and_where_they_are_read() -> None:
    assert _problems() == []
    found = playbook(_document())
    assert playbook_words(found, "en").name == "Block the attacker"
    assert playbook_words(found, "fr").name == "封禁攻击地址"
    assert step_words(found, found.workflow[ON_TRUE], "en").commands == ["Block __ip__:value yourself"]
    assert step_words(found, found.workflow[ON_TRUE], "fr").commands == ["Block __ip__:value by hand"]
    assert step_words(playbook(), found.workflow[FIRST], "zh") == Words("Block")


@pytest.mark.parametrize(
    ("changes", "end", "severity", "message"),
    [
        ({"step": {"en": {}}}, "en.name", "warning", "no words in en"),
        ({"name": ""}, "en.name", "warning", "no words in en"),
        ({"names": {AGENT: "x", PERSON: "y"}}, f"en.names.{FIREWALL}", "warning", "no words in en"),
        ({"names": NAMES | {"__nobody__": "x"}}, "en.names.__nobody__", "error", "no __nobody__ in this playbook"),
        ({"by_hand": {"en": {"commands": ["Block it"]}}}, "en.commands[0]", "error", "other variables"),
        ({"by_hand": {"en": {"commands": ["__ip__:value", "more"]}}}, "en.commands", "error", "more texts than commands"),
        ({"step": {"en": {"titel": "x"}}}, TRANSLATION, "error", "unknown field"),
        ({"step": {"en": {"name": "Block it"}, "fr": {"name": "x"}}}, TRANSLATION, "warning", "no words in 'fr'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(changes: Any, end: str, severity: str, message: str) -> None:
    (found,) = _problems(**changes)
    assert found.path.endswith(end)
    assert (found.severity, message in found.message) == (severity, True), str(found)
