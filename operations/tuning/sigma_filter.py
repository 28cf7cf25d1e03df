"""An exception as a Sigma filter (Sigma specification 2.x, "Sigma filters"), for other tools and for a rule set of one's own.

    title: …            filter:
    id: …                 rules: [<id of the rule>]
    logsource: …          selection: {host.name: BACKUP-01}
                          condition: not selection

Field names stay those of our events (ECS). A filter is put together with its rule by an ``and``, hence the ``not``.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

import yaml

from kernel.rule_tuning.condition import Condition
from operations.errors import Invalid
from operations.tuning.schema import MeasureRecord

_NAMESPACE = uuid.UUID("6f0e4a38-1f0b-5f6e-9a57-5d3f5b1d7c22")


def sigma_filter(measure: MeasureRecord, engine: str, rule_text: str) -> str:
    """YAML of the filter. Raises Invalid where the rule is none that a Sigma filter can name."""
    if engine != "sigma" or not measure.conditions:
        raise Invalid("only an exception of a Sigma rule can be a Sigma filter", field="rule")
    names, condition = _selections(measure.conditions)
    document: dict[str, Any] = {
        "title": f"Exception {measure.id} of {measure.rule_name}"[:256],
        "id": str(uuid.uuid5(_NAMESPACE, f"{measure.id} {measure.proposed_at}")),
        "description": measure.reason,
        "author": measure.owner,
        "date": measure.proposed_at[:10],
        "logsource": _logsource(rule_text, measure.rule_id),
        "filter": {"rules": [measure.rule_id], **names, "condition": f"not {condition}"},
    }
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)


def file_name(measure: MeasureRecord) -> str:
    """Of the download."""
    return f"exception-{measure.id}.yml"


def _logsource(rule_text: str, rule_id: str) -> dict[str, str]:
    try:
        documents = [one for one in yaml.safe_load_all(rule_text) if isinstance(one, dict)]
    except yaml.YAMLError as error:
        raise Invalid("the text of the rule cannot be read", field="rule") from error
    found = next((one for one in documents if str(one.get("id", "")) == rule_id), documents[0] if documents else {})
    source = found.get("logsource")
    if not isinstance(source, dict):
        raise Invalid("the rule has no logsource that a filter could name", field="rule")
    return {name: str(source[name]) for name in ("category", "product", "service") if source.get(name)}


def _selections(conditions: Sequence[Condition]) -> tuple[dict[str, dict[str, str]], str]:
    """Selections and what must hold of them; a field that comes twice needs a second selection, as a mapping has it once."""
    parts: list[dict[str, str]] = []
    for condition in conditions:
        field = f"{condition.field}|cidr" if condition.operator == "cidr" else condition.field
        part = next((one for one in parts if field not in one), None)
        if part is None:
            part = {}
            parts.append(part)
        part[field] = _value(condition)
    if len(parts) == 1:
        return {"selection": parts[0]}, "selection"
    names = {f"selection_{number}": part for number, part in enumerate(parts, 1)}
    return names, f"({' and '.join(names)})"


def _value(condition: Condition) -> str:
    """As Sigma writes it: a backslash escapes wildcards and itself."""
    if condition.operator == "cidr":
        return condition.value.strip()
    special = r"[\\]" if condition.operator == "wildcard" else r"[\\*?]"
    return re.sub(special, lambda found: "\\" + found[0], condition.value)
