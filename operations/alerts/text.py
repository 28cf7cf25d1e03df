"""The searchable text of alerts: rule name, entities, matched values, lower case.

SQLite: an FTS5 table with trigrams, so any part of a word is found, Chinese included, if it has three characters or more.
PostgreSQL: a table searched by LIKE, with an index of trigrams where the extension pg_trgm is at hand (migration 0039). Both have
the columns ``rowid`` (the alert's id) and ``body``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, Select, Text, and_, case, column, exists, func, literal_column, select, table, text, true
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from kernel.db.among import among
from kernel.detection import Detection
from operations.alerts.models import AlertEntity
from operations.alerts.schema import Entity

MAX_BODY = 2000
SPREAD = 500
"""So many alerts, spread evenly over all, are read to tell whether words are common."""
_SURE = 12
"""As many of them have the words, at least: then it is hardly chance."""
_INDEXED = 3
"""Letters of the shortest word that an index of trigrams knows."""
ALERT_TEXT = table("alert_text", column("rowid", BigInteger), column("body", Text))

# Where FTS5 keeps the texts (https://sqlite.org/fts5.html, "FTS5 Data Structures"): where the index does not help, reading them
# here takes less than half of the time that it takes through the virtual table.
_CONTENT = table("alert_text_content", column("id", BigInteger), column("c0", Text))


def text_of(detection: Detection, entities: list[Entity]) -> str:
    """What an alert is found by."""
    parts = [detection.rule_name, detection.rule_id, *(entity.value for entity in entities)]
    parts += [match.value for match in detection.matched]
    unique = dict.fromkeys(part[:400].lower() for part in parts if part)
    return " ".join(unique).replace("\0", "").encode("utf-8", "replace").decode()[:MAX_BODY]


def insert_texts(session: Session, texts: list[tuple[int, str]]) -> None:
    """Texts of new alerts, by alert id."""
    if texts:
        rows = [{"alert": alert_id, "body": body} for alert_id, body in texts]
        session.connection().execute(text("INSERT INTO alert_text (rowid, body) VALUES (:alert, :body)"), rows)


def append_texts(session: Session, texts: list[tuple[int, str]]) -> None:
    """Further words of alerts that exist, up to twice MAX_BODY characters each."""
    if texts:
        rows = [{"alert": alert_id, "body": " " + body.lower()[:MAX_BODY], "limit": 2 * MAX_BODY} for alert_id, body in texts]
        session.connection().execute(
            text("UPDATE alert_text SET body = body || :body WHERE rowid = :alert AND length(body) < :limit"), rows
        )


def words_of(search: str) -> list[str]:
    """The words that must all occur; "double quotes" keep a phrase together."""
    words, rest = [], search.lower().replace("\0", "")
    for position, part in enumerate(rest.split('"')):
        words += [part.strip()] if position % 2 else part.split()
    return [word for word in words if word][:16]


def matching_ids(session: Session, words: list[str], limit: int) -> list[int] | None:
    """Ids of alerts with all words, or None where there are more than ``limit``."""
    snapshot: dict[Any, list[int] | None] = session.info.get("snapshot", {})
    key = ("alert_text", *words, limit)
    if key not in snapshot:
        found = _ids_query(session, words).limit(limit + 1)
        ids = None if _common(session, words, limit) else list(session.execute(found).scalars())
        snapshot[key] = ids if ids is not None and len(ids) <= limit else None
    return snapshot[key]


def matching_ids_of_zones(
    session: Session, words: list[str], zones: Collection[str], *, most_with_words: int, limit: int
) -> list[int] | None:
    """Ids of alerts with all words that name one of ``zones``; None where more than ``limit`` do, or too many have the words."""
    snapshot: dict[Any, list[int] | None] = session.info.get("snapshot", {})
    key = ("alert_text", "zones", *words, *sorted(zones), most_with_words, limit)
    if key not in snapshot and _common(session, words, most_with_words):
        snapshot[key] = None
    if key not in snapshot:
        # The words are searched once: a count of all that have them, and those of the zones beside it.
        found = _ids_query(session, words).limit(most_with_words + 1).cte("found")
        total = select(func.count().label("number")).select_from(found).cte("total")
        alert = next(iter(found.c))
        same = (AlertEntity.alert_id == alert, AlertEntity.kind == literal_column("'zone'"), AlertEntity.value.in_(sorted(zones)))
        few = select(total.c.number).scalar_subquery() <= most_with_words
        named = select(alert.label("alert")).where(few, exists().where(*same)).limit(limit + 1).subquery()
        rows = session.execute(select(total.c.number, named.c.alert).join_from(total, named, true(), isouter=True)).all()
        ids = [row.alert for row in rows if row.alert is not None]
        snapshot[key] = ids if rows[0].number <= most_with_words and len(ids) <= limit else None
    return snapshot[key]


def _common(session: Session, words: list[str], limit: int) -> bool:
    """Whether far more than ``limit`` alerts have the words, as a few hundred of all tell: listing them would be in vain, and takes
    long where an index helps little (words of two letters, words that nearly all have)."""
    last = session.execute(select(func.max(ALERT_TEXT.c.rowid))).scalar_one() or 0
    if last <= limit * 2 or last <= SPREAD:
        return False
    alert, body = _columns(session)
    said = and_(true(), *(body.contains(word, autoescape=True) for word in words))
    spread = among(session, alert, [last - place * last // SPREAD for place in range(SPREAD)])
    looked, having = session.execute(select(func.count(), func.count(case((said, 1)))).where(spread)).one()
    return bool(having >= _SURE and having * last >= limit * 2 * looked)


def _ids_query(session: Session, words: list[str]) -> Select[Any]:
    indexed = [word for word in words if len(word) >= _INDEXED]
    short = [word for word in words if len(word) < _INDEXED]
    if not indexed or session.get_bind().dialect.name != "sqlite":
        alert, body = _columns(session)
        return select(alert).where(*(body.contains(word, autoescape=True) for word in words))
    match = literal_column("alert_text").op("MATCH")(" AND ".join('"' + word.replace('"', '""') + '"' for word in indexed))
    found = select(ALERT_TEXT.c.rowid).where(match)
    return found.where(says(session, ALERT_TEXT.c.rowid, short)) if short else found


def says(session: Session, alert_id: ColumnElement[Any], words: list[str], *, by_row: bool = True) -> ColumnElement[bool]:
    """True where the text of the alert ``alert_id`` has all words. ``by_row``: looked up per row; else as the database likes."""
    alert, body = _columns(session)
    said = [body.contains(word, autoescape=True) for word in words]
    if not by_row:
        return exists().where(alert == alert_id, *said)
    # A value, not a condition: PostgreSQL takes a word for rare, and would read all alerts that have it for one page.
    return select(and_(true(), *said)).where(alert == alert_id).scalar_subquery()


def _columns(session: Session) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The columns of alert id and text, for reading without the index."""
    if session.get_bind().dialect.name == "sqlite":
        return _CONTENT.c.id, _CONTENT.c.c0
    return ALERT_TEXT.c.rowid, ALERT_TEXT.c.body
