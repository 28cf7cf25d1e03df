"""The program nft(8) on another machine, or this one: what a set holds, and many commands as one transaction.

Elements of our sets carry the runs that hold them as their comment: ``liandun 12 15``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from playbooks.actions.contract import ActionError
from playbooks.actions.place import Place

NFT = "/usr/sbin/nft"
OTHERS = "0"
"""Stands for whoever added an element without saying what run it was."""
_MARK = "liandun"
_MOST_RUNS = 6
"""A comment has 128 bytes at most."""
_MOST = 33_554_432
"""Bytes of a listed set: a quarter of a million addresses."""


class Element(msgspec.Struct, frozen=True):
    """One element of a set. ``lasts``: seconds that are left of ``timeout``, None for ever. ``runs`` hold it."""

    value: Any
    timeout: int | None
    lasts: int | None
    runs: tuple[str, ...]


def elements(place: Place, table: str, name: str) -> list[Element]:
    """What a set holds now; nothing where it is not there yet. Raises ActionError."""
    finished = place.run([NFT, "-j", "list", "set", *table.split(), name], most=_MOST)
    if finished.code != 0 and b"No such file or directory" in finished.errors:
        return []
    if finished.code != 0:
        raise ActionError(f"nft: {finished.said()}", code="NFT_FAILED")
    try:
        return list(_read(msgspec.json.decode(finished.output), name))
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise ActionError(f"nft listed {name} as nobody understands: {error}", code="NFT_FAILED") from error


def apply(place: Place, lines: Iterable[str]) -> None:
    """Carry commands of nft out, all or none of them. Raises ActionError."""
    finished = place.run([NFT, "-f", "-"], stdin="".join(f"{line}\n" for line in lines).encode("ascii"))
    if finished.code != 0:
        raise ActionError(f"nft: {finished.said()}", code="NFT_FAILED")


def held(table: str, name: str, value: str, runs: tuple[str, ...], timeout: int, lasts: int | None = None) -> Iterator[str]:
    """An element with these holders and this time, in place of the one that may be there. Seconds."""
    comment = " ".join((_MARK, *runs[-_MOST_RUNS:]))
    time = f"timeout {timeout}s" if lasts is None else f"timeout {timeout}s expires {max(1, lasts)}s"
    yield from released(table, name, value)
    yield f'add element {table} {name} {{ {value} {time} comment "{comment}" }}'


def released(table: str, name: str, value: str) -> Iterator[str]:
    """No such element, whether there is one or not: what is added first can be deleted."""
    yield f"add element {table} {name} {{ {value} }}"
    yield f"delete element {table} {name} {{ {value} }}"


def _read(listed: Any, name: str) -> Iterator[Element]:
    for one in listed["nftables"]:
        if one.get("set", {}).get("name") != name:
            continue
        for entry in one["set"].get("elem", ()):
            inner = entry["elem"] if isinstance(entry, dict) and "elem" in entry else {"val": entry}
            yield Element(
                inner["val"], _seconds(inner.get("timeout")), _seconds(inner.get("expires")), _runs(inner.get("comment", ""))
            )


def _seconds(value: Any) -> int | None:
    if value is not None and not isinstance(value, int):
        raise TypeError("a time that is no number")
    return value


def _runs(comment: str) -> tuple[str, ...]:
    """Numbers only: they are written back, and whoever can write on the other system may have written anything."""
    mark, *words = comment.split() or [""]
    runs = tuple(word for word in words if word.isascii() and word.isdecimal() and len(word) <= 18)
    return runs if mark == _MARK and runs else (OTHERS,)
