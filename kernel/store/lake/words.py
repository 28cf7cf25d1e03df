"""Words: what texts consist of, for looking up rows by a word (:mod:`.wordindex`).

A word is a longest run of letters, digits, ``.``, ``_``, ``-`` and characters beyond ASCII in folded text. So host names, accounts
and domains are one word each, and a run of Chinese is one. A literal that consists of such characters occurs in a text if and only
if it occurs in one of its words; of another literal each piece does.

Only words that hold four bytes in a row that are no digits can be looked up: of numbers, addresses and hashes nearly every event
has some of its own, which no list of rows is worth.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from kernel.query.text import fold

LEAST = 4
"""Bytes in a row without a digit that a word needs."""

_KEPT = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789._-") | frozenset(range(0x80, 0x100))
_PARTED = bytes(code if code in _KEPT else 0x20 for code in bytes(range(0x100)).lower())
"""Lower case, and a blank for all that no word has."""
_WITHOUT_DIGITS = bytes(0x20 if chr(code) in "0123456789" else code for code in range(0x100))
_SAYING = re.compile(rb"[^0-9]{%d}" % LEAST)


class Literal(msgspec.Struct, frozen=True):
    """What of a literal can be looked up. ``whole``: it is one piece; a text has it if and only if one of its words has."""

    pieces: tuple[bytes, ...]
    whole: bool


def literal_of(text: str) -> Literal:
    """The pieces of a text that is looked for."""
    content = fold(text).encode("utf-8", "surrogatepass")
    pieces = content.translate(_PARTED).split()
    said = tuple(dict.fromkeys(piece for piece in pieces if _SAYING.search(piece)))
    return Literal(said, said == (content,))


def runs_without_digits(words: bytes) -> list[bytes]:
    """The parts of words (parted by blanks) that say something; each once."""
    return [run for run in set(words.translate(_WITHOUT_DIGITS).split()) if len(run) >= LEAST]


def words_of(column: Any) -> tuple[Any, Any]:
    """The words of a string column of at most 65,536 rows that are long enough, as binary, and the row (u16) of each."""
    valid = pc.indices_nonzero(column.is_valid()).cast(pa.uint16())
    texts = _folded(column.drop_null())
    parted = pc.ascii_split_whitespace(texts)
    words, rows = parted.flatten(), valid.take(pc.list_parent_indices(parted))
    long = pc.greater_equal(pc.binary_length(words), LEAST)
    return words.filter(long).cast(pa.binary()), rows.filter(long)


def say_something(words: Any) -> Any:
    """Which words of a binary array can be looked up, as booleans."""
    return pc.match_substring_regex(words, _SAYING.pattern.decode())


def _folded(texts: Any) -> Any:
    """Folded, and blanks in place of all that no word has."""
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    plain = pc.string_is_ascii(array)
    if not pc.all(plain).as_py():
        array = pa.array([fold(text) for text in array.to_pylist()], pa.string())
    _, offsets, content = array.buffers()
    if content is None:
        return array
    parted = pa.py_buffer(bytes(content).translate(_PARTED))  # of the same length, so the offsets hold
    return pa.Array.from_buffers(pa.string(), len(array), [None, offsets, parted], offset=array.offset)
