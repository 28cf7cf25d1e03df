"""The journal file of ``playbook run``: which of the runs in it a command line means.

A command line is its playbook, the playbooks that it calls, and its values. Said again it is the same run: one that a crash left is
gone on with, and one that has ended does not begin once more, as the crash may have come after its last step. What is another's and
has not ended keeps the journal to itself: an executor goes on with all that lies in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from kernel.db import Database
from kernel.errors import LiandunError
from playbooks.run import journal
from playbooks.run.journal import Wanted
from playbooks.run.journal_file import open_journal
from playbooks.run.kept import KeptRun, kept_runs
from playbooks.run.machine import ENDED


@contextlib.contextmanager
def journal_file(kept: Path | None) -> Iterator[Database]:
    """The journal at this path, made where there is none; one for this call alone where there is no path."""
    with contextlib.ExitStack() as stack:
        path = kept.absolute() if kept else Path(stack.enter_context(tempfile.TemporaryDirectory())) / "journal.db"
        if not path.parent.is_dir():
            raise click.UsageError(f"there is no folder {path.parent}")
        database = open_journal(path)
        stack.callback(database.close)
        yield database


def run_meant(database: Database, wanted: Wanted, *, anew: bool) -> tuple[KeptRun | None, Wanted]:
    """The run that this command line has in the journal, None = none yet; and what to ask for where there is none.

    anew  a run that has ended is no reason not to begin again

    Raises LiandunError where a run of another command line has not ended.
    """
    with database.read() as session:
        runs = kept_runs(session)
    mine = [one for one in runs if one.is_of(wanted)]
    for other in runs:
        if other.state not in ENDED and other not in mine:
            hint = "go on with that one first, or use another journal"
            raise LiandunError(f"this journal holds a run of {other.playbook_name!r} that has not ended: {other.told()}", hint)
    found = mine[-1] if mine else None
    if found is not None and anew and found.state in ENDED:
        found = None
    return found, msgspec.structs.replace(wanted, request_key=f"{_name_of(wanted)}:{len(mine) + 1}")


def _name_of(wanted: Wanted) -> str:
    """A name of the command line: two that are typed at the same moment ask for one run."""
    parts = [*map(journal.digest_of, (wanted.body, *wanted.called)), msgspec.json.encode(wanted.variables, order="sorted").decode()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
