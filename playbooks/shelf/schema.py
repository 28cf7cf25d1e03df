"""Records of the shelf as other rooms see them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from playbooks.problems import Problem


class Shelved(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook on the shelf (models.ShelfPlaybook)."""

    playbook_id: str
    name: str
    names: dict[str, str]
    labels: list[str]
    origin: str
    enabled: bool
    released: int | None
    newest: int
    revision: int
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str

    @property
    def startable(self) -> bool:
        """Whether it can be started: it is switched on, and a version is in force."""
        return self.enabled and self.released is not None

    def named(self, language: str) -> str:
        """Its name in ``language`` ("en", "zh"); in its own language where it has none."""
        return self.names.get(language, self.name)


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a playbook (models.PlaybookVersion). ``problems``: errors first."""

    playbook_id: str
    number: int
    digest: str
    modified: str
    origin: str
    runnable: bool
    problems: list[Problem]
    calls: list[str]
    note: str
    created_at: str
    created_by: str
    released_at: str
    released_by: str


class VersionPage(msgspec.Struct, frozen=True):
    """Newest first; ``cursor`` fetches the next page ("" at the end)."""

    versions: list[Version]
    cursor: str = ""


class ShelfFilter(msgspec.Struct, frozen=True):
    """Which playbooks. Fields narrow each other; empty means any.

    text   stands in the name or in one of its translations
    label  one of its labels
    origin one of models.ORIGINS
    state  ``released``, ``draft`` (nothing in force) or ``disabled``
    """

    text: str = ""
    label: str = ""
    origin: str = ""
    state: str = ""


STATES: tuple[str, ...] = ("released", "draft", "disabled")


class ShelfPage(msgspec.Struct, frozen=True):
    """One page by name; ``cursor`` fetches the next ("" at the end)."""

    playbooks: list[Shelved]
    cursor: str = ""


class Change(msgspec.Struct, frozen=True):
    """One difference between two documents.

    path  where, as problems name places: ``workflow.action--….commands[0].command``
    step  id of the step around it, "" outside of steps; ``step_name`` its name, for people
    old   the value before; None for what was added, as ``new`` is for what was removed
    """

    kind: Literal["added", "removed", "changed"]
    path: str
    step: str = ""
    step_name: str = ""
    old: Any = None
    new: Any = None


class Field(msgspec.Struct, frozen=True):
    """A value that a start asks for: an external variable. ``value`` None = not known; ``needed``: it cannot start without."""

    name: str
    type: str
    value: str | None
    description: str = ""
    needed: bool = False
