"""How often organisations searched in the events: what their people and API keys asked, by the audit trail, and what ran by
schedule."""

from __future__ import annotations

import json
import re
from collections import Counter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations.accounts.models import User
from operations.audit.models import AuditEntry
from operations.searches.models import SavedSearch, SearchRun

ACTIONS = ("events.search", "events.export")
_OF_A_KEY = re.compile(r"key:.* \(([^()]+)\)", re.DOTALL)


def searches_by_organisation(session: Session, start: str, end: str) -> Counter[str]:
    """Those from ``start`` (inclusive) to ``end``; of people who belong to several organisations for each, of others for none."""
    within = (AuditEntry.time >= start, AuditEntry.time < end)
    asked = select(AuditEntry.actor, func.count()).where(AuditEntry.action.in_(ACTIONS), *within).group_by(AuditEntry.actor)
    ran = select(SavedSearch.owner, func.count()).join(SearchRun, SearchRun.search_id == SavedSearch.id)
    ran = ran.where(SearchRun.at >= start, SearchRun.at < end).group_by(SavedSearch.owner)
    people: Counter[str] = Counter()
    for query in (asked, ran):
        for actor, number in session.execute(query):
            of_a_key = _OF_A_KEY.fullmatch(actor)
            people[of_a_key[1] if of_a_key else actor] += number
    found: Counter[str] = Counter()
    for name, organisations in session.execute(select(User.name, User.organisations).where(User.name.in_(sorted(people)))):
        for organisation in json.loads(organisations):
            found[organisation] += people[name]
    return found
