"""What every template says beside its number: counts by verdict, by class, and what a reader has to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

from compliance.scoring.assessed import Assessed, Judged, JudgedItem
from compliance.scoring.outcome import Share, rounded
from compliance.verdicts import Verdict


def counts(judged: Judged) -> dict[str, int]:
    """Items by verdict, and those without one."""
    found = Counter(item.verdict.value for item in judged.items)
    return {**{verdict.value: found[verdict.value] for verdict in Verdict}, "no_verdict": len(judged.missing)}


def by_class(judged: Judged, value: Callable[[Sequence[JudgedItem]], Fraction]) -> tuple[Share, ...]:
    """One line for each class of requirements; ``value`` of those of its items that count."""
    groups: dict[str, list[JudgedItem]] = {}
    for item in judged.items:
        groups.setdefault(item.which.placed.security_class.id, []).append(item)
    shares = []
    for items in groups.values():
        security_class, found = items[0].which.placed.security_class, Counter(item.verdict for item in items)
        counted = [item for item in items if item.counts]
        shares.append(
            Share(
                security_class.id, security_class.zh, security_class.en, found[Verdict.MET], found[Verdict.PARTLY],
                found[Verdict.NOT_MET], found[Verdict.NOT_APPLICABLE], str(rounded(value(counted))) if counted else "",
            )
        )  # fmt: skip
    return tuple(shares)


def notes(judged: Judged, assessed: Assessed) -> list[str]:
    """What is open or was decided by people."""
    said = []
    if judged.missing:
        said.append(f"{len(judged.missing)} items have no verdict: the result is provisional and leaves them out")
    if unreasoned := sum(bool(item.unreasoned) for item in judged.items):
        said.append(f"{unreasoned} items have a verdict 'not applicable' without a reason")
    if left_out := sum(item.left_out for item in judged.items):
        said.append(f"{left_out} items that the standard only says may (可) are not met and left out")
    if compensated := sum(item.compensated for item in judged.items):
        said.append(f"{compensated} items count otherwise by the whole-system assessment of {_people(assessed)}")
    lowered = sum(item.which.holds != "as level 3" for item in judged.items)
    if lowered:
        said.append(f"{lowered} items hold below level 3 ({assessed.levels}): look up their wording there")
    return said


def weak(judged: Judged) -> list[JudgedItem]:
    """Items that leave a problem."""
    return [item for item in judged.counted if item.after is not Verdict.MET]


def _people(assessed: Assessed) -> str:
    return ", ".join(sorted({one.by for one in assessed.compensations}))
