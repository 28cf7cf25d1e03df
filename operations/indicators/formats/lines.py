"""One value a line, as block lists have it; a remark begins with ``#`` or ``;``. Lines of a hosts file give their name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from operations.indicators.schema import Candidate, Refused

MOST_LINE = 4096
_SINKS = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1"})  # noqa: S104  # what hosts files write before a name
_OURS = frozenset({"localhost", "localhost.localdomain", "broadcasthost", "ip6-localhost", "ip6-loopback"})


def read(file: BinaryIO) -> Iterator[Candidate | Refused]:
    """Never raises for what the file holds."""
    number = 0
    while line := file.readline(MOST_LINE + 1):
        number += 1
        place = f"line {number}"
        if len(line) > MOST_LINE and not line.endswith(b"\n"):
            while (rest := file.readline(MOST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield Refused(place, line[:80].decode("utf-8", "replace"), f"a line has at most {MOST_LINE} bytes")
            continue
        try:
            words = line.decode("utf-8-sig" if number == 1 else "utf-8").split()
        except UnicodeDecodeError:
            yield Refused(place, line[:80].decode("utf-8", "replace"), "the line is no UTF-8")
            continue
        if not words or words[0][0] in "#;":
            continue
        if words[0] in _SINKS and len(words) > 1:
            words = words[1:]
            if words[0] in _OURS:
                continue
        if len(words) > 1 and words[1][0] not in "#;":
            yield Refused(place, " ".join(words)[:80], "a line is one value; a remark begins with #")
            continue
        yield Candidate(words[0], place)
