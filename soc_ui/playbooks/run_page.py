"""What the page of one run shows: its playbooks, how far each step has come, what was said and done."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.orm import Session

from kernel.errors import LiandunError
from playbooks.model import Playbook
from playbooks.run import journal, listing
from playbooks.run.journal import Claimed, Line
from playbooks.run.listing import RunDetail
from playbooks.run.machine import ENDED, Impossible
from playbooks.run.progress import StepProgress, progress
from playbooks.variables import Value
from soc_ui.playbooks.chart import Chart, chart_of
from soc_ui.playbooks.story import Told, story
from soc_ui.playbooks.titles import Titles, looks

MOST_LINES = 2_000
"""Events of the journal that one page reads; a longer run shows its last ones."""
_NEVER = StepProgress("", 0)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A run as the page shows it.

    titles   the playbook whose steps are shown: the run's own, or a called one; ``others``: digest → name of all of them
    steps    how each of its steps stands
    skipped  how many older events are not shown
    values   the global variables as they are now, None where they cannot be told
    """

    detail: RunDetail
    over: bool
    titles: Titles
    digest: str
    others: dict[str, str]
    chart: Chart | None
    steps: dict[str, StepProgress]
    told: list[Told]
    skipped: int
    values: dict[str, Value] | None

    @property
    def seen(self) -> str:
        """Names what is shown: the same again means that nothing has happened."""
        return seen(self.detail)


def seen(detail: RunDetail) -> str:
    """As ``Shown.seen``, without reading the journal."""
    return f"{detail.events}.{detail.run.state}"


def shown(session: Session, run_id: int, wanted: str = "") -> Shown:
    """The run; ``wanted``: digest of the called playbook whose steps to show. Raises NotFound, PlaybookError."""
    detail = listing.get_run(session, run_id)
    books = _books(session, detail)
    digest = wanted if wanted in books else detail.digest
    skipped = max(0, detail.events - MOST_LINES)
    lines = journal.lines(session, run_id, after=skipped)
    over = detail.run.state in ENDED
    titles = {key: Titles(book) for key, book in books.items()}
    reached = progress(lines, over=over)
    frame = "" if digest == detail.digest else books[digest].id
    return Shown(
        detail=detail,
        over=over,
        titles=titles[digest],
        digest=digest,
        others={key: one.name for key, one in titles.items()},
        chart=chart_of(books[digest]),
        steps={step: _stands(books[digest], step, reached.get((frame, step), _NEVER)) for step in books[digest].workflow},
        told=story(lines, {"": titles[detail.digest], **{books[key].id: titles[key] for key in detail.called if key in books}}),
        skipped=skipped,
        values=None if skipped else _values(books, detail, lines),
    )


def _books(session: Session, detail: RunDetail) -> dict[str, Playbook]:
    bodies = listing.documents(session, [detail.digest, *detail.called])
    return {digest: journal.playbook_of(bodies[digest]) for digest in (detail.digest, *detail.called) if digest in bodies}


def _stands(playbook: Playbook, step_id: str, found: StepProgress) -> StepProgress:
    """The machine only knows that something was begun; that a person does it stands in the playbook."""
    by_hand = found.state == "now" and looks(playbook.workflow[step_id]) == "hand"
    return msgspec.structs.replace(found, state="asked") if by_hand else found


def _values(books: dict[str, Playbook], detail: RunDetail, lines: list[Line]) -> dict[str, Value] | None:
    """The journal gone through once more by the machine itself; a journal of another version may not fit it."""
    claimed = Claimed(
        run_id=detail.run.id,
        playbook=books[detail.digest],
        called=tuple(books[digest] for digest in detail.called if digest in books),
        variables=detail.variables,
        events=tuple(line.event for line in lines),
    )
    try:
        return journal.machine_of(claimed).variables()
    except (Impossible, LiandunError):
        return None


def context(found: Shown) -> dict[str, Any]:
    """For templates."""
    return {"shown": found, "run": found.detail.run, "playbook": found.titles.playbook, "titles": found.titles}
