"""What commands of the standard that only look (``elastic``, ``sigma``, ``yara``) are told beside the query or rule itself.

The standard has no place for it in the command, so it stands in our step extension (``playbooks.extension``), under the kind:

    "parameters": {"elastic": {"index": "logs-__site__:value"}}
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from playbooks.actions.parameter_base import AbsolutePath, Parameters

MOST_DOCUMENTS = 100
"""Documents that an Elasticsearch is asked for at once."""
MOST_HOURS = 8_784
"""A year."""


class ElasticParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``index``: names and patterns of indices, data streams and aliases, "" = all that the login may read. ``size``: documents
    that come back, beside their number."""

    index: Annotated[str, msgspec.Meta(max_length=500)] = ""
    call: Literal["search", "count"] = "search"
    size: Annotated[int, msgspec.Meta(ge=0, le=MOST_DOCUMENTS)] = 10


class SigmaParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Events of so many ``hours`` before ``until`` (a time with its zone, "" = now)."""

    hours: Annotated[int, msgspec.Meta(ge=1, le=MOST_HOURS)] = 24
    until: Annotated[str, msgspec.Meta(max_length=40)] = ""


class YaraParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is scanned: ``paths`` of the target (files, and folders with all below them; empty ones are left out), and what is
    sealed as evidence of ``incident``: the pieces with these numbers (0 = none), or all of them where no number is named."""

    paths: Annotated[list[AbsolutePath], msgspec.Meta(max_length=64)] = []
    incident: Annotated[int, msgspec.Meta(ge=0)] = 0
    evidence: Annotated[list[Annotated[int, msgspec.Meta(ge=0)]], msgspec.Meta(max_length=100)] = []
