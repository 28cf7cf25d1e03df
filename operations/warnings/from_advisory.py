"""Drafts from an advisory: by the button on its page, and by themselves where an entry of KEV has open matches.

An advisory has one open warning at most. After that was lifted or thrown away only matches from after that moment make the next.
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.db import Database
from operations import clock
from operations.advisories import listing
from operations.advisories.models import AdvisoryMatch, AdvisoryRow
from operations.advisories.schema import Advisory, Match
from operations.audit.schema import SYSTEM
from operations.errors import Conflict
from operations.warnings import history, settings
from operations.warnings.drafting import checked, new_row
from operations.warnings.levels import HARM, importance_of
from operations.warnings.models import WarningRow
from operations.warnings.schema import MAX_RECEIVERS, MAX_TEXT, MAX_TITLE, OPEN, Draft
from operations.zones.models import ZoneRow

MOST = 20
MOST_OBJECTS = 12


def harm_of_advisory(advisory: Advisory) -> str:
    """From CVSS (7: large, 9: severe); one degree more where it is exploited (KEV), one more where ransomware uses it."""
    cvss = advisory.cvss or 0.0
    degree = (cvss >= 7) + (cvss >= 9) + advisory.kev + advisory.ransomware
    return HARM[min(degree, len(HARM) - 1)]


def draft_from_advisory(session: Session, key: str, *, english: bool = False) -> Draft:
    """A proposal: objects and zones are those of the open matches. Raises NotFound."""
    advisory = listing.get(session, key)
    return _draft(session, advisory, _open(session, advisory.id), english=english)


def origin(session: Session, key: str) -> dict[str, Any]:
    """Columns of a draft that says which advisory it is from. Raises NotFound, Conflict where a warning of it is open."""
    advisory = listing.get(session, key)
    if (there := open_warning(session, key)) is not None:
        raise Conflict(f"warning {there} of this advisory is open", "work on that one")
    before = session.execute(select(func.max(WarningRow.id)).where(WarningRow.pattern == _pattern(advisory.key))).scalar_one() or 0
    return _columns(advisory, _open(session, advisory.id), before)


def open_warning(session: Session, key: str) -> int | None:
    """Id of the warning of an advisory that is open, None where there is none."""
    query = select(WarningRow.id).where(WarningRow.pattern == _pattern(key), WarningRow.status.in_(OPEN))
    return session.execute(query.order_by(WarningRow.id.desc()).limit(1)).scalar_one_or_none()


def draft_from_kev(database: Database) -> list[int]:
    """Make the drafts that are due and return their ids; none where another scheduler was quicker. For the scheduler."""
    with database.read() as session:
        if not _due(session):
            return []
    try:
        with database.write() as session:
            return [_make(session, key, before) for key, before in _due(session)]
    except IntegrityError:
        return []


def _due(session: Session) -> list[tuple[str, int]]:
    """Keys of KEV entries that want a warning, with the id of the warning before (0 = none)."""
    rules = settings.get(session, "advisories").value
    if rules["drafts"] != "yes":
        return []
    verdicts = ("affected",) if rules["verdict"] == "affected" else ("affected", "possibly")
    number = func.count()
    newest = func.max(AdvisoryMatch.created_at)
    query = select(AdvisoryRow.key, AdvisoryRow.id, newest).join(AdvisoryMatch, AdvisoryMatch.advisory_id == AdvisoryRow.id)
    query = query.where(AdvisoryRow.kev, AdvisoryMatch.state == "open", AdvisoryMatch.verdict.in_(verdicts))
    grouped = query.group_by(AdvisoryRow.key, AdvisoryRow.id, AdvisoryRow.due).having(number >= int(rules["least"]))
    found: list[tuple[str, int]] = []
    for key, _number, seen in session.execute(grouped.order_by(AdvisoryRow.due, AdvisoryRow.id)).all():
        last = session.execute(
            select(WarningRow.id, WarningRow.status, WarningRow.closed_at)
            .where(WarningRow.pattern == _pattern(key))
            .order_by(WarningRow.id.desc())
            .limit(1)
        ).one_or_none()
        if last is None:
            found.append((key, 0))
        elif last.status not in OPEN and last.closed_at is not None and seen > last.closed_at:
            found.append((key, last.id))
        if len(found) >= MOST:
            break
    return found


def _make(session: Session, key: str, before: int) -> int:
    advisory = listing.get(session, key)
    matches = _open(session, advisory.id)
    fields = checked(session, _draft(session, advisory, matches, english=False))
    row = new_row(fields, author=SYSTEM.name, contributors=[], **_columns(advisory, matches, before))
    session.add(row)
    session.flush()
    after = {"title": row.title, "level": row.level, "pattern": row.pattern}
    history.write(session, SYSTEM, row, "create", after=after, inner=True)
    return row.id


def _columns(advisory: Advisory, matches: list[Match], before: int) -> dict[str, Any]:
    pattern = _pattern(advisory.key)
    reason = {
        "pattern": "advisory",
        "subject": advisory.key,
        "name": advisory.title,
        "count": len(matches),
        "zones": sorted({one.zone for one in matches if one.zone})[:MAX_RECEIVERS],
        "alerts": [],
        "alert_count": 0,
        "since": min((one.created_at for one in matches), default=clock.now()),
    }
    reasons = orjson.dumps([reason]).decode()
    return {"source": "advisory", "reasons": reasons, "pattern": pattern, "pattern_key": f"{pattern}#{before}"}


def _pattern(key: str) -> str:
    return f"advisory:{key}"[:200]


def _open(session: Session, advisory_id: int) -> list[Match]:
    return [one for one in listing.matches(session, advisory_id) if one.state == "open" and one.verdict != "fixed"]


def _draft(session: Session, advisory: Advisory, matches: list[Match], *, english: bool) -> Draft:
    named = sorted({one.zone for one in matches if one.zone})
    query = select(ZoneRow.id, ZoneRow.name, ZoneRow.name_en, ZoneRow.importance).where(ZoneRow.id.in_(named))
    zones = session.execute(query.order_by(ZoneRow.importance.desc(), ZoneRow.id)).all()[:MAX_RECEIVERS]
    importance = max([row.importance for row in zones] + [one.importance for one in matches], default=1)
    comma = ", " if english else "、"
    told = advisory.title if advisory.key in advisory.title else f"{advisory.key} {advisory.title}"
    facts = [advisory.summary]
    if advisory.kev:
        facts.append(
            f"In the KEV catalogue since {advisory.kev_added}."
            if english
            else f"{advisory.kev_added} 列入 KEV 已知被利用漏洞目录。"
        )
    if advisory.ransomware:
        facts.append("Known to be used by ransomware." if english else "已知被勒索软件利用。")
    made = Draft(
        title=told[:MAX_TITLE],
        importance=importance_of(importance),
        harm=harm_of_advisory(advisory),
        nature="Vulnerability" if english else "安全漏洞",
        threat="\n".join(filter(None, facts))[:MAX_TEXT],
        extent=comma.join((row.name_en if english else "") or row.name for row in zones),
        objects=comma.join(_objects(matches, english=english)),
        zones=tuple(row.id for row in zones),
    )
    return msgspec.structs.replace(made, measures=advisory.action[:MAX_TEXT])


def _objects(matches: list[Match], *, english: bool) -> list[str]:
    found = [f"{one.asset_name} ({one.asset})" if one.asset_name else one.asset for one in matches]
    left = len(found) - MOST_OBJECTS
    more = [f"and {left} more" if english else f"等 {len(found)} 台设备"] if left > 0 else []
    return [*found[:MOST_OBJECTS], *more]
