"""The shelf: reading it, saving and releasing versions, starting runs.

This is the door of the room; the work is done in ``saving``, ``releasing``, ``reading``, ``installing``, ``starting`` and
``difference``. What a start is filled in with is in ``prefill``.
"""

from __future__ import annotations

from playbooks.shelf.difference import difference
from playbooks.shelf.installing import install_library
from playbooks.shelf.known import problems_of
from playbooks.shelf.prefill import facts_of, start_form
from playbooks.shelf.reading import callers, document, export, get, labels, listing, startable, version, versions
from playbooks.shelf.releasing import release, set_enabled
from playbooks.shelf.saving import new_id, save, stamped
from playbooks.shelf.starting import start

__all__ = [
    "callers",
    "difference",
    "document",
    "export",
    "facts_of",
    "get",
    "install_library",
    "labels",
    "listing",
    "new_id",
    "problems_of",
    "release",
    "save",
    "set_enabled",
    "stamped",
    "start",
    "start_form",
    "startable",
    "version",
    "versions",
]
