"""The words of a playbook in further languages: an extension that other products ignore.

The playbook itself is written in one language; the definition says which, and holds its words in others. Steps have theirs:

    "playbook_extensions": {"extension-definition--2e0c9f54-…": {
        "language": "zh", "translations": {"en": {"name": "…", "description": "…", "names": {"__host__": "…", "group--…": "…"}}}}}
    "step_extensions": {"extension-definition--2e0c9f54-…": {"en": {"name": "…", "description": "…", "commands": ["…"]}}}

``commands`` are the texts of commands that people carry out, in their order; "" for commands of machines. ``names`` are the
descriptions of variables and the names of agents and targets.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from kernel.errors import LiandunError
from playbooks.model import Action, Playbook, Step
from playbooks.vocabulary import is_by_hand

TRANSLATION = "extension-definition--2e0c9f54-7a3b-4d18-8c66-91b5d7e3a042"
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", re.ASCII)
_Read = TypeVar("_Read")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people read of a playbook or a step in one language."""

    name: str = ""
    description: str = ""
    commands: list[str] = []
    names: dict[str, str] = {}


class Languages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The language of the playbook itself, and its words in others."""

    language: str
    translations: dict[str, Words] = {}


class TranslationError(LiandunError):
    """The extension cannot be understood."""


def languages_of(playbook: Playbook) -> Languages | None:
    """The playbook's languages, None where it says nothing about them. Raises TranslationError."""
    given = playbook.playbook_extensions.get(TRANSLATION)
    return None if given is None else _read(given, Languages)


def translations_of(step: Step) -> dict[str, Words]:
    """The words of a step by language. Raises TranslationError."""
    return _read(step.step_extensions.get(TRANSLATION, {}), dict[str, Words])


def playbook_words(playbook: Playbook, language: str) -> Words:
    """The playbook's words in ``language``, in its own language where there are none. Raises TranslationError."""
    known = languages_of(playbook)
    return (known.translations.get(language) if known else None) or own_words(playbook)


def step_words(playbook: Playbook, step: Step, language: str) -> Words:
    """The same for a step of the playbook. Raises TranslationError."""
    return translations_of(step).get(language) or words_of(playbook, step)


def own_words(playbook: Playbook) -> Words:
    """What the playbook itself says."""
    names = {name: variable.description for name, variable in playbook.playbook_variables.items()}
    parties = (playbook.agent_definitions | playbook.target_definitions).items()
    return Words(playbook.name, playbook.description, names=names | {key: party.name for key, party in parties})


def words_of(playbook: Playbook, step: Step) -> Words:
    """What the step itself says; of commands only those that people carry out have words."""
    commands: list[str] = []
    if isinstance(step, Action):
        agent = playbook.agent_definitions.get(step.agent)
        kind = agent.type if agent else ""
        commands = [one.command if is_by_hand(one.type, kind) else "" for one in step.commands]
    return Words(step.name, step.description, commands if any(commands) else [])


def _read(given: Any, kind: type[_Read]) -> _Read:
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise TranslationError(f"the translation cannot be read: {error}") from error
