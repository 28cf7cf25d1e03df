"""Strict DER of another structure: an error of this room, which callers catch, not one of the reader below."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from crypto.certificates import Request, RevocationList, make_request, make_revocation_list, make_root, name, read_certificates
from crypto.der import SEQUENCE, Reader, encode
from crypto.errors import EncodingError
from crypto.sm2 import PrivateKey

ROOT = make_root(name("City root"), PrivateKey.generate())
NOW = datetime(2026, 6, 1, tzinfo=UTC)
WHOLE: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "certificate": (ROOT.certificate.der, read_certificates),
    "request": (make_request(PrivateKey.generate(), name("q")).der, Request),
    "list": (make_revocation_list(ROOT, [], 1, NOW, NOW + timedelta(days=1)).der, RevocationList),
}


def _parts(octets: bytes) -> list[bytes]:
    reader, found = Reader(octets, "x"), []
    while (tag := reader.peek()) is not None:
        found.append(encode(tag, reader.read(tag)))
    return found


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize(
    "change",
    [
        lambda parts: [],
        lambda parts: parts[:1],
        lambda parts: parts[:2],
        lambda parts: [b"\x02\x01\x05", *parts[1:]],
        lambda parts: [encode(SEQUENCE, b""), *parts[1:]],
        lambda parts: [encode(0xA0, parts[0]), *parts[1:]],
        lambda parts: [*parts, b"\x05\x00"],
    ],
)
def test_parts_missing_or_of_another_kind(kind: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    der, read = WHOLE[kind]
    assert read(der)
    with pytest.raises(EncodingError):
        read(encode(SEQUENCE, b"".join(change(_parts(Reader(der, "x").read(SEQUENCE))))))
