"""Lists of software as people and machines write them. Pure: text in, entries and problems out.

CSV        first line names columns: asset, vendor, product, version, cpe, scheme; product is needed (and asset, where the list is
           not for one asset)
dpkg       ``dpkg-query -W`` (package TAB version), or with a third column of the status
rpm        ``rpm -qa --qf '%{NAME}\\t%{EPOCH}:%{VERSION}-%{RELEASE}\\n'``
cyclonedx  CycloneDX JSON 1.5 or 1.6: ``components``, nested ones too
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from operations.errors import Invalid
from operations.json_document import read_json
from operations.software import cpe
from operations.software.purl import entry_of
from operations.software.schema import MAX_PRODUCT, MAX_RELEASE, MAX_VENDOR, SCHEMES, Entry, Listed, Problem

FORMATS: tuple[str, ...] = ("csv", "dpkg", "rpm", "cyclonedx")
MAX_BYTES = 4 * 1024 * 1024
MAX_ENTRIES = 20_000
MAX_DEPTH = 16
COLUMNS: tuple[str, ...] = ("asset", "vendor", "product", "version", "cpe", "scheme")
Read = tuple[list[Listed], list[Problem]]


def read(form: str, text: str, asset: str = "") -> Read:
    """The entries of a list; ``asset`` is the one it is for where the list does not say. Raises Invalid."""
    if form not in FORMATS:
        raise Invalid(f"there is no format {form[:20]!r}", f"one of {', '.join(FORMATS)}", field="format")
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise Invalid(f"a list has at most {MAX_BYTES} bytes", field="text")
    found: list[Listed] = []
    problems: list[Problem] = []
    for where, made in _records(form, text, asset):
        if len(found) >= MAX_ENTRIES:
            raise Invalid(f"a list has at most {MAX_ENTRIES} entries", field="text")
        if isinstance(made, str):
            problems.append(Problem(where, made))
        elif made is not None:
            found.append(Listed(made[0], made[1], where))
    return found, problems


def checked(entry: Entry) -> Entry:
    """The entry as it is stored. Raises Invalid."""
    texts = {name: " ".join(_printable(getattr(entry, name)).split()) for name in ("product", "vendor", "release")}
    name = _printable(entry.cpe).strip()
    if name:
        try:
            known = cpe.parse(name)
        except cpe.CpeError as error:
            raise Invalid(f"cpe: {error}", field="cpe") from error
        name = str(known)
        texts["product"] = texts["product"] or cpe.plain(known.product)
        texts["vendor"] = texts["vendor"] or cpe.plain(known.vendor)
        texts["release"] = texts["release"] or cpe.plain(known.version) + cpe.plain(known.update)
    if not texts["product"]:
        raise Invalid("product is missing", field="product")
    for field, most in (("product", MAX_PRODUCT), ("vendor", MAX_VENDOR), ("release", MAX_RELEASE)):
        if len(texts[field]) > most:
            raise Invalid(f"{field} has at most {most} characters", field=field)
    if entry.scheme not in SCHEMES:
        raise Invalid(f"there is no scheme {entry.scheme[:20]!r}", f"one of {', '.join(SCHEMES)}", field="scheme")
    return Entry(scheme=entry.scheme, cpe=name, **texts)


_Record = tuple[str, "tuple[str, Entry] | str | None"]


def _records(form: str, text: str, asset: str) -> Iterator[_Record]:
    """Place and (asset, entry), or why it is none; None for what is rightly left out."""
    raw = {"csv": _csv, "dpkg": _packages, "rpm": _packages, "cyclonedx": _cyclonedx}[form]
    for where, made in raw(text, asset, form):
        if isinstance(made, tuple):
            try:
                yield where, (made[0], checked(made[1]))
            except Invalid as error:
                yield where, error.message
        else:
            yield where, made


def _csv(text: str, asset: str, _form: str) -> Iterator[_Record]:
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=False)
    try:
        head = [name.strip().casefold() for name in next(lines, [])]
        if "product" not in head and "cpe" not in head:
            raise Invalid("the first line names the columns asset, vendor, product, version, cpe, scheme", field="text")
        if unknown := [name for name in head if name not in COLUMNS]:
            raise Invalid(f"there is no column {unknown[0][:40]!r}", f"columns: {', '.join(COLUMNS)}", field="text")
        for row in lines:
            where = f"line {lines.line_num}"
            if not any(cell.strip() for cell in row):
                continue
            cells = dict(zip(head, row, strict=False))
            key = cells.get("asset", "").strip() or asset
            if not key:
                yield where, "no asset is named"
                continue
            yield where, (key, Entry(
                product=cells.get("product", ""), vendor=cells.get("vendor", ""), release=cells.get("version", ""),
                cpe=cells.get("cpe", ""), scheme=cells.get("scheme", "").strip() or "generic",
            ))  # fmt: skip
    except csv.Error as error:
        raise Invalid(f"line {lines.line_num}: {error}", field="text") from error


def _packages(text: str, asset: str, form: str) -> Iterator[_Record]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        cells = line.split("\t") if "\t" in line else line.split()
        if len(cells) < 2 or not re.fullmatch(r"[A-Za-z0-9][\w+.:~-]*", cells[0].strip()):
            yield f"line {number}", "package, a tab and its version are wanted"
            continue
        state = cells[2].strip() if len(cells) > 2 else ""
        if form == "dpkg" and state and not state.startswith("ii") and state != "install ok installed":
            yield f"line {number}", None  # removed, only its configuration is left
            continue
        release = cells[1].strip().removeprefix("(none):")
        if not release:  # dpkg-query lists what is known of removed packages without a version
            yield f"line {number}", None
            continue
        yield f"line {number}", (asset, Entry(product=cells[0].strip(), release=release, scheme=form))


def _cyclonedx(text: str, asset: str, _form: str) -> Iterator[_Record]:
    document = read_json(text.encode("utf-8", "replace"), MAX_BYTES, "text")
    if not isinstance(document, dict) or document.get("bomFormat") != "CycloneDX":
        raise Invalid("this is no CycloneDX document: bomFormat is missing", field="text")
    if document.get("specVersion") not in ("1.4", "1.5", "1.6"):
        raise Invalid(f"specVersion {str(document.get('specVersion'))[:20]!r} is not read", "1.5 or 1.6", field="text")
    yield from _components(document.get("components"), asset, "components", 0)


def _components(listed: Any, asset: str, where: str, depth: int) -> Iterator[_Record]:
    if listed is None:
        return
    if not isinstance(listed, list):
        yield where, "a list is wanted"
        return
    if depth >= MAX_DEPTH:
        yield where, f"nested more than {MAX_DEPTH} deep"
        return
    for number, one in enumerate(listed):
        place = f"{where}[{number}]"
        if not isinstance(one, dict):
            yield place, "an object is wanted"
            continue
        if one.get("type") != "file":
            yield place, _component(one, asset)
        yield from _components(one.get("components"), asset, f"{place}.components", depth + 1)


def _component(one: dict[str, Any], asset: str) -> tuple[str, Entry] | str:
    supplier = one.get("supplier")
    by = supplier.get("name") if isinstance(supplier, dict) else None
    texts = {name: one.get(name) or "" for name in ("name", "version", "cpe", "purl", "group", "publisher")} | {"by": by or ""}
    for name, value in texts.items():
        if not isinstance(value, str):
            return f"{name}: a text is wanted"
    packed = entry_of(texts["purl"]) if texts["purl"] else None
    if packed is not None:
        return asset, Entry(packed.product, packed.vendor, texts["version"] or packed.release, packed.scheme, texts["cpe"])
    return asset, Entry(
        texts["name"], texts["by"] or texts["publisher"] or texts["group"], texts["version"], "generic", texts["cpe"]
    )


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable() or sign.isspace()).encode("utf-8", "replace").decode()
