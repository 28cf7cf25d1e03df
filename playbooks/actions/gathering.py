"""What a host says of itself in one connection: the script that is sent (``gather.sh``), and reading what comes back.

What comes back is a hostile host's word. It is taken as octets, within limits; only frames that were asked for count, each once,
and an answer that does not come to its end counts for nothing.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from playbooks.actions.contract import ActionError
from playbooks.actions.place import Place
from playbooks.actions.volatile import MOST, PARTS, Alternative

MOST_FILES = 16 * 1024 * 1024
"""Octets of all files together."""
_MOST_SAID = 31 * 1024 * 1024
_SCRIPT = Path(__file__).with_name("gather.sh").read_text("utf-8")
_STAT = re.compile(r"(\d{1,18}) ([0-7]{1,5}) (\d{1,10}) (\d{1,10}) (\d{1,20}) (-?\d{1,12}) (-?\d{1,12}) (-?\d{1,12})\n?")
_PROBLEMS = {
    "symlink": "it is a symbolic link: name the file that it leads to",
    "directory": "it is a directory: name files",
    "missing": "there is no such file, or the login may not look there",
    "special": "it is no file of a disk (device, pipe, socket, or a file of the kernel's)",
    "unreadable": "the login may not read it",
    "too_large": f"it is larger than what is left of {MOST_FILES:,} octets for all files",
}


class Said(msgspec.Struct, frozen=True):
    """What one command said; ``complained``: its first complaints; ``code``: 124 where it took more than 20 s."""

    octets: bytes
    code: int
    complained: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was asked for. ``octets`` None: nothing came. ``problem`` "": all of it did.

    command  what was run for it; "" for a file
    stat     of a file, as it was before it was read: size, mode, uid, gid, inode, and its times in UTC
    target   where a symbolic link leads to
    """

    name: str
    octets: bytes | None
    problem: str
    command: str = ""
    code: int | None = None
    complained: str = ""
    stat: dict[str, int | str] | None = None
    target: str = ""


class Gathered(msgspec.Struct, frozen=True):
    """All of it, in the order in which it was asked for."""

    volatile: list[Taken]
    files: list[Taken]


def gather(place: Place, files: Sequence[str], *, volatile: bool) -> Gathered:
    """Ask a host for its volatile data, and for ``files`` (absolute paths). Nothing is written there.

    Raises ActionError: GATHERING_BROKEN where the answer does not come to its end, and what the place raises.
    """
    mark = secrets.token_hex(16)
    finished = place.run(["sh", "-s"], stdin=_script(mark, files, volatile=volatile).encode(), most=_MOST_SAID)
    if finished.code != 0 or f"\n{mark} done\n".encode() not in finished.output[-200:]:
        said = "" if finished.code == 0 else f": exit code {finished.code}, {_last_line(finished.errors)}"
        raise ActionError(f"the host did not say all of it{said}", code="GATHERING_BROKEN", again=True)
    said_by = _frames(mark, finished.output, finished.errors)
    parts = [taken for part in PARTS for taken in _of_part(part.name, part.alternatives, said_by)] if volatile else []
    return Gathered(parts, [_of_file(number, path, said_by) for number, path in enumerate(files)])


def _script(mark: str, files: Sequence[str], *, volatile: bool) -> str:
    """All of it in one function: a script that arrives only in part does nothing."""
    lines = [f"mark={mark} left={MOST_FILES}", "gather() {", _SCRIPT]
    for part in PARTS if volatile else ():
        lines.append(shlex.join(["part", part.name, str(MOST + 1), *(text for one in part.alternatives for text in one)]))
    lines += [shlex.join(["file", str(number), path]) for number, path in enumerate(files)]
    return "\n".join([*lines, "printf '\\n%s done\\n' \"$mark\"", "}", "gather", "exit 0", ""])


def _frames(mark: str, output: bytes, errors: bytes) -> dict[str, Said]:
    found: dict[str, Said] = {}
    complaints = {name: body for name, body, _ in _cut(mark, errors)}
    for name, body, code in _cut(mark, output):
        if name in found:
            raise ActionError(f"the host said {name} twice", code="GATHERING_BROKEN")
        found[name] = Said(body, code, _line(complaints.get(name, b"")))
    return found


def _cut(mark: str, octets: bytes) -> list[tuple[str, bytes, int]]:
    pattern = rb"\n%s begin ([a-z0-9-]{1,40})\n(.*?)\n%s end ([0-9]{1,3})\n" % (mark.encode(), mark.encode())
    return [(name.decode(), body, int(code)) for name, body, code in re.findall(pattern, octets, re.DOTALL)]


def _of_part(name: str, alternatives: Sequence[Alternative], said_by: dict[str, Said]) -> list[Taken]:
    """What each alternative that was tried gave; one of several that failed and said nothing is a problem, no content."""
    tried = [(number, one, said) for number, one in enumerate(alternatives, 1) if (said := said_by.get(f"{name}-{number}"))]
    if not tried:
        programs = ", ".join(dict.fromkeys(one.program for one in alternatives))
        return [Taken(name=name, octets=None, problem=f"the host has none of: {programs}")]
    taken = []
    for number, one, said in tried:
        shown = name if number == tried[-1][0] else f"{name}-{number}"
        octets = said.octets[:MOST] if said.octets or said.code == 0 else None
        command = Taken(name=shown, octets=octets, problem=_problem(said), command=one.command, code=said.code)
        taken.append(msgspec.structs.replace(command, complained=said.complained))
    return taken


def _problem(said: Said) -> str:
    if len(said.octets) > MOST:
        return f"cut off after {MOST:,} octets"
    if said.code == 124:
        return "it took more than 20 s"
    return f"exit code {said.code}" if said.code else ""


def _of_file(number: int, path: str, said_by: dict[str, Said]) -> Taken:
    state = said_by.get(f"file-{number}-state")
    word = state.octets.decode("ascii", "replace") if state else ""
    stat = _stat(said_by.get(f"file-{number}-stat"))
    target = said_by.get(f"file-{number}-target")
    leads = target.octets.decode("utf-8", "replace").rstrip("\n") if target else ""
    content = said_by.get(f"file-{number}-content")
    if word != "regular" or content is None:
        return Taken(
            name=path, octets=None, problem=_PROBLEMS.get(word, "the host did not say what it is"), stat=stat, target=leads
        )
    whole = stat is not None and len(content.octets) == stat["size"]
    problem = "" if whole else f"it could be read in part only (exit code {content.code})"
    octets = content.octets if whole or content.octets else None
    return Taken(name=path, octets=octets, problem=problem, code=content.code, complained=content.complained, stat=stat)


def _stat(said: Said | None) -> dict[str, int | str] | None:
    found = _STAT.fullmatch(said.octets.decode("ascii", "replace")) if said else None
    if found is None:
        return None
    size, mode, uid, gid, inode, *times = found.groups()
    read, written, changed = (_moment(int(text)) for text in times)
    return {
        "size": int(size), "mode": mode, "uid": int(uid), "gid": int(gid), "inode": int(inode),
        "accessed": read, "modified": written, "changed": changed,
    }  # fmt: skip


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _last_line(errors: bytes) -> str:
    return _line(errors.rpartition(b"end")[2] or errors) or "it said nothing"


def _line(octets: bytes) -> str:
    text = octets[:2_000].decode("utf-8", "replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:500]
