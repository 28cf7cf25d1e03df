"""Which fields are typed columns of a segment; everything else goes as JSON into the column ``rest``.

A keyword, ip or date column is text; a list of texts is stored as ``\\x1f`` + the elements joined by ``\\x1f`` (such fields are
named in the segment's :class:`Layout`). A value that fits neither (a number in a keyword field, an empty list) stays in
``rest`` under the field's own name; those fields are named in the layout too. So a query looks into ``rest`` for a core field
only where it must.

The set of columns has grown and may grow again: a segment's ``format`` says with which it was written. In an older segment the
fields that became columns later have their values in ``rest`` (:func:`kernel.store.lake.source.layout_of`), its missing columns
read as null (:func:`kernel.store.lake.packing.selection`), and compaction writes it anew in the present format.
"""

from __future__ import annotations

import msgspec
import pyarrow as pa

from kernel.ecs_fields import FIELD_TYPES

SEPARATOR = "\x1f"
REST = "rest"

CORE: tuple[str, ...] = (
    "@timestamp",
    "event.id",
    "event.ingested",
    "event.kind",
    "event.category",
    "event.type",
    "event.action",
    "event.outcome",
    "event.code",
    "event.provider",
    "event.dataset",
    "event.module",
    "event.severity",
    "event.original",
    "message",
    "tags",
    "host.name",
    "host.hostname",
    "host.ip",
    "host.os.type",
    "observer.name",
    "observer.vendor",
    "observer.product",
    "source.ip",
    "source.port",
    "source.bytes",
    "source.packets",
    "source.domain",
    "source.zone",
    "destination.ip",
    "destination.port",
    "destination.bytes",
    "destination.packets",
    "destination.domain",
    "destination.zone",
    "network.transport",
    "network.protocol",
    "network.direction",
    "network.bytes",
    "network.community_id",
    "user.name",
    "user.id",
    "user.domain",
    "user.target.name",
    "process.name",
    "process.executable",
    "process.command_line",
    "process.pid",
    "process.entity_id",
    "process.hash.md5",
    "process.hash.sha256",
    "process.pe.original_file_name",
    "process.parent.name",
    "process.parent.executable",
    "process.parent.command_line",
    "process.parent.pid",
    "file.path",
    "file.name",
    "file.hash.sha256",
    "registry.path",
    "service.name",
    "dll.path",
    "dns.question.name",
    "dns.question.type",
    "dns.response_code",
    "dns.resolved_ip",
    "http.request.method",
    "http.response.status_code",
    "url.original",
    "url.full",
    "url.domain",
    "url.path",
    "url.query",
    "user_agent.original",
    "tls.client.server_name",
    "tls.client.ja3",
    "tls.client.ja4",
    "rule.id",
    "rule.name",
    "log.level",
    "related.ip",
    "winlog.channel",
    "winlog.event_id",
    "winlog.provider_name",
    "winlog.record_id",
    "winlog.computer_name",
    "zone.crossing",
    "zone.verdict",
    "zone.conduit",
    "zone.service",
    "host.zone",
    "source.asset.id",
    "destination.asset.id",
    "host.asset.id",
)
CORE_SET = frozenset(CORE)

FORMAT = 2
"""What is written today. 1: without the columns below, without a skip index, not packed (:mod:`.packing`)."""
_SINCE: dict[int, frozenset[str]] = {
    2: frozenset(
        {
            "zone.crossing",
            "zone.verdict",
            "zone.conduit",
            "zone.service",
            "host.zone",
            "source.asset.id",
            "destination.asset.id",
            "host.asset.id",
        }
    )
}
"""Format → the columns that came with it."""

ADDRESS_COLUMNS: tuple[str, ...] = ("source.ip", "destination.ip")
"""IP fields with number columns beside the text: ``#4`` the IPv4 address as u32, ``#6`` the IPv6 address as 32 hex digits."""


def v4_column(field: str) -> str:
    """Name of the u32 column of an address field."""
    return field + "#4"


def v6_column(field: str) -> str:
    """Name of the hex column of an address field."""
    return field + "#6"


LONG_COLUMNS = frozenset(field for field in CORE if FIELD_TYPES.get(field) == "long")
TEXT_COLUMNS = CORE_SET - LONG_COLUMNS - {"@timestamp"}

LIST_FIELDS: tuple[str, ...] = (
    "@timestamp",
    "event.id",
    "event.dataset",
    "event.action",
    "host.name",
    "user.name",
    "source.ip",
    "destination.ip",
    "destination.port",
    "process.name",
    "process.command_line",
    "message",
)
"""What a table of hits shows when nobody asks for other fields: at most twelve columns are read."""


def _schema() -> pa.Schema:
    fields = []
    for name in CORE:
        kind = pa.timestamp("us") if name == "@timestamp" else pa.int64() if name in LONG_COLUMNS else pa.string()
        fields.append(pa.field(name, kind))
        if name in ADDRESS_COLUMNS:
            fields += [pa.field(v4_column(name), pa.uint32()), pa.field(v6_column(name), pa.string())]
    return pa.schema([*fields, pa.field(REST, pa.string())])


SCHEMA: pa.Schema = _schema()


_PLAIN = frozenset(
    {
        "@timestamp",
        "event.id",
        "event.ingested",
        "event.original",
        "message",
        "network.community_id",
        "process.command_line",
        "process.entity_id",
        "process.parent.command_line",
        "related.ip",
        "source.ip",
        "url.original",
        "url.full",
        "url.path",
        "url.query",
        "winlog.record_id",
        REST,
    }
)
DICTIONARY_COLUMNS = [name for name in SCHEMA.names if name not in _PLAIN]
"""Columns whose values repeat within a row group."""
ENCODINGS = {
    name: "DELTA_BINARY_PACKED" if name == "@timestamp" else "DELTA_LENGTH_BYTE_ARRAY" for name in SCHEMA.names if name in _PLAIN
}
"""Parquet encodings of the others: lengths apart from texts make 16.7 bytes of the 32 hex digits of an id."""


def quoted(name: str) -> str:
    """A column name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def lacking(format_: int) -> frozenset[str]:
    """The columns that segments of a format do not have yet."""
    return frozenset().union(*(fields for since, fields in _SINCE.items() if since > format_))


class Layout(msgspec.Struct, frozen=True):
    """What a reader must know about some segments: core fields that hold lists, and core fields with values in ``rest``."""

    multi: frozenset[str] = frozenset()
    spill: frozenset[str] = frozenset()

    def __or__(self, other: Layout) -> Layout:
        return Layout(self.multi | other.multi, self.spill | other.spill)
