"""Words in the titles of incidents and tickets.

SQLite: an FTS5 table of trigrams that triggers keep with its table (migration 0028), so any part of a word is found, Chinese
included, if it has three characters or more. PostgreSQL: an index of trigrams on the same text (migration 0039). Shorter words, and
PostgreSQL without the extension pg_trgm: every title is read.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Text, column, func, literal_column, select, table
from sqlalchemy.orm import Session

from kernel.db.among import among

MOST_WORDS = 8
MOST_IDS = 10_000
"""More matches than this are not listed by their ids, but searched again with each statement: there are so many that a page, and a
count up to its limit, soon have enough of them."""
_SHORTEST = 3


def titled(session: Session, name: str, key: Any, title: Any, text: str) -> list[ColumnElement[bool]]:
    """Conditions: ``title`` has every word of ``text``. Asked once a page: its list, count and facets take the ids that were found.

    name   table of the index
    key    column of the ids
    """
    words = text.lower().replace("\0", "").split()[:MOST_WORDS]
    if not words:
        return []
    say = [func.lower(title).contains(word, autoescape=True) for word in words]
    known: dict[Any, list[int] | None] = session.info.get("snapshot", {})
    place = (name, *words)
    if place not in known:
        ids = list(session.connection().execute(_ids(session, name, key, say, words).limit(MOST_IDS + 1)).scalars())
        known[place] = ids if len(ids) <= MOST_IDS else None
    found = known[place]
    return say if found is None else [among(session, key, found)]


def _ids(session: Session, name: str, key: Any, say: list[ColumnElement[bool]], words: list[str]) -> Select[Any]:
    query = select(key)
    if session.get_bind().dialect.name == "sqlite":
        indexed = [(word, one) for word, one in zip(words, say, strict=True) if len(word) >= _SHORTEST]
        if indexed:
            index = table(name, column("rowid", BigInteger), column("body", Text))
            phrases = " AND ".join('"' + word.replace('"', '""') + '"' for word, _one in indexed)
            query = query.join(index, index.c.rowid == key).where(literal_column(name).op("MATCH")(phrases))
            say = [one for word, one in zip(words, say, strict=True) if len(word) < _SHORTEST]
    return query.where(*say)
