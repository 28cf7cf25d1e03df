"""CSAF 2.0 documents (OASIS): the product tree, and for each vulnerability what its status is per product.

Branches are walked to a depth of 32 (the standard allows no more need); a product of ``relationships`` is the component with its
platform as condition. ``first_fixed`` and ``recommended`` count as fixed from that version on.
"""

from __future__ import annotations

from typing import Any

import msgspec

from operations.advisories import ranges
from operations.advisories.document import CVE, MAX_RECORDS, MAX_STATEMENTS, Records, day, numbers_of, objects, score, text
from operations.advisories.schema import Statement, Told
from operations.errors import Invalid
from operations.software import cpe, names
from operations.software.purl import entry_of
from operations.software.schema import MAX_RELEASE, Problem
from operations.software.versions import Range

MAX_DEPTH = 32
MAX_PRODUCTS = 20_000
_STATUS = {
    "known_affected": "affected", "first_affected": "affected", "last_affected": "affected", "fixed": "fixed",
    "first_fixed": "fixed", "recommended": "fixed", "known_not_affected": "clear",
}  # fmt: skip


class _Product(msgspec.Struct, frozen=True):
    vendor: str = ""
    product: str = ""
    cpe: str = ""
    scheme: str = "generic"
    ranges: tuple[Range, ...] = ()
    whole: bool = True
    condition: tuple[str, ...] = ()


def read(document: dict[str, Any]) -> Records:
    """Every vulnerability of the document, and what of it cannot be read."""
    head = document["document"]
    if head.get("csaf_version") != "2.0":
        raise Invalid(f"csaf_version {str(head.get('csaf_version'))[:20]!r} is not read", "2.0", field="file")
    tracking = head.get("tracking") if isinstance(head.get("tracking"), dict) else {}
    number = text(tracking.get("id"), 120)
    if not number:
        raise Invalid("document.tracking.id is missing", field="file")
    products, problems = _tree(document.get("product_tree"))
    yield from problems
    listed = document.get("vulnerabilities")
    if listed is not None and (not isinstance(listed, list) or len(listed) > MAX_RECORDS):
        raise Invalid(f"vulnerabilities: a list of at most {MAX_RECORDS} is wanted", field="file")
    title, published = text(head.get("title"), 512), day(tracking.get("initial_release_date"))
    aliases = [text(one, 128) for one in tracking.get("aliases", []) if isinstance(one, str)] if isinstance(
        tracking.get("aliases"), list) else []  # fmt: skip
    for index, one in enumerate(objects(listed)):
        where = f"vulnerabilities[{index}]"
        yield from _vulnerability(one, where, products, number, title, published, aliases)


def _vulnerability(
    one: dict[str, Any], where: str, products: dict[str, _Product], number: str, title: str, published: str, aliases: list[str]
) -> Records:
    cve = one.get("cve")
    key = cve if isinstance(cve, str) and CVE.fullmatch(cve) else number
    statements: list[Statement] = []
    status = one.get("product_status")
    for name, listed in status.items() if isinstance(status, dict) else ():
        if name not in _STATUS or not isinstance(listed, list):
            continue
        for product_id in listed[:MAX_STATEMENTS]:
            known = products.get(product_id) if isinstance(product_id, str) else None
            if known is None:
                yield Problem(f"{where}.product_status.{name}", f"{str(product_id)[:60]!r} is not in the product tree")
                continue
            statements += _statements(known, _STATUS[name], onwards=name in ("first_fixed", "recommended"))
    if len(statements) > MAX_STATEMENTS:
        yield Problem(where, f"more than {MAX_STATEMENTS} products; the first ones are taken")
    found = [score(part.get(kind, {}).get("baseScore")) for part in objects(one.get("scores")) for kind in ("cvss_v4", "cvss_v3")
             if isinstance(part.get(kind, {}), dict)]  # fmt: skip
    ids = [text(part.get("text"), 128) for part in objects(one.get("ids"))]
    notes = [text(part.get("text")) for part in objects(one.get("notes")) if part.get("category") in ("description", "summary")]
    remedies = [text(part.get("details"), 2_000) for part in objects(one.get("remediations"))[:3]]
    first = statements[0] if statements else None
    yield Told(
        key, f"csaf:{number}"[:160], title=text(one.get("title"), 512) or title, summary=notes[0] if notes else "",
        vendor=first.vendor if first else "", product=first.product if first else "",
        cvss=max((value for value in found if value is not None), default=None), published=published,
        action="\n".join(filter(None, remedies)),
        aliases=tuple(dict.fromkeys([*([number] if key != number else []), *numbers_of(*ids, *aliases, *notes)]))[:20],
        statements=tuple(statements[:MAX_STATEMENTS]),
    )  # fmt: skip


def _statements(known: _Product, status: str, *, onwards: bool) -> list[Statement]:
    made = []
    for one in known.ranges or (Range(),):
        high, high_in = ("", False) if onwards and one.low == one.high else (one.high, one.high_in)
        whole = known.whole and not one.low and not one.high
        made.append(Statement(known.vendor, known.product, status, known.cpe, known.scheme, one.low, one.low_in, high,
                              high_in, whole, known.condition))  # fmt: skip
    return made


def _tree(tree: Any) -> tuple[dict[str, _Product], list[Problem]]:
    found: dict[str, _Product] = {}
    problems: list[Problem] = []
    if not isinstance(tree, dict):
        return found, problems
    _branches(tree.get("branches"), "product_tree.branches", _Product(), 0, found, problems)
    for number, one in enumerate(objects(tree.get("full_product_names"))[:MAX_PRODUCTS]):
        _product(one, f"product_tree.full_product_names[{number}]", _Product(), found, problems)
    for one in objects(tree.get("relationships"))[:MAX_PRODUCTS]:
        made = one.get("full_product_name")
        component, platform = (one.get(name) for name in ("product_reference", "relates_to_product_reference"))
        if not isinstance(made, dict) or not isinstance(made.get("product_id"), str) or not isinstance(component, str):
            continue
        known = found.get(component)
        if known is not None and len(found) < MAX_PRODUCTS:
            on = found.get(platform) if isinstance(platform, str) else None
            condition = (":".join(names.keys(on.vendor, on.product)),) if on is not None else ()
            found[made["product_id"]] = msgspec.structs.replace(known, condition=condition)
    return found, problems


def _branches(listed: Any, where: str, above: _Product, depth: int, found: dict[str, _Product], problems: list[Problem]) -> None:
    if depth >= MAX_DEPTH:
        if listed:
            problems.append(Problem(where[:200], f"nested more than {MAX_DEPTH} deep"))
        return
    for number, one in enumerate(objects(listed)):
        place, name = f"{where}[{number}]", text(one.get("name"), 256)
        here = _narrowed(above, text(one.get("category"), 40), name, place, problems)
        if isinstance(one.get("product"), dict):
            _product(one["product"], place, here, found, problems)
        _branches(one.get("branches"), f"{place}.branches", here, depth + 1, found, problems)


def _narrowed(above: _Product, category: str, name: str, where: str, problems: list[Problem]) -> _Product:
    if category == "vendor":
        return msgspec.structs.replace(above, vendor=name[:128])
    if category == "product_name":
        return msgspec.structs.replace(above, product=name[:160])
    if category == "product_version":
        version = name[:MAX_RELEASE]
        return msgspec.structs.replace(above, ranges=(Range(version, True, version, True),))
    if category == "product_version_range":
        read_ = ranges.read(name)
        if read_ is None:
            problems.append(Problem(where[:200], f"the range {name[:60]!r} cannot be read; versions of it are only possible"))
            return msgspec.structs.replace(above, whole=False)
        return msgspec.structs.replace(above, scheme=read_[0], ranges=read_[1])
    return above


def _product(one: dict[str, Any], where: str, above: _Product, found: dict[str, _Product], problems: list[Problem]) -> None:
    product_id = one.get("product_id")
    if not isinstance(product_id, str) or len(product_id) > 512:
        problems.append(Problem(where[:200], "product_id is missing"))
        return
    if len(found) >= MAX_PRODUCTS:
        return
    made = above if above.product else msgspec.structs.replace(above, product=text(one.get("name"), 160))
    helper = one.get("product_identification_helper")
    if isinstance(helper, dict):
        made = _identified(made, text(helper.get("cpe"), cpe.MAX_NAME), text(helper.get("purl"), 1024))
    if made.product:
        found[product_id] = made


def _identified(made: _Product, name: str, purl: str) -> _Product:
    if name:
        try:
            known = cpe.parse(name)
        except cpe.CpeError:
            known = None
        if known is not None and cpe.plain(known.product):
            vendor, product = cpe.plain(known.vendor) or made.vendor, cpe.plain(known.product)
            version = (cpe.plain(known.version) + cpe.plain(known.update)) if cpe.plain(known.version) else ""
            exact = (Range(version, True, version, True),) if version and not made.ranges else made.ranges
            made = msgspec.structs.replace(made, vendor=vendor[:128], product=product[:160], cpe=str(known), ranges=exact)
    packed = entry_of(purl) if purl else None
    if packed is not None:
        exact = (Range(packed.release, True, packed.release, True),) if packed.release and not made.ranges else made.ranges
        packaged = packed.scheme != "generic"
        made = msgspec.structs.replace(
            made, product=packed.product, vendor="" if packaged else packed.vendor or made.vendor, ranges=exact,
            scheme=packed.scheme, cpe="" if packaged else made.cpe,
        )  # fmt: skip
    return made
