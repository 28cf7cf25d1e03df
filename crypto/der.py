"""Strict DER (ITU-T X.690 clause 10): minimal lengths, minimal integers, definite form only, nothing left over.

Lenient readers take many encodings for one value, which makes signatures malleable; GM/T 0009-2023 asks for DER. The reader takes
the handful of types that SM2 keys, signatures and ciphertexts consist of; everything else belongs to asn1crypto.
"""

from __future__ import annotations

from crypto.errors import EncodingError

LONGEST_OBJECT_ID = 128
"""Bytes. Those in use have about ten; RFC 5280 appendix B asks for 100 characters. Turning one of megabytes into decimal digits
would take hours.
"""

INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, SEQUENCE = 0x02, 0x03, 0x04, 0x05, 0x06, 0x30


class Reader:
    """Reads one value after the other; ``what`` names the structure in error messages."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    def peek(self) -> int | None:
        """The tag of the next value, None at the end."""
        return self._data[self._at] if self._at < len(self._data) else None

    def read(self, tag: int) -> bytes:
        """The content of the next value, which must have this tag."""
        if self.peek() != tag:
            raise EncodingError(f"{self._what}: expected DER tag {tag:#04x} at byte {self._at}")
        start, size = self._length()
        if start + size > len(self._data):
            raise EncodingError(f"{self._what}: cut off at byte {len(self._data)}")
        self._at = start + size
        return self._data[start : self._at]

    def sequence(self) -> Reader:
        return Reader(self.read(SEQUENCE), self._what)

    def nested(self, tag: int) -> Reader:
        """The inside of an explicitly tagged value."""
        return Reader(self.read(tag), self._what)

    def integer(self) -> int:
        """A non-negative integer in its shortest form."""
        content = self.read(INTEGER)
        if not content or content[0] & 0x80:
            raise EncodingError(f"{self._what}: an integer is empty or negative")
        if len(content) > 1 and content[0] == 0 and not content[1] & 0x80:
            raise EncodingError(f"{self._what}: an integer has needless zero bytes")
        return int.from_bytes(content)

    def bits(self) -> bytes:
        """A bit string of whole bytes."""
        content = self.read(BIT_STRING)
        if not content or content[0] != 0:
            raise EncodingError(f"{self._what}: a bit string is not made of whole bytes")
        return content[1:]

    def object_id(self) -> str:
        return _dotted(self.read(OID), self._what)

    def end(self) -> None:
        """Refuse anything left over."""
        if self._at != len(self._data):
            raise EncodingError(f"{self._what}: {len(self._data) - self._at} bytes too many")

    def _length(self) -> tuple[int, int]:
        """Where the content of the value at ``_at`` starts, and how long it is."""
        start = self._at + 2
        if start > len(self._data):
            raise EncodingError(f"{self._what}: cut off at byte {len(self._data)}")
        first = self._data[start - 1]
        if first < 0x80:
            return start, first
        count = first & 0x7F
        octets = self._data[start : start + count]
        size = int.from_bytes(octets)
        if not 1 <= count <= 8 or len(octets) != count or octets[0] == 0 or size < 0x80:
            raise EncodingError(f"{self._what}: a length is not in its shortest definite form")
        return start + count, size


def encode(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(octets))) + octets + content


def encode_sequence(*parts: bytes) -> bytes:
    return encode(SEQUENCE, b"".join(parts))


def encode_integer(value: int) -> bytes:
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def encode_bits(content: bytes) -> bytes:
    return encode(BIT_STRING, b"\0" + content)


def encode_octets(content: bytes) -> bytes:
    return encode(OCTET_STRING, content)


def encode_object_id(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return encode(OID, b"".join(_base128(arc) for arc in (40 * first + second, *rest)))


def _base128(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(0x80 | arc & 0x7F)
    return bytes(reversed(octets))


def _dotted(content: bytes, what: str) -> str:
    if not content or content[-1] & 0x80:
        raise EncodingError(f"{what}: an object identifier is cut off")
    if len(content) > LONGEST_OBJECT_ID:
        raise EncodingError(f"{what}: an object identifier is longer than {LONGEST_OBJECT_ID} bytes")
    arcs, arc, fresh = [], 0, True
    for octet in content:
        if fresh and octet == 0x80:
            raise EncodingError(f"{what}: an object identifier has needless zero bits")
        arc = arc << 7 | octet & 0x7F
        fresh = not octet & 0x80
        if fresh:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(part) for part in (first, arcs[0] - 40 * first, *arcs[1:]))
