"""The queue in groups: what alerts of one rule, host, user or source address come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from kernel.detection import level_rank
from operations.alerts.facets import sample_size
from operations.alerts.listing import sample_query
from operations.alerts.schema import AlertFilter
from operations.errors import Invalid

BY: dict[str, str] = {"rule": "rule_id", "host": "host", "user": "user_name", "ip": "source_ip"}
"""What groups are made by → column."""
MOST_GROUPS = 200
_COLUMNS = ("id", "last_seen", "level", "status", "rule_id", "rule_name", "host", "user_name", "source_ip")


class Group(msgspec.Struct, frozen=True):
    """Alerts that have ``value`` in common. ``name``: title of a rule. ``newest``: id of one of them.

    levels  level → number, the worst first
    new     how many nobody has looked at
    hosts   different hosts; of a host or address ``rules`` says more
    """

    value: str
    name: str
    number: int
    levels: dict[str, int]
    new: int
    hosts: int
    rules: int
    newest: int
    last_seen: str


class Groups(msgspec.Struct, frozen=True):
    """The worst first. ``looked`` newest alerts were taken (``exact``: all); ``without`` of them have no such value."""

    groups: list[Group]
    looked: int
    exact: bool
    without: int


def group(session: Session, where: AlertFilter, by: str) -> Groups:
    """Groups of the newest alerts that match, as many as facets look at. Raises Invalid where ``by`` is none of BY."""
    if by not in BY:
        raise Invalid(f"alerts are not grouped by {by[:20]!r}", f"one of {', '.join(BY)}", field="by")
    most = sample_size(session, where)
    rows = session.execute(sample_query(session, where, most + 1, _COLUMNS)).all()
    exact, rows = len(rows) <= most, rows[:most]
    found: dict[str, list[Any]] = {}
    for row in rows:
        value = getattr(row, BY[by])
        if value:
            name = value.lower() if by == "user" else value  # as entities are kept, which a filter asks for
            found.setdefault(name, []).append(row)
    groups = [_group(value, members) for value, members in found.items()]
    groups.sort(key=lambda one: (-max(map(level_rank, one.levels)), -one.number, one.value))
    return Groups(groups[:MOST_GROUPS], len(rows), exact, len(rows) - sum(one.number for one in groups))


def _group(value: str, members: Sequence[Any]) -> Group:
    levels = Counter(row.level for row in members)
    newest = max(members, key=lambda row: (row.last_seen, row.id))
    return Group(
        value=value,
        name=newest.rule_name,
        number=len(members),
        levels=dict(sorted(levels.items(), key=lambda entry: -level_rank(entry[0]))),
        new=sum(row.status == "new" for row in members),
        hosts=len({row.host for row in members if row.host}),
        rules=len({row.rule_id for row in members}),
        newest=newest.id,
        last_seen=newest.last_seen,
    )
