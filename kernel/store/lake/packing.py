"""What one column of a segment says already, another need not say again.

The raw record is most of the bytes of an event, and much of it is the fields: a parser took them from there. Parquet compresses
each column by itself, so it cannot see that. Inside a file, therefore:

* an address whose text is the usual form of its number has no text (``source.ip`` null beside ``source.ip#4``),
* ``related.ip`` that lists source and destination, and ``url.original`` that is path and query, are marks (``\\x1d`` + digit),
* in ``event.original`` the first occurrence of a few long fields is a mark (``\\x1e`` + digit).

A text that has such a mark of its own accord stands behind ``\\x1d0`` or ``\\x1e0``. :func:`packed` is applied when a segment is
written, :data:`UNPACKED` when SQL reads it; nothing else in the lake knows of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from kernel.store.lake.columns import ADDRESS_COLUMNS, REST, SCHEMA, SEPARATOR, lacking, quoted, v4_column

PACKED_SINCE = 2
"""The first segment format whose files are packed."""

_MARK = "\x1d"
_QUOTE = "\x1e"
_AS_IT_IS = "\x1e0"
_QUOTED: tuple[tuple[str, bool], ...] = (
    ("network.community_id", False),
    ("url.original", False),
    ("process.command_line", True),
    ("process.entity_id", True),
    ("process.parent.command_line", True),
)
"""Fields that are marks in ``event.original``, and whether they stand there as in JSON text. Their order is the digit, from 1."""

_SHORTEST = 8


def packed(table: Any) -> Any:
    """The table as it is written: same columns, same rows."""
    columns = {"event.original": _packed_original(table), "url.original": _packed_url(table), "related.ip": _packed_related(table)}
    for field in ADDRESS_COLUMNS:
        columns[field] = _packed_address(table, field)
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def _dotted(numbers: Any) -> Any:
    """Text of u32 addresses."""
    octets = [
        pc.bit_wise_and(pc.shift_right(numbers, pa.scalar(shift, pa.uint32())), pa.scalar(255, pa.uint32())).cast(pa.string())
        for shift in (24, 16, 8, 0)
    ]
    return pc.binary_join_element_wise(*octets, ".")


def _packed_address(table: Any, field: str) -> Any:
    texts, numbers = table.column(field), table.column(v4_column(field))
    if numbers.null_count == len(numbers):
        return texts
    usual = pc.fill_null(pc.equal(texts, _dotted(numbers)), False)
    return pc.if_else(usual, pa.scalar(None, pa.string()), texts)


def _packed_related(table: Any) -> Any:
    texts = table.column("related.ip")
    if texts.null_count == len(texts):
        return texts
    source, destination = table.column("source.ip"), table.column("destination.ip")
    forms = ((destination, source), (source, destination), (source,))
    result = _escaped(texts)
    for digit, form in enumerate(forms, 1):
        same = pc.fill_null(pc.equal(texts, pc.binary_join_element_wise("", *form, SEPARATOR)), False)
        result = pc.if_else(same, f"{_MARK}{digit}", result)
    return result


def _packed_url(table: Any) -> Any:
    texts = table.column("url.original")
    if texts.null_count == len(texts):
        return texts
    joined = pc.binary_join_element_wise(table.column("url.path"), table.column("url.query"), "?")
    same = pc.fill_null(pc.equal(texts, joined), False)
    return pc.if_else(same, f"{_MARK}1", _escaped(texts))


def _escaped(texts: Any) -> Any:
    marked = pc.starts_with(texts, _MARK)
    if not pc.any(marked).as_py():
        return texts
    return pc.if_else(marked, pc.binary_join_element_wise(f"{_MARK}0", texts, ""), texts)


def _packed_original(table: Any) -> Any:
    column = table.column("event.original")
    if column.null_count == len(column):
        return column
    originals: list[str | None] = column.to_pylist()
    for row, original in enumerate(originals):
        if original is not None and _QUOTE in original:
            originals[row] = _AS_IT_IS + original
    for digit, (field, as_json) in enumerate(_QUOTED, 1):
        values = table.column(field)
        if values.null_count == len(values):
            continue
        mark = f"{_QUOTE}{digit}"
        rows = pc.indices_nonzero(values.is_valid()).to_pylist()
        for row, value in zip(rows, values.drop_null().to_pylist(), strict=True):
            original = originals[row]
            if original is None or len(value) < _SHORTEST or _QUOTE in value or original.startswith(_AS_IT_IS):
                continue
            if as_json and ("\\" in value or '"' in value):
                value = _in_json(value)
            if value is not None:
                originals[row] = original.replace(value, mark, 1)
    return pa.chunked_array([originals], pa.string())


def _in_json(text: str) -> str | None:
    """As SQL escapes it (:func:`_json_sql`); None for what JSON escapes otherwise."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped if orjson.dumps(text).decode()[1:-1] == escaped else None


def _json_sql(column: str) -> str:
    return f"""replace(replace({column}, '\\', '\\\\'), '"', '\\"')"""


def dotted(number: str) -> str:
    """The usual text of a u32 address, in SQL."""
    return " || '.' || ".join(f"CAST(({number} >> {shift}) & 255 AS VARCHAR)" for shift in (24, 16, 8, 0))


def unusual(field: str) -> str:
    """A further column of an address field: its text where its number does not tell it, else null (before packing: any text)."""
    return field + "#text"


def _unpacked_address(field: str) -> str:
    return f"coalesce({quoted(field)}, {dotted(quoted(v4_column(field)))})"


def _unpacked_related() -> str:
    source, destination = (_unpacked_address(field) for field in ("source.ip", "destination.ip"))
    return (
        f"""CASE WHEN NOT starts_with("related.ip", chr(29)) THEN "related.ip" """
        f"""WHEN "related.ip" = chr(29) || '1' THEN chr(31) || {destination} || chr(31) || {source} """
        f"""WHEN "related.ip" = chr(29) || '2' THEN chr(31) || {source} || chr(31) || {destination} """
        f"""WHEN "related.ip" = chr(29) || '3' THEN chr(31) || {source} ELSE substr("related.ip", 3) END"""
    )


def _unpacked_url() -> str:
    return (
        """CASE WHEN NOT starts_with("url.original", chr(29)) THEN "url.original" """
        """WHEN "url.original" = chr(29) || '1' THEN "url.path" || '?' || "url.query" ELSE substr("url.original", 3) END"""
    )


def _unpacked_original() -> str:
    text = '"event.original"'
    for digit, (field, as_json) in reversed(list(enumerate(_QUOTED, 1))):  # the mark that was set last goes first
        column = _unpacked_url() if field == "url.original" else quoted(field)
        text = f"replace({text}, chr(30) || '{digit}', coalesce({_json_sql(column) if as_json else column}, ''))"
    plain = """starts_with("event.original", chr(30) || '0')"""
    return (
        f"""CASE WHEN NOT contains("event.original", chr(30)) THEN "event.original" """
        f"""WHEN {plain} THEN substr("event.original", 3) ELSE {text} END"""
    )


UNPACKED: dict[str, str] = {
    "event.original": _unpacked_original(),
    "url.original": _unpacked_url(),
    "related.ip": _unpacked_related(),
    **{field: _unpacked_address(field) for field in ADDRESS_COLUMNS},
}
"""Column → the SQL of its true value, over the columns of a file."""


def named(statement: str) -> list[str]:
    """The columns of today's schema that a statement names, and ``rest``; all of them where there is no statement.

    (DuckDB would drop the others by itself, but it takes half a millisecond a file to plan them.)
    """
    columns = [name for name in SCHEMA.names if not statement or name == REST or quoted(name) in statement]
    return columns + [unusual(field) for field in ADDRESS_COLUMNS if quoted(unusual(field)) in statement]


def selection(format_: int, columns: Sequence[str]) -> str:
    """The true values of some columns (:func:`named`) as SQL over a file of a format."""
    missing = lacking(format_)
    unpacked = UNPACKED if format_ >= PACKED_SINCE else {}
    plain = {unusual(field): field for field in ADDRESS_COLUMNS}
    chosen = []
    for name in columns:
        true = "CAST(NULL AS VARCHAR)" if name in missing else unpacked.get(name) or quoted(plain.get(name, name))
        chosen.append(f"{true} AS {quoted(name)}")
    return ", ".join(chosen)
