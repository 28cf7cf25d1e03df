"""The indicators in force as one file: SQLite with the values, and within it a filter for what is surely none of them.

Nearly every value of every event is no indicator, so what decides the cost is how quickly a "no" is found: one CRC and one bit.
The filter has 64 bits a value, so that one look in about 64 comes to the table in vain. It is public how it is made: whoever
crafts values can make looks in vain, never hide one. Networks are disjoint intervals in order, the narrowest network of each.
"""

from __future__ import annotations

import ipaddress
import os
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from zlib import crc32

import msgspec

from kernel.replaced_file import ReplacedFile
from kernel.zones.addresses import bounds, number

ADDRESS, DOMAIN, URL, HASH, EMAIL = 1, 2, 3, 4, 5
FAMILIES: dict[str, int] = {"address": ADDRESS, "domain": DOMAIN, "url": URL, "hash": HASH, "email": EMAIL}
"""Kind → the family in which it is looked up; it is also what the CRC starts with."""
_BITS_EACH, _LEAST_BITS, _MOST_BITS = 64, 1 << 16, 1 << 29


class Indicator(msgspec.Struct, frozen=True):
    """One value in force. ``valid_until`` @timestamp text; ``confidence`` 0 to 100; ``origin`` who says so."""

    id: int
    kind: str
    value: str
    confidence: int
    origin: str
    tlp: str = ""
    note: str = ""
    reference: str = ""
    valid_until: str = ""


class _Interval(msgspec.Struct, frozen=True):
    low: int
    high: int
    indicator: Indicator


def write_index(path: Path, revision: str, indicators: Iterable[Indicator]) -> int:
    """Replace the file in one step; returns how many values it holds. Of one value the last given counts. Raises OSError."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        with sqlite3.connect(temporary, isolation_level=None) as file:
            count = _write(file, revision, indicators)
        file.close()
        temporary.replace(path)
    except sqlite3.Error as error:
        raise OSError(f"{path}: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return count


def _write(file: sqlite3.Connection, revision: str, indicators: Iterable[Indicator]) -> int:
    file.executescript(
        "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA page_size=4096;"
        "CREATE TABLE facts (revision TEXT, bits BLOB);"
        "CREATE TABLE exact (family INTEGER, value TEXT, packed BLOB, PRIMARY KEY (family, value)) WITHOUT ROWID;"
        "CREATE TABLE networks (packed BLOB);"
    )
    file.execute("BEGIN")
    for one in indicators:
        packed = msgspec.msgpack.encode(one)
        if one.kind == "network":
            file.execute("INSERT INTO networks VALUES (?)", (packed,))
        else:
            file.execute("INSERT OR REPLACE INTO exact VALUES (?, ?, ?)", (FAMILIES[one.kind], one.value, packed))
    (exact,) = file.execute("SELECT count(*) FROM exact").fetchone()
    (networks,) = file.execute("SELECT count(*) FROM networks").fetchone()
    size = _LEAST_BITS
    while size < min(exact * _BITS_EACH, _MOST_BITS):
        size <<= 1
    bits, mask = bytearray(size // 8), size - 1
    for family, value in file.execute("SELECT family, value FROM exact"):
        place = crc32(value.encode("utf-8", "replace"), family) & mask
        bits[place >> 3] |= 1 << (place & 7)
    file.execute("INSERT INTO facts VALUES (?, ?)", (revision, bytes(bits)))
    file.execute("COMMIT")
    return int(exact) + int(networks)


class Index:
    """A file of :func:`write_index`; without a path nothing is an indicator."""

    def __init__(self, path: Path | None = None) -> None:
        """Raises OSError where the file cannot be read."""
        self.revision, self._bits, self._file = "", bytes(1), None
        intervals: list[_Interval] = []
        if path is not None:
            try:
                self._file = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
                self.revision, self._bits = self._file.execute("SELECT revision, bits FROM facts").fetchone()
                packed = self._file.execute("SELECT packed FROM networks").fetchall()
                intervals = list(_disjoint(msgspec.msgpack.decode(one, type=Indicator) for (one,) in packed))
            except (sqlite3.Error, msgspec.DecodeError, TypeError) as error:
                raise OSError(f"{path}: {error}") from error
        self._mask = len(self._bits) * 8 - 1
        self._intervals = intervals
        self._lows = [one.low for one in intervals]

    def __bool__(self) -> bool:
        return self._file is not None

    def may_hold(self, family: int, value: str) -> bool:
        """False: it is surely none. The quick look that nearly every value of an event ends with."""
        place = crc32(value.encode("utf-8", "replace"), family) & self._mask
        return self._bits[place >> 3] >> (place & 7) & 1 == 1

    def find(self, family: int, value: str) -> Indicator | None:
        """The indicator of exactly this value. Raises OSError."""
        if self._file is None or not self.may_hold(family, value):
            return None
        try:
            row = self._file.execute("SELECT packed FROM exact WHERE family = ? AND value = ?", (family, value)).fetchone()
        except (sqlite3.Error, UnicodeError) as error:
            raise OSError(str(error)) from error
        return msgspec.msgpack.decode(row[0], type=Indicator) if row else None

    def find_domain(self, name: str) -> Indicator | None:
        """The indicator of this name (lower case, no dot at the end), or the nearest ``*.`` above it."""
        if found := self.find(DOMAIN, name) or self.find(DOMAIN, f"*.{name}"):
            return found
        place = name.find(".")
        while place > 0:
            if found := self.find(DOMAIN, f"*{name[place:]}"):
                return found
            place = name.find(".", place + 1)
        return None

    def find_address(self, text: str) -> Indicator | None:
        """The indicator of this address, or of the narrowest network it lies in."""
        if found := self.find(ADDRESS, text):
            return found
        if not self._intervals:
            return None
        return self._network_of(text)

    def _network_of(self, text: str) -> Indicator | None:
        value = number(text)
        place = bisect_right(self._lows, value) - 1 if value is not None else -1
        if place >= 0 and value is not None and value <= self._intervals[place].high:
            return self._intervals[place].indicator
        return None


class IndexSource:
    """Calling it gives the index in force, an empty one while there is no file."""

    def __init__(self, path: Path) -> None:
        self._file = ReplacedFile(path, Index, Index(), "the indicators")

    def __call__(self) -> Index:
        """The newest readable index."""
        return self._file()

    @property
    def revision(self) -> str:
        """Of the index in force, "" = there is none."""
        return self._file.present.revision


def _disjoint(indicators: Iterable[Indicator]) -> Iterator[_Interval]:
    """Networks as intervals that do not overlap, in order; where they lie in each other the narrowest counts."""
    spans = []
    for one in indicators:
        spans.append(_Interval(*bounds(ipaddress.ip_network(one.value)), one))
    spans.sort(key=lambda span: (span.low, -span.high))
    around: list[_Interval] = []  # the networks that the place we are at lies in, widest first
    place = 0
    for span in [*spans, None]:
        while around and (span is None or around[-1].high < span.low):
            ended = around.pop()
            if place <= ended.high:
                yield _Interval(place, ended.high, ended.indicator)
                place = ended.high + 1
        if span is None:
            return
        if around and place < span.low:
            yield _Interval(place, span.low - 1, around[-1].indicator)
        place = span.low
        around.append(span)
