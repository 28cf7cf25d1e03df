"""The process of ``yara_apart``: reads what is sought on standard input, and answers on standard output, in MessagePack."""

from __future__ import annotations

import hashlib
import os
import pwd
import sys
import time

import msgspec
import yara

from detectors.yara import YaraScanError, YaraScanner
from detectors.yara_apart import MOST_MATCHES, OF_ONE_FILE, Looked, Match, Sought
from detectors.yara_load import EXTERNALS, LoadedYara

_ACCOUNT = "nobody"
_STRINGS = 5
_MOST_RULES = 1_000
_FIRST = Sought('rule a { strings: $a = "a" condition: $a }', [("a", b"a")], 10)
"""Looked for while what Python loads for it can still be read."""


def look(sought: Sought) -> Looked:
    """Look for the rules. A file that takes too long is told among those that failed."""
    end = time.monotonic() + sought.seconds
    try:
        compiled = yara.compile(source=sought.rules, externals=EXTERNALS, includes=False)
    except (yara.Error, ValueError, UnicodeError) as error:
        return Looked(problem=str(error)[:300])
    names = [rule.identifier for rule in compiled]
    if not 0 < len(names) <= _MOST_RULES:
        return Looked(problem=f"there are {len(names):,} rules, and 1 to {_MOST_RULES:,} are looked for")
    scanner = YaraScanner(LoadedYara(compiled, [], {}, []))
    matches: list[Match] = []
    failed: dict[str, str] = {}
    for name, octets in sought.files:
        left = int(end - time.monotonic())
        if left < 1:
            failed[name] = "the time was over before"
            continue
        if len(matches) >= MOST_MATCHES:
            failed[name] = f"there were {MOST_MATCHES:,} matches before"
            continue
        try:
            matches += _of_file(scanner, sought.rules.casefold(), name, octets, min(OF_ONE_FILE, left))
        except YaraScanError as error:
            failed[name] = error.message[-200:]
    return Looked(names, matches, failed)


def _of_file(scanner: YaraScanner, known: str, name: str, octets: bytes, seconds: int) -> list[Match]:
    """``known``: the rules. What stands in a file and in no rule is not told: else a rule could read any file to its writer."""
    path, _, short = name.rpartition("/")
    hits = scanner.scan_bytes(octets, short, path=path, timeout=seconds)
    if not hits:
        return []
    digest = hashlib.sha256(octets).hexdigest()
    return [
        Match(
            name, digest, hit.rule, hit.tags,
            [(at, place, text if text.casefold() in known else "") for at, place, text in hit.strings[:_STRINGS]],
        )
        for hit in hits
    ]  # fmt: skip


def _give_up_root() -> None:
    """Become ``nobody`` where we are root: what follows reads hostile octets."""
    if os.geteuid() != 0:
        return
    account = pwd.getpwnam(_ACCOUNT)
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)


def main() -> int:
    """YARA's module ``console`` prints where a rule says so: that goes nowhere."""
    sought = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Sought)
    look(_FIRST)
    _give_up_root()
    answering = os.dup(sys.stdout.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with os.fdopen(answering, "wb") as out:
        out.write(msgspec.msgpack.encode(look(sought)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
