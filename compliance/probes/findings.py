"""Results of an object by items, in the form in which an assessment records them (``compliance assess SYSTEM --findings``).

Several probes speak to an item: all met, or all not met, else partly. Where one of them could not be read, the item stays without
a verdict, unless the others say already that it is not met.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from compliance.probes.result import Result
from compliance.verdicts import Verdict, together
from crypto.sm3 import sm3

MOST_REASON, MOST_REPRODUCE = 1_000, 1_000


class Finding(msgspec.Struct, frozen=True):
    """A verdict about an item on an object. ``evidence``: SM3 over the evidence of all probes, one after the other."""

    item_id: str
    object_id: int | None
    verdict: str
    reason: str
    evidence: str
    reproduce: str
    at: str


def findings(results: Iterable[Result], object_id: int | None) -> list[Finding]:
    """Of one object; units of GB/T 39786 are left to people, who say what D, A and K are."""
    by_item: dict[str, list[Result]] = {}
    for result in results:
        for item in result.items:
            by_item.setdefault(item, []).append(result)
    made = (_finding(item, by_item[item], object_id) for item in sorted(by_item))
    return [one for one in made if one is not None]


def _finding(item: str, results: list[Result], object_id: int | None) -> Finding | None:
    verdict = together([one.verdict for one in results if one.verdict is not None])
    if verdict is None or (verdict is not Verdict.NOT_MET and any(one.verdict is None for one in results)):
        return None
    telling = [one for one in results if one.outcome not in ("met", "not_applicable")] or results
    return Finding(
        item_id=item,
        object_id=object_id,
        verdict=verdict.value,
        reason=_joined("；", (f"{one.probe} {one.reason_zh}" for one in telling), MOST_REASON),
        evidence=sm3("\n".join(one.evidence for one in results).encode()).hex(),
        reproduce=_joined("; ", dict.fromkeys(one.reproduce for one in telling), MOST_REPRODUCE),
        at=max(one.at for one in results),
    )


def _joined(between: str, texts: Iterable[str], most: int) -> str:
    whole = between.join(texts)
    return whole if len(whole) <= most else whole[: most - 1] + "…"
