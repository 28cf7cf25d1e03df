"""Names of rules in the language of the page: what the rule itself has in Chinese, else as the engine wrote it."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, g

from soc_ui import preferences
from soc_ui.services import RuleInfo, services


def rule_title(rule_id: str, name: str) -> str:
    """The title of a rule; ``name`` where the rule is not loaded any more or has no other."""
    rule = _chinese().get(rule_id)
    return rule.title_zh if rule is not None else name


def rule_description(rule_id: str, text: str) -> str:
    """The same for what a rule says about itself. A rule of two languages is told in the one of the page only."""
    rule = _bilingual().get(rule_id)
    if rule is None or not rule.description_zh:
        return text
    return rule.description_zh if preferences.current().lang == "zh" else rule.description


def rule_falsepositives(rule_id: str, texts: Sequence[str]) -> Sequence[str]:
    """The same for what fires a rule by mistake."""
    rule = _chinese().get(rule_id)
    return (rule.falsepositives_zh if rule is not None else ()) or texts


def rule_text(rule: RuleInfo) -> str:
    """The same for its text: that of a file stands as it is, a built-in rule has only an explanation."""
    return (rule.source_text_zh if preferences.current().lang == "zh" else "") or rule.source_text


def _bilingual() -> dict[str, RuleInfo]:
    """The rules that have a Chinese name, looked up once for a request."""
    if "bilingual_rules" not in g:
        g.bilingual_rules = {rule.id: rule for rule in services().rules().rules if rule.title_zh}
    found = g.bilingual_rules
    assert isinstance(found, dict)
    return found


def _chinese() -> dict[str, RuleInfo]:
    return _bilingual() if preferences.current().lang == "zh" else {}


def install(app: Flask) -> None:
    """Gives templates ``rule_title()``, ``rule_description()`` and ``rule_falsepositives()``."""
    app.jinja_env.globals.update(rule_title=rule_title, rule_description=rule_description, rule_falsepositives=rule_falsepositives)
