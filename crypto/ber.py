"""BER of other programs as DER (ITU-T X.690 clauses 8 and 10): PKCS#7 and GB/T 35275 allow it around what is signed.

Taken: indefinite lengths, lengths that are longer than needed, octet and bit strings built of parts, sets in any order. Everything
else that DER forbids is still refused by who reads the result. Bounded in bytes, depth and number of values: no small message costs
much. What is DER comes back as it was. Content of octet strings (extensions of certificates) is not touched.
"""

from __future__ import annotations

from crypto.der import BIT_STRING, OCTET_STRING, SEQUENCE, encode
from crypto.errors import EncodingError

LARGEST = 1 << 24
"""Bytes of a message (16 MiB)."""
DEEPEST = 24
MOST_VALUES = 100_000
"""Values in one message, parts of strings counted."""

_CONSTRUCTED, _CLASS, _NUMBER = 0x20, 0xC0, 0x1F
_SET, _LONG_TAG, _INDEFINITE, _RESERVED = 0x31, 0x1F, 0x80, 0xFF
_STRINGS = {_CONSTRUCTED | OCTET_STRING: OCTET_STRING, _CONSTRUCTED | BIT_STRING: BIT_STRING}
_END = b"\0\0"


def to_der(octets: bytes, what: str) -> bytes:
    """The one value in ``octets``; ``what`` names it in errors. Raises EncodingError naming the byte."""
    if len(octets) > LARGEST:
        raise EncodingError(f"{what}: larger than {LARGEST} bytes")
    reader = _Ber(octets, what)
    tag, content, end = reader.value(0, len(octets), 0)
    if end != len(octets):
        raise EncodingError(f"{what}: {len(octets) - end} bytes too many")
    return encode(tag, content)


class _Ber:
    def __init__(self, octets: bytes, what: str) -> None:
        self._octets = octets
        self._what = what
        self._values = 0

    def value(self, at: int, limit: int, depth: int) -> tuple[int, bytes, int]:
        """Tag and content in DER of the value at ``at``, and where it ends."""
        self._values += 1
        if depth > DEEPEST or self._values > MOST_VALUES:
            raise self._wrong(f"nested deeper than {DEEPEST} or of more than {MOST_VALUES} values", at)
        if at + 2 > limit:
            raise self._wrong("cut off", limit)
        tag = self._octets[at]
        if tag & _NUMBER == _LONG_TAG or not tag:
            raise self._wrong("a tag that is not taken", at)
        start, size = self._length(at + 1, limit)
        if not tag & _CONSTRUCTED:
            if size is None:
                raise self._wrong("an indefinite length of a value without parts", at)
            if not tag & _CLASS and tag & _NUMBER in (SEQUENCE & _NUMBER, _SET & _NUMBER):
                raise self._wrong("a sequence or set without parts", at)
            return tag, self._octets[start : start + size], start + size
        parts, end = self._parts(start, limit, size, depth)
        if tag in _STRINGS:
            return _STRINGS[tag], self._joined(_STRINGS[tag], parts, at), end
        if not tag & _CLASS and tag not in (SEQUENCE, _SET):
            raise self._wrong("a value built of parts that must not be", at)
        encoded = [encode(kind, content) for kind, content in parts]
        return tag, b"".join(sorted(encoded) if tag == _SET else encoded), end

    def _parts(self, start: int, limit: int, size: int | None, depth: int) -> tuple[list[tuple[int, bytes]], int]:
        """The values inside, and where the whole ends (behind the end mark of an indefinite length)."""
        found: list[tuple[int, bytes]] = []
        inside = limit if size is None else start + size
        at = start
        while at < inside:
            if size is None and self._octets[at : at + 2] == _END:
                return found, at + 2
            kind, content, at = self.value(at, inside, depth + 1)
            found.append((kind, content))
        if size is None:
            raise self._wrong("cut off: an indefinite length without its end", limit)
        return found, at

    def _joined(self, kind: int, parts: list[tuple[int, bytes]], at: int) -> bytes:
        if any(tag != kind for tag, _ in parts):
            raise self._wrong("a string with parts of another kind", at)
        contents = [content for _, content in parts]
        if kind == OCTET_STRING:
            return b"".join(contents)
        if not contents or not all(contents) or any(content[0] for content in contents[:-1]):
            raise self._wrong("a bit string with broken parts", at)
        return contents[-1][:1] + b"".join(content[1:] for content in contents)

    def _length(self, at: int, limit: int) -> tuple[int, int | None]:
        """Where the content starts, and its size; None where that is indefinite."""
        first = self._octets[at]
        if first == _INDEFINITE:
            return at + 1, None
        start, size = at + 1, first
        if first > _INDEFINITE:
            count = first & 0x7F
            if first == _RESERVED or count > 8 or start + count > limit:
                raise self._wrong("a length that cannot be", at)
            size = int.from_bytes(self._octets[start : start + count])
            start += count
        if start + size > limit:
            raise self._wrong("cut off", limit)
        return start, size

    def _wrong(self, message: str, at: int) -> EncodingError:
        return EncodingError(f"{self._what}: {message} at byte {at}")
