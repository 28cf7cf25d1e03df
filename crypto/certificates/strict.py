"""Strict DER of whole structures (ITU-T X.690 clauses 10 and 11), before asn1crypto, which takes BER, looks at them.

Two encodings of one certificate would have two fingerprints: what is not the one DER encoding is refused. Checked: definite and
shortest lengths, nothing cut off or left over, shortest integers, booleans of 00 or FF, primitive strings, order of sets,
depth, length of object identifiers. Inside octet and bit strings (extensions, keys) the reader of that value checks.
"""

from __future__ import annotations

from crypto.der import LONGEST_OBJECT_ID, Reader
from crypto.errors import EncodingError

DEEPEST = 24
PARSE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)
"""What asn1crypto raises for well-formed DER of the wrong shape."""

LARGEST = 1 << 24
"""Bytes of a certificate, request or revocation list that are read at all (16 MiB: a list of some 400,000 entries)."""

_BOOLEAN, _INTEGER, _OBJECT_ID, _ENUMERATED, _SEQUENCE, _SET = 1, 2, 6, 10, 16, 17
_CONSTRUCTED, _UNIVERSAL = 0x20, 0xC0


def check_whole_bytes(bits: bytes, what: str) -> None:
    """A signature is whole bytes: another number of unused bits would be a second encoding. ``bits``: content of the bit string."""
    if bits[:1] != b"\0":
        raise EncodingError(f"{what}: the signature is not made of whole bytes")


def check_signed(octets: bytes, what: str) -> None:
    """Strict DER of what is signed, the algorithm, the signature, and nothing behind them: nobody has signed that."""
    check_der(octets, what)
    parts = Reader(octets, what).sequence()
    for _ in range(3):
        if (tag := parts.peek()) is None:
            raise EncodingError(f"{what}: a part is missing")
        parts.read(tag)
    parts.end()


def check_der(octets: bytes, what: str) -> None:
    """Raises EncodingError naming the first bad byte; ``octets`` hold exactly one value."""
    if len(octets) > LARGEST:
        raise EncodingError(f"{what}: larger than {LARGEST} bytes")
    end = _value(octets, 0, len(octets), what, 0)
    if end != len(octets):
        raise EncodingError(f"{what}: {len(octets) - end} bytes too many")


def check_object_ids(octets: bytes, what: str, depth: int = 0) -> None:
    """Only that: for certificates of others, which need not be strict otherwise. Raises EncodingError."""
    at = 0
    while at < len(octets):
        start, size = _head(octets, at, len(octets), what)
        if octets[at] == _OBJECT_ID and size > LONGEST_OBJECT_ID:
            raise EncodingError(f"{what}: an object identifier is longer than {LONGEST_OBJECT_ID} bytes")
        if octets[at] & _CONSTRUCTED:
            if depth >= DEEPEST:
                raise EncodingError(f"{what}: nested deeper than {DEEPEST}")
            check_object_ids(octets[start : start + size], what, depth + 1)
        at = start + size


def _value(octets: bytes, at: int, limit: int, what: str, depth: int) -> int:
    """Check the value at ``at``; where it ends."""
    if depth > DEEPEST:
        raise EncodingError(f"{what}: nested deeper than {DEEPEST} at byte {at}")
    start, size = _head(octets, at, limit, what)
    end = start + size
    tag = octets[at]
    universal, constructed, number = not tag & _UNIVERSAL, bool(tag & _CONSTRUCTED), tag & 0x1F
    if universal and constructed != (number in (_SEQUENCE, _SET)):
        raise EncodingError(f"{what}: a value is built of parts against DER at byte {at}")
    if constructed:
        previous = b""
        inner = start
        while inner < end:
            following = _value(octets, inner, end, what, depth + 1)
            if universal and number == _SET:
                if octets[inner:following] < previous:
                    raise EncodingError(f"{what}: a set is not in order at byte {inner}")
                previous = octets[inner:following]
            inner = following
    elif universal:
        _check_primitive(number, octets[start:end], what, at)
    return end


def _check_primitive(number: int, content: bytes, what: str, at: int) -> None:
    if number == _BOOLEAN and content not in (b"\0", b"\xff"):
        raise EncodingError(f"{what}: a boolean is neither 00 nor FF at byte {at}")
    if number == _OBJECT_ID and len(content) > LONGEST_OBJECT_ID:
        raise EncodingError(f"{what}: an object identifier is longer than {LONGEST_OBJECT_ID} bytes at byte {at}")
    if number in (_INTEGER, _ENUMERATED):
        needless = len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1))
        if not content or needless:
            raise EncodingError(f"{what}: an integer is not in its shortest form at byte {at}")


def _head(octets: bytes, at: int, limit: int, what: str) -> tuple[int, int]:
    """Where the content starts and how long it is."""
    if at + 2 > limit:
        raise EncodingError(f"{what}: cut off at byte {limit}")
    if octets[at] & 0x1F == 0x1F:
        raise EncodingError(f"{what}: a tag of several bytes at byte {at}")
    start, size = at + 2, octets[at + 1]
    if size >= 0x80:
        count = size & 0x7F
        length = octets[start : start + count]
        size = int.from_bytes(length)
        if not 1 <= count <= 4 or len(length) != count or length[0] == 0 or size < 0x80:
            raise EncodingError(f"{what}: a length is not in its shortest definite form at byte {at + 1}")
        start += count
    if start + size > limit:
        raise EncodingError(f"{what}: cut off at byte {limit}")
    return start, size
