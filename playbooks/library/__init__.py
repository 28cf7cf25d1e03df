"""Our own playbooks, ready to run (docs/playbooks.md, The library): CACAO 2.0 in Chinese, with English beside it.

Five are building blocks that the others call. Every one names what it needs as external variables; nothing that destroys or
interrupts happens without a person's approval, and in OT zones people act, never a machine.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from playbooks.model import Playbook
from playbooks.reading import read

__all__ = ["load"]

BUILDING_BLOCK = "building-block"
"""Label of a playbook that others call."""


def load() -> list[Playbook]:
    """All of them, by the names of their files."""
    return list(_load())


@cache
def _load() -> tuple[Playbook, ...]:
    folder = files("playbooks.library")
    documents = sorted((one for one in folder.iterdir() if one.name.endswith(".json")), key=lambda one: one.name)
    return tuple(read(one.read_bytes()) for one in documents)
