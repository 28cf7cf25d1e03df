"""Words in further languages (playbooks.translations): they can be read, and nothing that people read lacks them."""

from __future__ import annotations

from playbooks.check.report import Report
from playbooks.model import Playbook
from playbooks.references import names_within
from playbooks.translations import (
    LANGUAGE,
    TRANSLATION,
    TranslationError,
    Words,
    languages_of,
    own_words,
    translations_of,
    words_of,
)


def check_translations(playbook: Playbook, report: Report) -> None:
    path = f"playbook_extensions.{TRANSLATION}"
    try:
        known = languages_of(playbook)
    except TranslationError as error:
        report.wrong(path, error.message, "docs/playbooks.md, Two languages")
        return
    languages = known.translations if known else {}
    for language in {known.language, *languages} if known else ():
        if not LANGUAGE.fullmatch(language):
            report.wrong(path, f"{language[:40]!r} is no language", "for example zh or en")
    for language, words in languages.items():
        _complete(path, "", language, own_words(playbook), words, report)
    for key, step in playbook.workflow.items():
        at = f"workflow.{key}.step_extensions.{TRANSLATION}"
        try:
            found = translations_of(step)
        except TranslationError as error:
            report.wrong(at, error.message, "docs/playbooks.md, Two languages", key)
            continue
        for language in found.keys() - languages.keys():
            report.doubtful(at, f"the playbook itself has no words in {language[:40]!r}", f"add them to {path}", key)
        own = words_of(playbook, step)
        for language in languages:
            _complete(at, key, language, own, found.get(language, Words()), report)


def _complete(path: str, step: str, language: str, own: Words, words: Words, report: Report) -> None:
    pairs: dict[str, tuple[str, str]] = {"name": (own.name, words.name), "description": (own.description, words.description)}
    pairs |= {f"names.{name}": (text, words.names.get(name, "")) for name, text in own.names.items()}
    pairs |= {f"commands[{place}]": (text, _at(words.commands, place)) for place, text in enumerate(own.commands)}
    for name, (text, translated) in pairs.items():
        if text and not translated:
            report.doubtful(f"{path}.{language}.{name}", f"there are no words in {language}", "translate it", step)
        elif names_within(text) != names_within(translated):
            report.wrong(f"{path}.{language}.{name}", "it uses other variables than the playbook's own words", "use the same", step)
    _superfluous(f"{path}.{language}", step, own, words, report)


def _superfluous(path: str, step: str, own: Words, words: Words, report: Report) -> None:
    for name in words.names.keys() - own.names.keys():
        report.wrong(f"{path}.names.{name[:80]}", f"there is no {name[:80]} in this playbook", "remove it", step)
    if any(words.commands[len(own.commands) :]):
        report.wrong(f"{path}.commands", "there are more texts than commands of people", "remove them", step)


def _at(texts: list[str], place: int) -> str:
    return texts[place] if place < len(texts) else ""
