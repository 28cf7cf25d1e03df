"""Changing the master key while the platform runs, so that a kill at any moment loses nothing.

Rotation, in this order; each step is on disk before the next begins, and the command can be run again after any of them:

1. the act is written into the audit trail; a new generation is added to the key file and is the active one from now on. Every
   process seals with it from its next seal on, because each seal looks at the key file first (crypto.secret);
2. every value that an older generation has sealed is opened and sealed again, in the database and in files;
3. with the database's write lock held nothing refers to the older generations any more: the retirement is written into the audit
   trail, then they are taken out of the key file. Whatever was being written when the lock was taken has been counted; whatever is
   written afterwards is sealed by the active generation.

A value that does not open (damaged, or sealed by a key that is not here) is told and left; its generation stays.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from crypto.generations import Contents, KeyFile
from crypto.secret import MasterKey
from kernel.db import Database
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.secrets import tables
from operations.secrets.files import FilePlace
from operations.secrets.schema import UNKNOWN, Found, Resealed, Rotation, Tell

_PASSES = 3
GRACE_SECONDS = 5.0
"""On PostgreSQL, which lets several write at once: a request has so long between sealing a value and writing it."""


class SecretPlaces:
    """All sealed values of one platform."""

    def __init__(self, database: Database, files: Sequence[FilePlace]) -> None:
        self.database, self.files = database, files

    def count(self) -> list[Found]:
        """Sealed values by place and generation."""
        with self.database.read() as session:
            found = [tables.count(session, column) for column in tables.COLUMNS]
        return found + [place.count() for place in self.files]

    def reseal(self, key: MasterKey, tell: Tell) -> Resealed:
        """Seal again all that older generations have sealed."""
        total = Resealed()
        for column in tables.COLUMNS:
            _add(total, tables.reseal(self.database, key, column, tell))
        for place in self.files:
            _add(total, place.reseal(key, tell))
        return total


def rotate(
    file: KeyFile,
    key: MasterKey,
    places: SecretPlaces,
    actor: Actor,
    tell: Tell = lambda *_: None,
    *,
    anew: bool = False,
) -> Rotation:
    """Make a new generation and seal everything with it; carry on where an earlier rotation was interrupted.

    anew  a further generation though an older one stays: a value that never opens again must not keep a key that is known to
          others in use for everything else
    Raises SecretError: another rotation, move or backup is under way; the keeper does not work. Nothing is lost then.
    """
    with file.locked():
        contents = file.read()
        resumed = len(contents.generations) > 1 and not anew
        if not resumed:
            _write_down(places.database, actor, "secrets.rotate", contents.active.number + 1, keeper=file.chosen)
            contents = file.add(contents)
        outcome = Resealed()
        for _ in range(_PASSES):
            _add(outcome, places.reseal(key, tell))
            if places.database.dialect != "sqlite":
                time.sleep(GRACE_SECONDS)
            contents = _retire(file, contents, places, actor)
            if outcome.stuck or len(contents.generations) == 1:
                break
    waiting = [one.number for one in contents.generations[:-1]]
    return Rotation(contents.active.number, resumed, outcome.done, outcome.stuck, waiting)


def move(file: KeyFile, keeper: str, database: Database, actor: Actor) -> Contents:
    """Let ``keeper`` protect the master key. What is sealed stays as it is. Raises SecretError, then nothing was changed."""
    with file.locked():
        contents = file.read()
        before = sorted({one.keeper for one in contents.generations})
        if before == [keeper]:
            return contents
        _write_down(database, actor, "secrets.move", contents.active.number, keeper=keeper, before=", ".join(before))
        return file.move(contents, keeper)


def _retire(file: KeyFile, contents: Contents, places: SecretPlaces, actor: Actor) -> Contents:
    older = {one.number for one in contents.generations[:-1]}
    if not older:
        return contents
    with places.database.write() as session:
        tables.hold_still(session)
        found = [tables.count(session, column) for column in tables.COLUMNS] + [place.count() for place in places.files]
        needed = {generation for one in found for generation in one.generations}
        gone = set() if UNKNOWN in needed else older - needed
        if gone:
            detail = {"generations": sorted(gone)}
            audit.append(session, actor, "secrets.retire", "master_key", contents.active.number, detail=detail)
    return file.keep(contents, lambda one: one.number not in gone) if gone else contents


def _write_down(database: Database, actor: Actor, action: str, generation: int, **detail: str) -> None:
    with database.write() as session:
        audit.append(session, actor, action, "master_key", generation, detail=detail)


def _add(total: Resealed, more: Resealed) -> None:
    total.done += more.done
    known = {one.where for one in total.stuck}
    total.stuck += [one for one in more.stuck if one.where not in known]
