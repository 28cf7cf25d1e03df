"""What an account on the server needs: the least privileges of the writer and of readers, as bodies for ``PUT _security/role/…``.

The worker role writes; ingest, console, ``liandun search`` read. One account with the writer's role serves for all.
"""

from __future__ import annotations

from typing import Any

from kernel.store.elasticsearch.mapping import Names


def writer_role(names: Names) -> dict[str, Any]:
    """``manage`` is for rollover, retention (deleting whole backing indices) and refresh.

    With ``manage_templates = false`` the cluster privileges may be ``monitor`` alone.
    """
    return {
        "cluster": ["monitor", "manage_index_templates", "manage_ilm"],
        "indices": [{"names": _indices(names), "privileges": ["read", "write", "create_index", "auto_configure", "manage"]}],
    }


def reader_role(names: Names) -> dict[str, Any]:
    """``maintenance`` allows the refresh that shows a commit at once; without it events show a second later."""
    return {
        "cluster": ["monitor"],
        "indices": [{"names": _indices(names), "privileges": ["read", "view_index_metadata", "monitor", "maintenance"]}],
    }


def _indices(names: Names) -> list[str]:
    return [names.events, names.quarantine, names.state]
