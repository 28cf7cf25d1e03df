"""What a probe said of one object: verdict or error, why, the evidence with its SM3, and how to see it by hand."""

from __future__ import annotations

from typing import Literal

import msgspec

from compliance.probes.contract import Judgement, Probe, Text
from compliance.probes.facts import Facts, Part, Unreadable
from compliance.verdicts import Verdict
from crypto.sm3 import sm3

MOST_EVIDENCE = 32_000
"""Letters of evidence that are kept with a result."""
MOST_FOUND = 20
"""Findings that a reason names; it says how many there are more."""
Outcome = Literal["met", "partly", "not_met", "not_applicable", "error"]
CHINESE = {"met": "符合", "partly": "部分符合", "not_met": "不符合", "not_applicable": "不适用", "error": "无法判定"}


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One probe on one object.

    target    the object's name, as it was given; ``source``: by which kind of reading
    outcome   a verdict, or error: what it needs could not be read
    evidence  text as it was read (secrets are left out while reading); ``sm3`` over its UTF-8
    at        UTC
    """

    probe: str
    items: tuple[str, ...]
    units: tuple[str, ...]
    target: str
    source: str
    outcome: Outcome
    reason: str
    reason_zh: str
    to_be_confirmed: bool
    evidence: str
    sm3: str
    reproduce: str
    at: str

    @property
    def verdict(self) -> Verdict | None:
        """None where there is none: an error is no verdict."""
        return None if self.outcome == "error" else Verdict(self.outcome)


def judged(probe: Probe, parts: dict[str, Part], target: str, at: str) -> Result:
    """Have a probe judge what was read. Never raises: what goes wrong is an error, not a verdict."""
    facts = Facts(parts)
    try:
        found = probe.judge(facts)
    except Unreadable as error:
        return _result(probe, target, at, "error", (Text(str(error), error.zh),), _evidence(facts))
    except Exception as error:  # what a hostile object says must not end the run over all others
        told = f"the probe failed on what was read ({type(error).__name__})"
        return _result(
            probe, target, at, "error", (Text(told, f"探针无法处理读到的内容（{type(error).__name__}）"),), _evidence(facts)
        )
    return _result(probe, target, at, _outcome(found), found.found, _evidence(facts, found))


def failed(probe: Probe, target: str, at: str, why: str) -> Result:
    """Nothing at all could be read."""
    return _result(probe, target, at, "error", (Text(why, why),), "")


def _outcome(found: Judgement) -> Outcome:
    return found.verdict.value


def _result(probe: Probe, target: str, at: str, outcome: Outcome, found: tuple[Text, ...], evidence: str) -> Result:
    return Result(
        probe=probe.id,
        items=probe.items,
        units=probe.units,
        target=target,
        source=probe.source,
        outcome=outcome,
        reason=_reason(
            f"{outcome.replace('_', ' ')}: {probe.criterion.en}", [one.en for one in found], "found", "; ", "and {} more"
        ),
        reason_zh=_reason(f"{CHINESE[outcome]}：{probe.criterion.zh}", [one.zh for one in found], "发现", "；", "另有 {} 项"),
        to_be_confirmed=probe.to_be_confirmed,
        evidence=evidence,
        sm3=sm3(evidence.encode()).hex(),
        reproduce=probe.reproduce,
        at=at,
    )


def _reason(head: str, found: list[str], word: str, between: str, more: str) -> str:
    told = found[:MOST_FOUND] + ([more.format(len(found) - MOST_FOUND)] if len(found) > MOST_FOUND else [])
    shown = between.join(one[:300] for one in told)
    return f"{head} [{word}: {shown}]" if shown else head


def _evidence(facts: Facts, found: Judgement | None = None) -> str:
    if found is not None and found.lines is not None:
        whole = "\n".join(found.lines)
    else:
        whole = "\n".join(f"# {part.how or name}\n{part.text or part.problem}" for name, part in facts.evidence())
    clean = whole.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return clean if len(clean) <= MOST_EVIDENCE else clean[:MOST_EVIDENCE] + "\n# cut off here"
