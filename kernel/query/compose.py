"""Queries made of queries: a text without its pipes, a text narrowed by one more condition. Text stays as it was typed."""

from __future__ import annotations

from kernel.query.parser import parse_query
from kernel.query.tree import Or


def condition_of(text: str) -> str:
    """The query without its pipes, complete in itself: more may be written behind it. Raises QueryError."""
    # What stands behind a pipe holds no other pipe, so as many as were understood are cut off from the right.
    condition = text.rsplit("|", len(parse_query(text).pipes))[0]
    stripped = condition.rstrip()
    if (len(stripped) - len(stripped.rstrip("\\"))) % 2:
        # The last backslash would take its meaning from the next sign: it keeps the blank it stands before, or becomes a pair.
        following = condition[len(stripped) : len(stripped) + 1]
        stripped += following or "\\"
    return stripped.lstrip()


def narrowed(text: str, term: str) -> str:
    """The query, pipes kept, for those hits that ``term`` (one condition, may begin with NOT) holds for. Raises QueryError."""
    number = len(parse_query(text).pipes)
    pipes = "|" + "|".join(text.rsplit("|", number)[1:]) if number else ""
    condition = condition_of(text)
    if condition:
        term = f"({condition}) AND {term}" if isinstance(parse_query(condition).root, Or) else f"{condition} AND {term}"
    return f"{term} {pipes}".rstrip()
