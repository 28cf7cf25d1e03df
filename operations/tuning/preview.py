"""What an exception would have hidden: the samples of a rule's alerts of the last 30 days, compared as the worker compares events.

An alert that counted many detections is judged by the first of them. True positives are looked for among all alerts, not only among
the newest: hiding one of these is what an approval must not overlook.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.orm import Session

from kernel.rule_tuning.condition import Condition, Conditions
from operations import clock
from operations.tuning.samples import Row, rows_of, samples_of
from operations.tuning.schema import Hit, Preview

DAYS = 30
NEWEST = 2_000
TRUE_POSITIVES = 2_000
_SHOWN = 20
_TRUE = "true_positive"


def preview(session: Session, rule_id: str, conditions: Sequence[Condition]) -> Preview:
    """What these conditions match of the alerts of the last DAYS days. Raises ValueError for conditions that cannot be used."""
    test = Conditions(tuple(conditions))
    start = clock.shift(clock.now(), -DAYS * 86_400)
    newest = rows_of(session, rule_id, NEWEST + 1, start=start)
    true = rows_of(session, rule_id, TRUE_POSITIVES + 1, start=start, verdicts=(_TRUE,))
    complete = len(newest) <= NEWEST and len(true) <= TRUE_POSITIVES
    rows = {row.id: row for row in (*newest[:NEWEST], *true[:TRUE_POSITIVES])}
    looked_at = list(rows.values())
    hits = [row for row, sample in samples_of(session, looked_at) if test.hold(sample.event, sample.group)]
    hits.sort(key=lambda row: (row.last_seen, row.id), reverse=True)
    verdicts = Counter(row.verdict or "" for row in hits)
    return Preview(
        days=DAYS,
        looked_at=len(looked_at),
        complete=complete,
        alerts=len(hits),
        detections=sum(row.count for row in hits),
        true_positives=verdicts[_TRUE],
        false_positives=verdicts["false_positive"],
        benign=verdicts["benign"],
        undecided=verdicts[""],
        true_hits=[_hit(row) for row in hits if row.verdict == _TRUE][:_SHOWN],
        hits=[_hit(row) for row in hits[:_SHOWN]],
    )


def _hit(row: Row) -> Hit:
    return Hit(row.id, row.last_seen, row.status, row.verdict, row.count)
