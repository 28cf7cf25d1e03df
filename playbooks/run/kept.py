"""What runs lie in a journal, for who keeps one in a file: by documents and values, not by number."""

from __future__ import annotations

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from playbooks.run.journal import Wanted, digest_of
from playbooks.run.models import PlaybookRun
from playbooks.variables import Value


class KeptRun(msgspec.Struct, frozen=True):
    """A run as it lies in a journal. ``called``: digests; ``variables``: those given to it."""

    run_id: int
    playbook_name: str
    digest: str
    called: list[str]
    variables: dict[str, Value]
    state: str
    reason: str

    def is_of(self, wanted: Wanted) -> bool:
        """Whether it runs these documents with these values."""
        documents = [digest_of(body) for body in (wanted.body, *wanted.called)]
        return [self.digest, *self.called] == documents and self.variables == wanted.variables

    def told(self) -> str:
        """For people: number, state and values."""
        values = ", ".join(f"{name}={value}" for name, value in self.variables.items())[:300]
        return f"number {self.run_id}, {self.state}" + (f", with {values}" if values else ", without values")


def kept_runs(session: Session, limit: int = 1_000) -> list[KeptRun]:
    """The newest runs of a journal, in the order in which they were asked for."""
    query = select(
        PlaybookRun.id, PlaybookRun.playbook_name, PlaybookRun.digest, PlaybookRun.called, PlaybookRun.variables,
        PlaybookRun.state, PlaybookRun.reason,
    )  # fmt: skip
    rows = session.execute(query.order_by(PlaybookRun.id.desc()).limit(limit)).all()
    return [
        KeptRun(number, name, digest, msgspec.json.decode(called, type=list[str]), msgspec.json.decode(given), state, reason)
        for number, name, digest, called, given, state, reason in reversed(rows)
    ]
