"""The scales of GB/T 32924 and the level that its matrix gives.

A level follows from two factors: how important the protected object is, and how much harm it may suffer. The matrix is data of the
site (settings); this file knows its shape only.
"""

from __future__ import annotations

from collections.abc import Mapping

LEVELS: tuple[str, ...] = ("blue", "yellow", "orange", "red")
"""Lowest first: Ⅳ 蓝, Ⅲ 黄, Ⅱ 橙, Ⅰ 红."""

IMPORTANCE: tuple[str, ...] = ("general", "important", "special")
"""一般, 重要, 特别重要."""

HARM: tuple[str, ...] = ("general", "large", "severe", "extreme")
"""一般, 较大, 严重, 特别严重."""

Matrix = Mapping[str, Mapping[str, str]]

ALERT_LEVELS: dict[str, str] = {"blue": "low", "yellow": "medium", "orange": "high", "red": "critical"}
"""The alert level that a warning counts as for webhooks, which are filtered by one."""


def level_of(matrix: Matrix, importance: str, harm: str) -> str:
    """The level of a cell. Raises KeyError for what the scales do not know."""
    return matrix[importance][harm]


def importance_of(marks: int) -> str:
    """The importance of a zone or asset (1 to 5 in the zone plan) on this scale."""
    return "special" if marks >= 5 else "important" if marks >= 3 else "general"


def harm_of(alert_level: str, zones: int = 1) -> str:
    """A proposal from the level of an alert; one degree more where it came up in five zones or more."""
    degree = {"critical": 2, "high": 1}.get(alert_level, 0) + (zones >= 5)
    return HARM[min(degree, len(HARM) - 1)]
