"""Records of software as other rooms see them."""

from __future__ import annotations

import msgspec

SCHEMES: tuple[str, ...] = ("generic", "dpkg", "rpm")
SOURCES: tuple[str, ...] = ("hand", "import", "sensor", "sbom")
MAX_VENDOR, MAX_PRODUCT, MAX_RELEASE, MAX_CPE = 128, 160, 128, 512


class Entry(msgspec.Struct, frozen=True):
    """A product as a list names it. ``release`` "" = version not known."""

    product: str
    vendor: str = ""
    release: str = ""
    scheme: str = "generic"
    cpe: str = ""


class Listed(msgspec.Struct, frozen=True):
    """An entry of a list that names assets too; ``asset`` is a key of the inventory, ``where`` its place in the list."""

    asset: str
    entry: Entry
    where: str


class Problem(msgspec.Struct, frozen=True):
    """A record that was left out: its place (``line 12``, ``components[3]``) and why."""

    where: str
    why: str


class SoftwareRecord(msgspec.Struct, frozen=True):
    """As in operations.software.models; ``asset`` is the key of the asset."""

    id: int
    asset: str
    vendor: str
    product: str
    release: str
    scheme: str
    cpe: str
    source: str
    first_seen: str
    last_seen: str
    changed_by: str
    version: int


class Taken(msgspec.Struct, frozen=True):
    """What an import did: entries made, seen again, removed because the list is whole and lacks them, left out."""

    made: int = 0
    seen: int = 0
    removed: int = 0
    problems: list[Problem] = []
