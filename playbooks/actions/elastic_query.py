"""What an Elasticsearch is asked: the body of a ``_search`` or ``_count``, and nothing that would run a script there."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from playbooks.actions.query_parameters import MOST_DOCUMENTS, ElasticParameters
from playbooks.query_texts import is_dsl

_SEARCH = frozenset(
    {
        "query", "aggs", "aggregations", "size", "from", "sort", "_source", "fields", "docvalue_fields", "stored_fields",
        "post_filter", "min_score", "collapse", "search_after", "highlight",
    }
)  # fmt: skip
_PROGRAMS = frozenset(
    {
        "script", "script_fields", "script_score", "scripted_metric", "runtime_mappings", "bucket_script", "bucket_selector",
        "_script", "moving_fn",
    }
)  # fmt: skip
"""Keys under which a query brings a program of its own: it costs what its writer wants."""
_INDEX = re.compile(r"-?(?:[a-z0-9*][a-z0-9_*-]*:)?(?:[a-z0-9*]|\.[a-z0-9])[a-z0-9._*+-]*", re.ASCII)
_DEEPEST = 100


def path_of(given: ElasticParameters) -> str:
    """The request target. Raises ValueError where ``index`` holds more than names and patterns."""
    names = [name.strip() for name in given.index.split(",")] if given.index.strip() else []
    for name in names:
        if not _INDEX.fullmatch(name):
            raise ValueError(f"{name[:60]!r} is no name or pattern of an index")
    place = f"/{','.join(names)}" if names else ""
    return f"{place}/_count" if given.call == "count" else f"{place}/_search?allow_partial_search_results=false"


def body_of(text: str, given: ElasticParameters) -> dict[str, Any]:
    """The body of the request. Raises ValueError with the reason for what is no query, or more than one."""
    if not text.strip():
        raise ValueError("the query is empty")
    if not is_dsl(text):
        body: dict[str, Any] = {"query": {"query_string": {"query": text}}}
    else:
        body = _read(text)
    if given.call == "count":
        if more := sorted(body.keys() - {"query"}):
            raise ValueError(f"to count is to give a query, and no {more[0]}")
        return body
    size = body.get("size", given.size)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MOST_DOCUMENTS:
        raise ValueError(f"size is a number of documents, {MOST_DOCUMENTS} at most")
    return {**body, "size": size, "track_total_hits": True}


def _read(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ValueError(f"the query begins like JSON and is none: {error}") from error
    if not isinstance(found, dict):
        raise ValueError("the query is an object")
    if program := _program(found):
        raise ValueError(f"{program} brings a program, which is not sent")
    unknown = sorted(found.keys() - _SEARCH)
    if not unknown:
        return found
    if len(found) == 1:
        return {"query": found}  # a query alone, such as {"term": {…}}
    raise ValueError(f"there is no {unknown[0][:60]!r} in a search; known are {', '.join(sorted(_SEARCH))}")


def _program(found: Any) -> str:
    """The first key under which there is one, "" for none. Raises ValueError for what is nested too deep."""
    waiting = [(found, 0)]
    while waiting:
        one, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ValueError(f"the query is nested more than {_DEEPEST} deep")
        if isinstance(one, dict):
            if programs := sorted(one.keys() & _PROGRAMS):
                return str(programs[0])
            waiting += [(inner, depth + 1) for inner in one.values()]
        elif isinstance(one, list):
            waiting += [(inner, depth + 1) for inner in one]
    return ""
