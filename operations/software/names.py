"""The names under which software and advisories meet: one vendor and one product, however each side writes them.

Spelling is evened out (width, case, blanks, legal forms of companies); beyond that only the table ``aliases.yml`` makes two names
one: a guess would call an asset affected that is not.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources

import msgspec
import yaml

_LEGAL = frozenset({"inc", "corp", "corporation", "ltd", "limited", "llc", "gmbh", "co", "company", "ag", "sa"})


class Aliases(msgspec.Struct, frozen=True):
    """vendors: other name → name; products: (vendor, other name) → product; packages: package → (vendor, product); prefixes of
    packages the same way."""

    vendors: dict[str, str]
    products: dict[tuple[str, str], str]
    packages: dict[str, tuple[str, str]]
    prefixes: tuple[tuple[str, tuple[str, str]], ...]


def folded(text: str) -> str:
    """Lower case, normal width, words joined by ``_``."""
    return re.sub(r"(?:[^\w+]|_)+", "_", unicodedata.normalize("NFKC", text).casefold()).strip("_")


@lru_cache(maxsize=65_536)
def keys(vendor: str, product: str, scheme: str = "generic") -> tuple[str, str]:
    """Vendor ("" = not known) and product. ``scheme`` dpkg and rpm: ``product`` is the name of a package."""
    table = aliases()
    if scheme != "generic" and (found := _package(table, product)) is not None:
        return found
    maker = _vendor(table, vendor)
    name = folded(product)
    if maker and name.startswith(f"{maker}_") and (maker, name) not in table.products:
        name = name.removeprefix(f"{maker}_")
    if not maker:
        return _nameless(table, name)
    return maker[:128], table.products.get((maker, name), name)[:160]


def _nameless(table: Aliases, name: str) -> tuple[str, str]:
    """A product without a vendor: the table may know it by a name that only one vendor uses."""
    makers = {(maker, product) for (maker, other), product in table.products.items() if other == name}
    return next(iter(makers)) if len(makers) == 1 else ("", name[:160])


def _vendor(table: Aliases, vendor: str) -> str:
    name = folded(vendor)
    if name in table.vendors:
        return table.vendors[name]
    words = name.split("_")
    while len(words) > 1 and words[-1] in _LEGAL:
        words.pop()
    short = "_".join(words)
    return table.vendors.get(short, short)


def _package(table: Aliases, package: str) -> tuple[str, str] | None:
    name = package.casefold().partition(":")[0]  # dpkg writes libc6:amd64
    if name in table.packages:
        return table.packages[name]
    return next((found for prefix, found in table.prefixes if name.startswith(prefix)), None)


@cache
def aliases() -> Aliases:
    """aliases.yml."""
    read = yaml.safe_load(resources.files(__package__).joinpath("aliases.yml").read_text("utf-8"))
    vendors = {folded(other): name for name, others in read["vendors"].items() for other in others}
    products: dict[tuple[str, str], str] = {}
    packages: dict[str, tuple[str, str]] = {}
    prefixes: list[tuple[str, tuple[str, str]]] = []
    for vendor, of_vendor in read["products"].items():
        for product, known in of_vendor.items():
            for other in (product, *known.get("names", ())):
                products[(vendor, folded(other))] = product
            for package in known.get("packages", ()):
                if package.endswith("*"):
                    prefixes.append((package[:-1], (vendor, product)))
                else:
                    packages[package] = (vendor, product)
    return Aliases(vendors, products, packages, tuple(prefixes))
