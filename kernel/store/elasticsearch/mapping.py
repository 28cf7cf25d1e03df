"""The index templates: what the server is told about documents before the first one comes.

* ``<prefix>-settings-<namespace>`` and ``<prefix>-mappings-<namespace>``: component templates;
* ``<prefix>-events-<namespace>``: the composable template of the data stream with that name, which the first write makes;
* ``<prefix>-quarantine-<namespace>`` and ``<prefix>-state-<namespace>``: two small indices.

Every keyword that rules or people search has a lower-case normalizer: Sigma compares without regard to case, and with a plain
``keyword`` half of its hits vanish without a word. ``subobjects: false`` keeps dotted names apart. The templates carry a
fingerprint, so that a new version of Liandun puts its own once and rolls the data stream over.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import orjson

from kernel.config import StoreElasticsearch
from kernel.ecs_fields import FIELD_TYPES
from kernel.store.elasticsearch.fields import (
    AS_WRITTEN,
    ASIDE,
    FOLDED,
    KEY,
    LONGEST,
    MOMENT,
    MOST_DYNAMIC,
    NO_VALUES,
    SEQUENCE,
    TERMS,
    VALUES,
    kind_of,
)

PRIORITY = 500
"""Above Elastic's own templates (100 to 200)."""

_NORMALIZER = "lowercase"  # built into every server
_WRITTEN = {AS_WRITTEN[1:]: {"type": "keyword", "index": False, "ignore_above": LONGEST}}
_FOLDED_TEXT = {"type": "keyword", "normalizer": _NORMALIZER, "ignore_above": LONGEST}
_HIDDEN = {"type": "keyword", "index": False, "doc_values": False}


class Names(msgspec.Struct, frozen=True):
    """What the parts of one store are called on the server."""

    prefix: str
    namespace: str

    def of(self, part: str) -> str:
        """``liandun-<part>-<namespace>``"""
        return f"{self.prefix}-{part}-{self.namespace}"

    @property
    def events(self) -> str:
        return self.of("events")

    @property
    def quarantine(self) -> str:
        return self.of("quarantine")

    @property
    def state(self) -> str:
        return self.of("state")


def components(names: Names, settings: StoreElasticsearch, lifecycle: str) -> dict[str, dict[str, Any]]:
    """Component templates by name. ``lifecycle``: name of an ILM policy, "" where there is none."""
    return {
        names.of("settings"): {"template": {"settings": _settings(settings) | _event_settings(lifecycle)}},
        names.of("mappings"): {"template": {"mappings": _mappings()}},
    }


def templates(names: Names, settings: StoreElasticsearch) -> dict[str, dict[str, Any]]:
    """Composable index templates by name; that of the events, which tells whether they are current, is the last."""
    return {
        names.quarantine: {
            "index_patterns": [names.quarantine],
            "priority": PRIORITY,
            "template": {"settings": _settings(settings), "mappings": _quarantine_mappings()},
        },
        names.state: {
            "index_patterns": [names.state],
            "priority": PRIORITY,
            "template": {
                "settings": _settings(settings) | {"index.number_of_shards": 1, "index.refresh_interval": "-1"},
                "mappings": {"enabled": False},
            },
        },
        names.events: {
            "index_patterns": [names.events],
            "priority": PRIORITY,
            "data_stream": {},
            "composed_of": [names.of("settings"), names.of("mappings")],
        },
    }


def fingerprint(*parts: dict[str, dict[str, Any]]) -> str:
    """Changes whenever a template does."""
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _settings(settings: StoreElasticsearch) -> dict[str, Any]:
    found: dict[str, Any] = {"index.number_of_shards": settings.shards, "index.codec": "best_compression"}
    if settings.replicas < 0:
        found["index.auto_expand_replicas"] = "0-1"  # one as soon as there is a second node to hold it
    else:
        found["index.number_of_replicas"] = settings.replicas
    return found


def _event_settings(lifecycle: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "index.mode": "standard",  # logsdb would rebuild _source from fields: the event would not come back as it was
        "index.mapping.total_fields.limit": 4 * len(FIELD_TYPES) + 2 * MOST_DYNAMIC + 500,
        "index.max_regex_length": 32_000,
        "index.max_result_window": 10_000,
    }
    return found | ({"index.lifecycle.name": lifecycle} if lifecycle else {})


def _mappings() -> dict[str, Any]:
    properties = {field: _native(field) for field in FIELD_TYPES}
    properties |= {
        SEQUENCE: {"type": "long"},
        MOMENT: {"type": "long"},
        KEY: {"type": "keyword", "index": False},
        TERMS: {"type": "keyword", "doc_values": False},
        VALUES: {"type": "keyword", "index": False},
        ASIDE: _HIDDEN,
    }
    return {
        "subobjects": False,
        "date_detection": False,
        "numeric_detection": False,
        "dynamic_templates": [{"folded": {"match_mapping_type": "*", "mapping": _keyword()}}],
        "properties": properties,
    }


def _keyword() -> dict[str, Any]:
    return {**_FOLDED_TEXT, "fields": _WRITTEN}


def _native(field: str) -> dict[str, Any]:
    kind = kind_of(field)
    if kind == "moment":
        return {"type": "date_nanos"}
    if kind == "boolean":
        return {"type": "boolean"}
    if kind == "date":
        return {"type": "date_nanos", "fields": {FOLDED[1:]: _FOLDED_TEXT}}
    if kind == "long":
        return {"type": "long", "coerce": False, "fields": {FOLDED[1:]: _FOLDED_TEXT | {"doc_values": False}}}
    if kind == "ip":
        return {"type": "ip", "fields": {FOLDED[1:]: _FOLDED_TEXT, **_WRITTEN}}
    return _FOLDED_TEXT | {"doc_values": False} if field in NO_VALUES else _keyword()


def _quarantine_mappings() -> dict[str, Any]:
    keyword = {"type": "keyword", "ignore_above": 8_000}
    return {
        "dynamic": False,
        "properties": {
            "id": {"type": "keyword", "index": False},
            "time": keyword,
            "source": keyword,
            "origin": keyword,
            "reason": {"type": "keyword", "index": False, "doc_values": False},
            "raw": {"type": "binary"},
            "sequence": {"type": "long"},
        },
    }


def lifecycle_policy() -> dict[str, Any]:
    """ILM where the server has it: rolls over and merges. It never deletes: that is retention's, which knows the law."""
    return {
        "phases": {
            "hot": {
                "actions": {"rollover": {"max_age": "1d", "max_primary_shard_size": "40gb"}, "set_priority": {"priority": 100}}
            },
            "warm": {"min_age": "1d", "actions": {"forcemerge": {"max_num_segments": 1}, "set_priority": {"priority": 50}}},
        }
    }
