"""Does what an advisory says concern a product on an asset? Pure, and every verdict has its reason.

affected  the version lies in a range that a source names, or every version is meant
possibly  no version is known; the source names no versions; a packager may have mended an older version; the edition, the vendor or
          what it has to run with is not known
fixed     a source lists the version as fixed or not affected, or it lies behind every range
None      it is another product, or a version before the ranges
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from operations.advisories.schema import Reason
from operations.software import cpe
from operations.software.versions import Range, above, below, inside, upstream

_DETAILS = ("part", "edition", "language", "sw_edition", "target_sw", "target_hw", "other")


class Installed(msgspec.Struct, frozen=True):
    """A product as the inventory has it."""

    vendor_key: str
    product_key: str
    label: str
    release: str
    scheme: str
    cpe: str


class Rule(msgspec.Struct, frozen=True):
    """A statement of a source, ready to be compared."""

    vendor_key: str
    scheme: str
    status: str
    range: Range
    whole: bool
    cpe: str
    source: str
    condition: tuple[str, ...]


class Verdict(msgspec.Struct, frozen=True):
    """``condition``: holds only with one of these products on the asset, else it is possible."""

    verdict: str
    reason: Reason
    condition: tuple[str, ...] = ()


def judge(one: Installed, rules: Sequence[Rule]) -> Verdict | None:
    """The verdict of all rules of one advisory that name the product."""
    found = [(rule, relation) for rule in rules if (relation := _fits(one, rule))]
    if not found:
        return None
    settled = next((rule for rule, _relation in found if rule.status != "affected" and _settles(one, rule)), None)
    if settled is not None:
        return Verdict("fixed", _reason("listed", one, settled))
    verdicts = [verdict for rule, relation in found if rule.status == "affected" and (verdict := _affected(one, rule, relation))]
    if verdicts:
        return max(verdicts, key=lambda verdict: (verdict.verdict == "affected", not verdict.condition))
    return _behind(one, [rule for rule, _relation in found])


def _fits(one: Installed, rule: Rule) -> str:
    """sure, edition, vendor, "" = another product."""
    if one.vendor_key and rule.vendor_key and one.vendor_key != rule.vendor_key:
        return ""
    if {one.scheme, rule.scheme} == {"dpkg", "rpm"}:
        return ""
    if rule.cpe:
        known = cpe.parse(one.cpe) if one.cpe else cpe.Cpe()
        relation = cpe.compare(cpe.parse(rule.cpe), known, _DETAILS[1:] if not one.cpe else _DETAILS)
        if relation == cpe.DISJOINT:
            return ""
        if relation not in (cpe.EQUAL, cpe.SUPERSET):
            return "edition"
    return "vendor" if rule.vendor_key and not one.vendor_key else "sure"


def _settles(one: Installed, rule: Rule) -> bool:
    """A version that is listed as fixed or not affected, in the scheme of the list."""
    if rule.scheme != one.scheme:
        return False
    if not rule.range.low and not rule.range.high:
        return rule.status == "clear" and rule.whole
    return bool(one.release) and inside(one.scheme, one.release, rule.range)


def _affected(one: Installed, rule: Rule, relation: str) -> Verdict | None:
    bounded = bool(rule.range.low or rule.range.high)
    if not bounded and not rule.whole:
        return Verdict("possibly", _reason("no_ranges", one, rule), rule.condition)
    if bounded and not one.release:
        return Verdict("possibly", _reason("no_version", one, rule), rule.condition)
    scheme, release, limits = _comparable(one, rule)
    if bounded and not inside(scheme, release, limits):
        return None
    if relation != "sure":
        return Verdict("possibly", _reason(relation, one, rule), rule.condition)
    if one.scheme != rule.scheme:
        return Verdict("possibly", _reason("packaged", one, rule), rule.condition)
    return Verdict("affected", _reason("in_range" if bounded else "every", one, rule), rule.condition)


def _behind(one: Installed, rules: Sequence[Rule]) -> Verdict | None:
    """Behind a range: mended. Only before all of them: never affected. A fixed version of a list counts from it on."""
    if not one.release:
        return None
    passed = []
    for rule in rules:
        scheme, release, limits = _comparable(one, rule)
        if rule.status == "affected" and above(scheme, release, limits) and not below(scheme, release, limits):
            passed.append(rule)
    return Verdict("fixed", _reason("behind", one, passed[-1])) if passed else None


def _comparable(one: Installed, rule: Rule) -> tuple[str, str, Range]:
    """Scheme, version and range that can be compared: across schemes the versions of the maker."""
    if one.scheme == rule.scheme:
        return one.scheme, one.release, rule.range
    low, high = (upstream(rule.scheme, bound) if bound else "" for bound in (rule.range.low, rule.range.high))
    return "generic", upstream(one.scheme, one.release), Range(low, rule.range.low_in, high, rule.range.high_in)


def _reason(code: str, one: Installed, rule: Rule) -> Reason:
    return Reason(code, one.label, one.release, rule.range.text(), rule.source)
