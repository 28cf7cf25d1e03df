"""The export script for Windows hosts (``windows_export.ps1``): cut into pieces that a command line can carry, and what they say.

What comes back is a host's word, taken within limits: JSON of parts that are known, each with rows or with the problem of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from compliance.probes.facts import Part
from kernel.errors import LiandunError

FILE = Path(__file__).with_name("windows_export.ps1")
MARK = b'"windows-export"'
TEXTS = ("policy", "audit")
"""Parts that are one text; the others are rows."""
ONE = ("registry",)
"""Parts that are one row, and are read as such."""
_PIECE = re.compile(r"^# -- (begin|end|part ([a-z-]{2,20}))\n", re.MULTILINE)
MOST = 16 << 20
"""Octets of an answer."""


class _Said(msgspec.Struct, frozen=True):
    rows: list[msgspec.Raw] | None = None
    problem: str = ""


def pieces() -> dict[str, str]:
    """The script by its marks: begin, names of parts, end. Without comments and indents, as it is sent."""
    found = list(_PIECE.finditer(FILE.read_text("utf-8")))
    text = FILE.read_text("utf-8")
    ends = [one.start() for one in found[1:]] + [len(text)]
    return {one[2] or one[1]: _bare(text[one.end() : end]) for one, end in zip(found, ends, strict=True)}


def parts() -> list[str]:
    """Names of its parts, in its order."""
    return [name for name in pieces() if name not in ("begin", "end")]


def scripts(wanted: Collection[str], most: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """Scripts of at most ``most`` letters that together ask for ``wanted``, each with the parts that it asks for.

    Raises ValueError where a part is too long for it.
    """
    found = pieces()
    begin, end = found["begin"], found["end"]
    held: tuple[str, ...] = ()
    for name in (one for one in parts() if one in wanted):
        if len(begin + found[name] + end) > most:
            raise ValueError(f"part {name} of the export script has more than {most} letters")
        if held and len(begin + "".join(found[one] for one in (*held, name)) + end) > most:
            yield held, begin + "".join(found[one] for one in held) + end
            held = ()
        held += (name,)
    if held:
        yield held, begin + "".join(found[one] for one in held) + end


def said(octets: bytes | str, source: str) -> dict[str, Part]:
    """Parts of an answer. Raises LiandunError where it is none."""
    try:
        whole = msgspec.json.decode(octets, type=dict[str, msgspec.Raw])
        if msgspec.json.decode(whole.get("liandun", b"null")) != "windows-export":
            raise LiandunError(f"{source} is no export of a Windows host", "it is made by windows_export.ps1")
        return {name: _part(name, msgspec.json.decode(whole[name], type=_Said)) for name in parts() if name in whole}
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise LiandunError(f"{source} is no export of a Windows host: {error}") from error


def _part(name: str, answer: _Said) -> Part:
    how = f"windows_export.ps1, part {name}"
    if answer.rows is None:
        problem = " ".join("".join(sign if sign.isprintable() else " " for sign in answer.problem).split())[:300]
        return Part("", problem or "the host did not say it", how)
    if name in TEXTS or name in ONE:
        if len(answer.rows) != 1:
            return Part("", "the host did not say it", how)
        return Part(msgspec.json.decode(answer.rows[0], type=str) if name in TEXTS else bytes(answer.rows[0]).decode(), how=how)
    return Part(f"[{','.join(bytes(row).decode() for row in answer.rows)}]", how=how)


def _bare(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("#"))
