"""NVD, CVE API 2.0: CVSS, and which CPE names in which bounds of versions are vulnerable.

A configuration whose nodes are joined by AND names what has to be there besides (a platform, ``vulnerable: false``); the device of
a firmware is there with its firmware and is no condition.
"""

from __future__ import annotations

from typing import Any

from operations.advisories.document import CVE, MAX_RECORDS, MAX_STATEMENTS, Records, day, numbers_of, objects, score, text
from operations.advisories.schema import Statement, Told
from operations.errors import Invalid
from operations.software import cpe, names
from operations.software.schema import MAX_RELEASE, Problem

_METRICS = ("cvssMetricV40", "cvssMetricV31", "cvssMetricV30", "cvssMetricV2")
_MOST_CONDITIONS = 50


def read(document: dict[str, Any]) -> Records:
    """Every CVE, or why it is none."""
    listed = document.get("vulnerabilities")
    if not isinstance(listed, list) or len(listed) > MAX_RECORDS:
        raise Invalid(f"vulnerabilities: a list of at most {MAX_RECORDS} is wanted", field="file")
    for number, one in enumerate(listed):
        where = f"vulnerabilities[{number}].cve"
        found = one.get("cve") if isinstance(one, dict) else None
        if not isinstance(found, dict) or not isinstance(found.get("id"), str) or not CVE.fullmatch(found["id"]):
            yield Problem(where, "a cve with an id is wanted")
            continue
        if found.get("vulnStatus") == "Rejected":
            continue
        yield from _cve(found, f"{where} {found['id']}")


def _cve(one: dict[str, Any], where: str) -> Records:
    made: list[Statement] = []
    for number, configuration in enumerate(objects(one.get("configurations"))):
        for found in _configuration(configuration, f"{where}.configurations[{number}]"):
            if isinstance(found, Problem):
                yield found
            else:
                made.append(found)
    if len(made) > MAX_STATEMENTS:
        yield Problem(where, f"more than {MAX_STATEMENTS} products; the first ones are taken")
    told = [text(part.get("value")) for part in objects(one.get("descriptions")) if part.get("lang") == "en"]
    first = made[0] if made else None
    yield Told(
        one["id"], "nvd", summary=told[0] if told else "", cvss=_score(one.get("metrics")), published=day(one.get("published")),
        vendor=first.vendor if first else "", product=first.product if first else "",
        aliases=numbers_of(*(text(part.get("url"), 500) for part in objects(one.get("references"))[:200])),
        statements=tuple(made[:MAX_STATEMENTS]),
    )  # fmt: skip


def _score(metrics: Any) -> float | None:
    if not isinstance(metrics, dict):
        return None
    for name in _METRICS:
        for one in objects(metrics.get(name)):
            vector = one.get("cvssData")
            found = score(vector.get("baseScore")) if isinstance(vector, dict) else None
            if found is not None:
                return found
    return None


def _configuration(one: dict[str, Any], where: str) -> list[Statement | Problem]:
    nodes = objects(one.get("nodes"))
    both = str(one.get("operator", "")).upper() == "AND" or any(str(node.get("operator", "")).upper() == "AND" for node in nodes)
    vulnerable: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for node in nodes:
        if node.get("negate") is True:
            return [Problem(where, "a negated node is not read")]
        for match in objects(node.get("cpeMatch")):
            (vulnerable if match.get("vulnerable") is True else others).append(match)
    platform = _platforms(others) if both else ()
    return [_statement(match, platform, where) for match in vulnerable]


def _platforms(others: list[dict[str, Any]]) -> tuple[str, ...]:
    found = []
    for match in others[:_MOST_CONDITIONS]:
        try:
            name = cpe.parse(text(match.get("criteria"), cpe.MAX_NAME))
        except cpe.CpeError:
            continue
        if name.part == "h":
            return ()
        found.append(":".join(names.keys(cpe.plain(name.vendor), cpe.plain(name.product))))
    return tuple(dict.fromkeys(found))


def _statement(match: dict[str, Any], platform: tuple[str, ...], where: str) -> Statement | Problem:
    criteria = text(match.get("criteria"), cpe.MAX_NAME + 1)
    try:
        name = cpe.parse(criteria)
    except cpe.CpeError as error:
        return Problem(where, f"{criteria[:80]}: {error}")
    vendor, product = cpe.plain(name.vendor)[:128], cpe.plain(name.product)[:160]
    if not product:
        return Problem(where, f"{criteria[:80]}: it names no product")
    bounds = {
        part: text(match.get(part), MAX_RELEASE)
        for part in ("versionStartIncluding", "versionStartExcluding", "versionEndIncluding", "versionEndExcluding")
    }
    exact = (cpe.plain(name.version) + cpe.plain(name.update))[:MAX_RELEASE] if cpe.plain(name.version) else ""
    low = exact or bounds["versionStartIncluding"] or bounds["versionStartExcluding"]
    high = exact or bounds["versionEndIncluding"] or bounds["versionEndExcluding"]
    return Statement(
        vendor, product, "affected", str(name), "generic", low, bool(exact or bounds["versionStartIncluding"]), high,
        bool(exact or bounds["versionEndIncluding"]), name.version == cpe.ANY, platform,
    )  # fmt: skip
