"""A query of the hunt page as the draft of a Sigma rule (specification 2.0, SigmaHQ/sigma-specification).

Fields keep their ECS names, which our engine takes in every rule. What Sigma cannot say the same way is refused with the place.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Sequence
from typing import Any

import yaml

from kernel.errors import QueryError
from kernel.query import Query
from kernel.query.tree import Bound, Equals, Exists, Match, Network, Node, Not, Or, Range, Regex, Wildcard
from operations import clock

MAX_TITLE = 80
_COMPARE = {("low", True): "gte", ("low", False): "gt", ("high", True): "lte", ("high", False): "lt"}


def sigma_draft(query: Query, *, author: str, dataset: str = "") -> str:
    """The rule as YAML. ``dataset`` is the commonest ``event.dataset`` of the hits, for a query that names none.

    Raises QueryError where the query has what Sigma has not.
    """
    if query.pipes:
        raise QueryError("a rule has no pipes", "take what stands behind | away", query.text.find("|"))
    detection = _Detection()
    condition = detection.say(query.root)
    rule = {
        "title": f"Draft: {query.text}"[:MAX_TITLE],
        "id": str(uuid.uuid4()),
        "status": "experimental",
        "description": f"From the hunt query: {query.text}",
        "author": author,
        "date": clock.now()[:10],
        "logsource": logsource(datasets_of(query) or ([dataset] if dataset else [])),
        "detection": {**detection.selections, "condition": condition},
        "falsepositives": ["to be found out before the rule is used"],
        "level": "medium",
    }
    return yaml.safe_dump(rule, sort_keys=False, allow_unicode=True, width=120)


def logsource(datasets: Sequence[str]) -> dict[str, str]:
    """Product and service of a dataset such as ``linux.auth``. Raises QueryError where there is none to go by."""
    products = {name.partition(".")[0] for name in datasets}
    if len(products) != 1 or not datasets:
        hint = "add event.dataset:… to the query, it becomes the logsource"
        raise QueryError("a rule is for one kind of log" if datasets else "nothing says which logs the rule is for", hint)
    product, _, service = datasets[0].partition(".")
    if product == "windows" or len(datasets) > 1 or not service or "*" in service or "?" in service:
        return {"product": product.rstrip("*")}
    return {"product": product, "service": service}


def datasets_of(query: Query) -> list[str]:
    """The datasets that the query names."""
    return _datasets(query.root)


def _datasets(node: Node) -> list[str]:
    """Datasets that the query asks for (not those it leaves out)."""
    if isinstance(node, Match):
        predicate = node.predicate
        if node.field != "event.dataset":
            return []
        return [predicate.text] if isinstance(predicate, Equals) else [predicate.pattern] if isinstance(predicate, Wildcard) else []
    if isinstance(node, Not):
        return []
    return [name for part in node.parts for name in _datasets(part)]


class _Detection:
    """Selections by name, and the condition over them."""

    def __init__(self) -> None:
        self.selections: dict[str, dict[str, Any]] = {}

    def say(self, node: Node) -> str:
        """The node as a part of the condition."""
        if isinstance(node, Match):
            return self._keep(_items(node))
        if isinstance(node, Not):
            return f"not {self._inner(node.part)}"
        if not node.parts:
            raise QueryError("a rule needs a condition", "name at least one field", 0)
        if isinstance(node, Or):
            return " or ".join(self._inner(part) for part in node.parts)
        plain = [_items(part) for part in node.parts if isinstance(part, Match)]
        together: dict[str, Any] = {}
        words = []
        for items in plain:
            if together.keys() & items.keys():
                words.append(self._keep(items))
            else:
                together |= items
        if together:
            words.insert(0, self._keep(together))
        words += [self._inner(part) for part in node.parts if not isinstance(part, Match)]
        return " and ".join(words)

    def _inner(self, node: Node) -> str:
        said = self.say(node)
        return f"({said})" if " " in said else said

    def _keep(self, items: dict[str, Any]) -> str:
        name = f"selection_{len(self.selections) + 1}"
        self.selections[name] = items
        return name


def _items(match: Match) -> dict[str, Any]:
    """One condition as fields with modifiers and values; all must hold."""
    field, predicate = match.field, match.predicate
    if not field:
        raise QueryError("a word without a field has no like in Sigma", "name the field, for example message:word")
    if isinstance(predicate, Exists):
        return {f"{field}|exists": True}
    if isinstance(predicate, Equals):
        if predicate.anywhere:
            return {f"{field}|contains": _plain(predicate.text)}
        number = predicate.number
        return {field: number if isinstance(number, int) and str(number) == predicate.text else _plain(predicate.text)}
    if isinstance(predicate, Wildcard):
        # a pattern of ours is written like one of Sigma: a backslash before *, ? or a backslash makes it plain
        return {field: f"*{predicate.pattern}*" if predicate.anywhere else predicate.pattern}
    if isinstance(predicate, Regex):
        return {f"{field}|re|i": predicate.pattern}
    if isinstance(predicate, Network):
        return {f"{field}|cidr": _networks(predicate.first, predicate.last)}
    return _range(field, predicate)


def _range(field: str, asked: Range) -> dict[str, Any]:
    low, high = asked.low, asked.high
    kinds = {bound.kind for bound in (low, high) if bound is not None}
    if kinds == {"ip"} and low and high and low.inclusive and high.inclusive:
        return {f"{field}|cidr": _networks(low.text, high.text)}
    if kinds != {"number"}:
        raise QueryError(f"{field}: Sigma compares numbers only", "write a network as 10.0.0.0/8, leave dates to the time range")
    bounds: list[tuple[str, Bound | None]] = [("low", low), ("high", high)]
    return {f"{field}|{_COMPARE[end, bound.inclusive]}": bound.number for end, bound in bounds if bound is not None}


def _networks(first: str, last: str) -> list[str]:
    """A range of addresses (32 hex digits each; IPv4 is ::ffff:0:0/96) as networks."""
    low, high = ipaddress.IPv6Address(int(first, 16)), ipaddress.IPv6Address(int(last, 16))
    if low.ipv4_mapped and high.ipv4_mapped:
        return [str(one) for one in ipaddress.summarize_address_range(low.ipv4_mapped, high.ipv4_mapped)]
    return [str(one) for one in ipaddress.summarize_address_range(low, high)]


def _plain(text: str) -> str:
    """Text in which nothing is a wildcard."""
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
