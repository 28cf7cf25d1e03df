"""Why a rule fired: the fields, values and patterns that made its tree true."""

from __future__ import annotations

from detectors.sigma.ast import KEYWORDS, And, Const, FieldRef, Match, Node, Not, Null
from detectors.sigma.evaluate import Fetch, evaluate
from detectors.sigma.logsource import CHANNEL, EVENT_CODE
from detectors.sigma.predicates import holds, refers
from kernel.detection import MatchedField
from kernel.event import Event

MAX_VALUE = 2_000  # characters of a value that are shown
MAX_REASONS = 60


def explain(tree: Node, fetch: Fetch, event: Event) -> list[MatchedField]:
    """Matched fields of a tree that is true for the event; what a negation asks for is no reason and is left out."""
    reasons: dict[MatchedField, None] = {}
    _collect(tree, fetch, event, reasons)
    # what the whole class of events has in common says least
    return sorted(reasons, key=lambda reason: reason.field in (EVENT_CODE, CHANNEL))[:MAX_REASONS]


def _collect(node: Node, fetch: Fetch, event: Event, reasons: dict[MatchedField, None]) -> None:
    if isinstance(node, Match):
        reason = _reason(node, fetch, event)
        if reason is not None:
            reasons[reason] = None
    elif isinstance(node, (Const, Not)):
        return
    elif isinstance(node, And):
        for one in node.nodes:
            _collect(one, fetch, event, reasons)
    else:
        for one in node.nodes:
            if evaluate(one, fetch):
                _collect(one, fetch, event, reasons)


def _reason(node: Match, fetch: Fetch, event: Event) -> MatchedField | None:
    texts = fetch(node.field)
    predicate = node.predicate
    if isinstance(predicate, FieldRef):
        found = next((text for text in texts or () if refers(predicate, (text,), fetch(predicate.other))), None)
    elif isinstance(predicate, Null):
        found = "" if holds(predicate, texts) else None
    elif holds(predicate, texts):
        found = next((text for text in texts or () if holds(predicate, (text,))), "")
    else:
        found = None
    if found is None:
        return None
    return MatchedField(_shown_field(node.field, found, event), found[:MAX_VALUE], node.pattern, node.selection)


def _shown_field(field: str, value: str, event: Event) -> str:
    """The event's own name of a bound field."""
    if field == KEYWORDS:
        return next((name for name, held in event.items() if held == value or (isinstance(held, list) and value in held)), "*")
    if field.startswith("="):
        return field[1:].partition("(")[2].rstrip(")").split(",")[0]
    keys = field.split("|")
    return next((key for key in keys if key in event), keys[0])
