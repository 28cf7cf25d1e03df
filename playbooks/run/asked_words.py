"""What a question says in each language that its playbook knows: name of the step, and what a person is to do, with its values."""

from __future__ import annotations

import msgspec

from playbooks.model import Action
from playbooks.references import the_one
from playbooks.run.state import Call
from playbooks.translations import TranslationError, Words, languages_of, translations_of, words_of
from playbooks.variables import VariableError, in_words

LONGEST_TITLE, LONGEST_TEXT = 512, 8_000
MOST_LANGUAGES = 10


class AskedWords(msgspec.Struct, frozen=True):
    """In one language. ``text``: what is to be done, "" where no person does it."""

    title: str
    text: str = ""


def asked_words(call: Call) -> dict[str, AskedWords]:
    """By language; nothing where the playbook does not say which it is written in, or a translation cannot be read."""
    playbook, step = call.visit.branch.frame.playbook, call.visit.step
    try:
        known = languages_of(playbook)
        if known is None:
            return {}
        said = {known.language: words_of(playbook, step)} | translations_of(step)
    except TranslationError:
        return {}
    return {language: _told(call, words) for language, words in list(said.items())[:MOST_LANGUAGES]}


def _told(call: Call, words: Words) -> AskedWords:
    title = (words.name or call.visit.step.name or call.visit.step_id)[:LONGEST_TITLE]
    number, _target = call.place
    step, template = call.visit.step, words.commands[number] if number < len(words.commands) else ""
    if not call.by_hand or not template or not isinstance(step, Action):
        return AskedWords(title)
    readable = frozenset((*map(the_one, step.in_args), *step.step_variables)) if step.in_args else None
    try:
        return AskedWords(title, in_words(template, call.visit.scope, readable)[:LONGEST_TEXT])
    except VariableError:  # a translation that names another variable than its original; that one is shown instead
        return AskedWords(title)
