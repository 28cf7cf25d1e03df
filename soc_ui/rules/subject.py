"""The rule that a page of tuning is about: as it is loaded, or as its alerts name it where it is not loaded any more."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy.orm import Session

from operations.errors import NotFound
from operations.tuning import figures
from soc_ui.services import services


class Subject(msgspec.Struct, frozen=True):
    """What is known of a rule; ``engine`` "" and ``text`` "" where it is not loaded."""

    id: str
    title: str
    level: str
    engine: str = ""
    text: str = ""

    @property
    def loaded(self) -> bool:
        """True where the worker has it."""
        return bool(self.engine)


def subjects(session: Session, rule_ids: Iterable[str]) -> dict[str, Subject]:
    """Those of the rules that are known."""
    wanted = set(rule_ids)
    found = {
        rule.id: Subject(rule.id, rule.title, rule.level, rule.engine, rule.source_text)
        for rule in services().rules().rules
        if rule.id in wanted
    }
    missing = wanted - found.keys()
    for rule_id, (name, level) in (figures.names(session, missing) if missing else {}).items():
        found[rule_id] = Subject(rule_id, name or rule_id, level)
    return found


def subject(session: Session, rule_id: str) -> Subject:
    """One rule. Raises NotFound where neither a rule nor an alert has this id."""
    found = subjects(session, [rule_id[:160]]).get(rule_id)
    if found is None:
        raise NotFound(f"there is no rule {rule_id[:160]}")
    return found
