"""Files of a host in one connection, to be looked through here: the script that is sent (``say_files.sh``), and what comes back.

What comes back is a hostile host's word: it is taken as octets, within limits, and an answer that does not come to its end counts
for nothing. A file that was not read is told, never left out.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec

from playbooks.actions.contract import ActionError
from playbooks.actions.place import Place

MOST_FILES = 2_000
MOST_OF_ONE = 8 * 1024 * 1024
MOST_OF_ALL = 32 * 1024 * 1024
_MOST_SAID = MOST_OF_ALL + 4 * 1024 * 1024
_SCRIPT = Path(__file__).with_name("say_files.sh").read_text("utf-8")
_PROBLEMS = {
    "odd_name": "its name holds a letter that cannot be printed",
    "symlink": "it is a symbolic link",
    "missing": "there is no such file, or the login may not look there",
    "special": "it is no file of a disk (device, pipe, socket, or a file of the kernel's)",
    "unreadable": "the login may not read it",
    "too_large": f"it is larger than {MOST_OF_ONE:,} octets",
    "no_room": f"it is larger than what is left of {MOST_OF_ALL:,} octets for all files",
    "too_many": f"there are more than {MOST_FILES:,} files: neither this one nor those after it",
    "too_long": "going through the folder took more than 60 s: some of its files",
    "in_part": "the login may not look into all of the folder",
}


class FoundFile(msgspec.Struct, frozen=True):
    """A file to look through. ``octets`` None: it was not read, and ``problem`` says why."""

    name: str
    octets: bytes | None
    problem: str = ""


def host_files(place: Place, paths: Sequence[str]) -> list[FoundFile]:
    """Files of a host: those at ``paths`` (absolute), and all below those that are folders, on the same file system.

    Raises ActionError: READING_BROKEN where the answer does not come to its end, and what the place raises.
    """
    mark = secrets.token_hex(16)
    finished = place.run(["sh", "-s"], stdin=_script(mark, paths).encode(), most=_MOST_SAID)
    end = f"\n{mark} done\n".encode()
    if finished.code != 0 or not finished.output.endswith(end):
        said = "" if finished.code == 0 else f": exit code {finished.code}, {finished.said() or 'it said nothing'}"
        raise ActionError(f"the host did not say all of its files{said}", code="READING_BROKEN", again=True)
    return _read(mark.encode(), finished.output)


def _script(mark: str, paths: Sequence[str]) -> str:
    """All of it in one function: a script that arrives only in part does nothing."""
    limits = f"most={MOST_OF_ONE} left={MOST_OF_ALL} files={MOST_FILES}"
    return "\n".join([f"mark={mark} {limits}", "scan() {", _SCRIPT, shlex.join(["say_all", *paths]), "}", "scan", "exit 0", ""])


def _read(mark: bytes, octets: bytes) -> list[FoundFile]:
    pattern = rb"\n%s (?:file ([0-9]{1,12})|not ([a-z_]{1,20}))\n([^\n]*)\n(.*?)%s end\n" % (mark, mark)
    found: dict[str, FoundFile] = {}
    for size, word, path, content in re.findall(pattern, octets, re.DOTALL):
        name = _shown(path)
        if word:
            found.setdefault(name, FoundFile(name, None, _PROBLEMS.get(word.decode(), "the host did not say why")))
            continue
        whole = content[:-1]  # the line end before the mark
        problem = "" if len(whole) == int(size) else "it could be read in part only"
        found[name] = FoundFile(name, None if problem else whole, problem)
    return list(found.values())


def _shown(path: bytes) -> str:
    """A path for people, and the same for no other file."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
