"""The query language for people: ``process.name:powershell.exe AND destination.ip:10.0.0.0/8 AND NOT user.name:svc_*``.

:func:`parse_query` gives a frozen tree; the event stores translate it, :func:`matches` defines what it means.
"""

from __future__ import annotations

from kernel.query.matcher import matches
from kernel.query.parser import parse_query
from kernel.query.tree import Query

__all__ = ["Query", "matches", "parse_query"]
