"""Words in the titles of incidents and tickets.

SQLite: an FTS5 table of trigrams that triggers keep with its table (migration 0028), so any part of a word is found, Chinese
included, if it has three characters or more. PostgreSQL: an index of trigrams on the same text (migration 0039). Shorter words, and
PostgreSQL without the extension pg_trgm: every title is read, where it stands in least room: in the content of the FTS5 table, on
PostgreSQL in an index beside the ids (migration 0044).
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
    known: dict[Any, list[int] | None] = session.info.get("snapshot", {})
    place = (name, *words)
    if place not in known:
        ids = list(session.connection().execute(_ids(session, name, key, title, words).limit(MOST_IDS + 1)).scalars())
        known[place] = ids if len(ids) <= MOST_IDS else None
    found = known[place]
    if found is None:  # lowered, as in the index of trigrams: from its statistics PostgreSQL knows how many have such a word
        return [func.lower(title).contains(word, autoescape=True) for word in words]
    return [among(session, key, found)]


def _says(title: Any, word: str) -> ColumnElement[bool]:
    """``title`` has the lower-cased ``word``.

    PostgreSQL takes longer to lower a text than for all else. Signs without case need none of it, but its index of trigrams, which
    shorter words cannot use, knows lowered texts only.
    """
    plain = len(word) < _SHORTEST and word.upper() == word
    return (title if plain else func.lower(title)).contains(word, autoescape=True)


def _ids(session: Session, name: str, key: Any, title: Any, words: list[str]) -> Select[Any]:
    if session.get_bind().dialect.name != "sqlite":
        return select(key).where(*(_says(title, word) for word in words))
    indexed = ['"' + word.replace('"', '""') + '"' for word in words if len(word) >= _SHORTEST]
    short = [word for word in words if len(word) < _SHORTEST]
    found = table(name, column("rowid", BigInteger))
    matches = literal_column(name).op("MATCH")(" AND ".join(indexed))
    if not short:
        return select(found.c.rowid).where(matches)
    bodies = table(f"{name}_content", column("id", BigInteger), column("c0", Text))  # of FTS5, which hands them out more slowly
    query = select(bodies.c.id).where(*(bodies.c.c0.contains(word, autoescape=True) for word in short))
    return query.join(found, found.c.rowid == bodies.c.id).where(matches) if indexed else query
