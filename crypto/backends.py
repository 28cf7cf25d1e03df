"""Choosing a back end: the first one here that gives the known answers, or the one that the operator forces."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

from crypto.errors import BackendError

Engine = TypeVar("Engine")


def choose(what: str, variable: str, candidates: Mapping[str, Callable[[], Engine]], probe: Callable[[str], Engine]) -> Engine:
    """``probe`` makes and tests the candidate of a name and raises BackendError; ``variable`` of the environment forces one."""
    forced = os.environ.get(variable, "")
    if forced:
        if forced not in candidates:
            raise BackendError(f"{variable}={forced}: there are {', '.join(candidates)}")
        return probe(forced)
    for name in candidates:
        try:
            return probe(name)
        except BackendError:
            continue
    raise BackendError(f"no {what} back end gives the known answers; run: ./liandun crypto selftest")
