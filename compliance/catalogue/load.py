"""The catalogue as it ships, with what people have confirmed of it (``use``), or with another file in place of one of its own.

Read once. The digest of what is given out names the version of the data, confirmations included.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from compliance.catalogue.confirmed import Confirmed, in_crypto, in_guide, in_requirements
from compliance.catalogue.model import (
    CryptoRequirements,
    Extension,
    HighRiskGuide,
    Probe,
    Reference,
    Requirements,
)
from crypto.sm3 import sm3
from kernel.errors import LiandunError
from kernel.yaml_nesting import refuse_deep

FOLDER = Path(__file__).parent
GUIDES = (2020, 2025)
MOST_OCTETS = 4 << 20
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_T = TypeVar("_T")


class CatalogueError(LiandunError):
    """A catalogue file cannot be read or contradicts itself."""


class _Extensions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    standard: str
    level: int
    extensions: tuple[Extension, ...]
    reference: tuple[Reference, ...]


class _Probes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    probes: tuple[Probe, ...]


_in_use: tuple[Confirmed, ...] = ()


def use(entries: tuple[Confirmed, ...]) -> None:
    """From now on this process gives the catalogue out with ``entries`` laid over it (compliance.confirmations)."""
    global _in_use
    _in_use = entries


def requirements() -> Requirements:
    """GB/T 22239-2019 level 3: general requirements, extensions and the big-data reference."""
    return _requirements(_in_use)


@lru_cache(maxsize=2)
def _requirements(entries: tuple[Confirmed, ...]) -> Requirements:
    general, more = FOLDER / "gbt22239-level3.yaml", FOLDER / "gbt22239-level3-extensions.yaml"
    if not entries:
        return put_together(general, more)
    whole = in_requirements(_requirements(()), entries)
    return msgspec.structs.replace(whole, digest=_digest(msgspec.structs.replace(whole, digest="")))


def put_together(general: Path, more: Path) -> Requirements:
    """Requirements of two files of the shape of ours. Raises CatalogueError."""
    found = read_data(general, Requirements)
    added = read_data(more, _Extensions)
    whole = msgspec.structs.replace(found, extensions=added.extensions, reference=added.reference)
    seen: set[str] = set()
    for placed in whole.placed():
        if placed.item.id in seen:
            raise CatalogueError(f"the item {placed.item.id} is there twice", "clause ids are keys")
        seen.add(placed.item.id)
    return msgspec.structs.replace(whole, digest=_digest(whole))


def crypto_requirements() -> CryptoRequirements:
    """GB/T 39786-2021 level 3."""
    return _crypto_requirements(_in_use)


@lru_cache(maxsize=2)
def _crypto_requirements(entries: tuple[Confirmed, ...]) -> CryptoRequirements:
    found = in_crypto(read_data(FOLDER / "gbt39786-level3.yaml", CryptoRequirements), entries)
    return msgspec.structs.replace(found, digest=_digest(found))


def high_risk_guide(year: int = 2025) -> HighRiskGuide:
    """The guide of 2025 (trial), or T/ISEAA 001-2020 for reports by the templates before it. Raises CatalogueError."""
    if year not in GUIDES:
        raise CatalogueError(f"there is no guide of {year}", "2020 or 2025")
    return _high_risk_guide(year, _in_use)


@lru_cache(maxsize=4)
def _high_risk_guide(year: int, entries: tuple[Confirmed, ...]) -> HighRiskGuide:
    return in_guide(read_data(FOLDER / f"high-risk-{year}.yaml", HighRiskGuide), entries)


def as_shipped() -> tuple[Requirements, CryptoRequirements, tuple[HighRiskGuide, ...]]:
    """All of it without what people have confirmed."""
    return _requirements(()), _crypto_requirements(()), tuple(_high_risk_guide(year, ()) for year in GUIDES)


@lru_cache(maxsize=1)
def probes() -> dict[str, Probe]:
    """Ways to gather evidence by id."""
    return {probe.id: probe for probe in read_data(FOLDER / "probes.yaml", _Probes).probes}


def _digest(whole: Any) -> str:
    return sm3(msgspec.json.encode(whole, order="deterministic")).hex()


def read_data(path: Path, kind: type[_T]) -> _T:
    """A YAML file of the catalogue. Raises CatalogueError that names it."""
    try:
        with path.open("rb") as opened:
            octets = opened.read(MOST_OCTETS + 1)
        if len(octets) > MOST_OCTETS:
            raise CatalogueError(f"{path} is larger than {MOST_OCTETS >> 20} MiB (limit)")
        text = octets.decode("utf-8")
        refuse_deep(text, _LOADER)
        return msgspec.convert(yaml.load(text, _LOADER), kind)  # noqa: S506 a safe loader
    except OSError as error:
        raise CatalogueError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, msgspec.ValidationError, RecursionError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path}: {' '.join(str(error).split())[:300]}") from error
