"""What a playbook, its steps and variables are called in the language of the page: text of whoever wrote the playbook."""

from __future__ import annotations

from playbooks.model import Action, Playbook, Step
from playbooks.translations import TranslationError, Words, own_words, playbook_words, step_words, words_of
from playbooks.vocabulary import is_by_hand, kind_of
from soc_ui import preferences
from soc_ui.locale import _

LONGEST = 160


class Titles:
    """Names of one playbook."""

    def __init__(self, playbook: Playbook) -> None:
        self.playbook = playbook
        self._language = preferences.current().lang
        self._steps: dict[str, Words] = {}
        try:
            self._words = playbook_words(playbook, self._language)
        except TranslationError:
            self._words = own_words(playbook)

    @property
    def name(self) -> str:
        """Of the playbook."""
        return self._words.name or self.playbook.name or self.playbook.id

    @property
    def description(self) -> str:
        """Of the playbook."""
        return self._words.description or self.playbook.description

    def step(self, step_id: str) -> str:
        """Of a step; its kind where it has no name of its own."""
        step = self.playbook.workflow.get(step_id)
        if step is None:
            return step_id[:LONGEST]
        return (self._of(step_id).name or step.name or step_kind(step))[:LONGEST]

    def about(self, step_id: str) -> str:
        """The description of a step."""
        step = self.playbook.workflow[step_id]
        return self._of(step_id).description or step.description

    def commands(self, step_id: str) -> list[str]:
        """What the commands of a step say, one each: texts for people in the language of the page."""
        step, said = self.playbook.workflow[step_id], self._of(step_id).commands
        if not isinstance(step, Action):
            return []
        return [said[at] if at < len(said) and said[at] else _text(step, at) for at in range(len(step.commands))]

    def variable(self, name: str) -> str:
        """What a variable means, "" where nobody says so."""
        declared = self.playbook.playbook_variables.get(name)
        return self._words.names.get(name) or (declared.description if declared else "")

    def party(self, identifier: str) -> str:
        """Of an agent or target."""
        party = self.playbook.agent_definitions.get(identifier) or self.playbook.target_definitions.get(identifier)
        return self._words.names.get(identifier) or (party.name if party else "") or identifier

    def _of(self, step_id: str) -> Words:
        if step_id not in self._steps:
            step = self.playbook.workflow[step_id]
            try:
                self._steps[step_id] = step_words(self.playbook, step, self._language)
            except TranslationError:
                self._steps[step_id] = words_of(self.playbook, step)
        return self._steps[step_id]


def variable_title(name: str) -> str:
    """``__name__`` without its underscores."""
    return name[2:-2] if name.startswith("__") and name.endswith("__") and len(name) > 4 else name


def step_kind(step: Step) -> str:
    """What a step does, by its kind."""
    names = {
        "start": _("Beginning"),
        "end": _("End"),
        "action": _("Action"),
        "playbook-action": _("Runs a playbook"),
        "parallel": _("At the same time"),
        "if-condition": _("Condition"),
        "while-condition": _("As long as"),
        "switch-condition": _("By value"),
    }
    return names.get(step.type, step.type)


def looks(step: Step) -> str:
    """The look of its box: who or what acts."""
    if isinstance(step, Action) and step.commands:
        by_hand = is_by_hand(step.commands[0].type, kind_of(step.agent))
        return "hand" if by_hand else "own" if step.commands[0].type.startswith("liandun-") else "machine"
    return step.type


def is_text(step: Action, at: int) -> bool:
    """Whether a command is words for a person."""
    return is_by_hand(step.commands[at].type, kind_of(step.agent))


def _text(step: Action, at: int) -> str:
    try:
        return step.commands[at].text()
    except ValueError:
        return ""
