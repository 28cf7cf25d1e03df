"""All probes, found by where their files stand: ``compliance/probes/SOURCE/NAME.py`` with a ``PROBE``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from pathlib import Path
from typing import get_args

from compliance.probes.contract import Probe, Source

FOLDER = Path(__file__).parent


@lru_cache(maxsize=1)
def probes() -> dict[str, Probe]:
    """By id, in the order of sources and ids. Raises ValueError where a file has no probe, or two have one id."""
    found: dict[str, Probe] = {}
    for source in get_args(Source):
        for probe in sorted(_in(source), key=lambda one: one.id):
            if probe.id in found:
                raise ValueError(f"two probes are called {probe.id}")
            found[probe.id] = probe
    return found


def of_source(source: Source) -> list[Probe]:
    """The probes for one kind of source."""
    return [probe for probe in probes().values() if probe.source == source]


def _in(source: str) -> list[Probe]:
    probes = []
    for module in pkgutil.iter_modules([str(FOLDER / source)]):
        probe = importlib.import_module(f"compliance.probes.{source}.{module.name}").PROBE
        if not isinstance(probe, Probe) or probe.source != source:
            raise ValueError(f"compliance/probes/{source}/{module.name}.py has no probe for {source}")
        probes.append(probe)
    return probes
