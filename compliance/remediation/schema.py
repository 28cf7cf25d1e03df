"""Records of remediation as other rooms see them."""

from __future__ import annotations

import msgspec


class RemediationFinding(msgspec.Struct, frozen=True):
    """A finding. ``state``: open, assigned, to_retest, closed, or ``waived`` while a waiver holds; ``object`` "" = the system."""

    id: int
    system_id: int
    item: str
    zh: str
    en: str
    object_id: int
    object: str
    state: str
    verdict: str
    ticket_id: int | None
    bureau: str
    assignee: str
    due_at: str
    overdue: bool
    waived_until: str
    reopened: int
    opened_at: str
    retest_at: str
    closed_at: str
    outcome: str
    version: int


class FindingFilter(msgspec.Struct, frozen=True):
    """``state`` as in RemediationFinding, "" = all that are not closed.

    system_id       0 = every system that is seen
    security_class  class or layer of the catalogue (8.1.4, 6.2)
    bureau          of the ticket: "" = the operator, None = any; ``assignee``: a user name
    due_by          due until this moment; ``undated``: without a ticket's date
    """

    state: str = ""
    item: str = ""
    object_id: int | None = None
    overdue: bool = False
    system_id: int = 0
    security_class: str = ""
    bureau: str | None = None
    assignee: str = ""
    due_by: str = ""
    undated: bool = False


class FindingPage(msgspec.Struct, frozen=True):
    """One page, oldest first; ``cursor`` "" at the end."""

    findings: list[RemediationFinding]
    cursor: str = ""


class FindingStep(msgspec.Struct, frozen=True):
    """A line of a finding's history. ``act``: opened, closed, verdict, or of compliance.remediation.models.STEPS.

    value  what it came to: a verdict, a day, a ticket's number
    """

    at: str
    act: str
    by: str = ""
    value: str = ""
    note: str = ""


class Assignment(msgspec.Struct, frozen=True):
    """Who mends it until when.

    bureau    None = the organisation of the system, "" = the operator; ``assignee``: a user name, "" = whoever takes it
    due_at    @timestamp text, "" = by the weight of the item (compliance.assessment.drift.DAYS_TO_MEND)
    """

    bureau: str | None = None
    assignee: str = ""
    due_at: str = ""
    note: str = ""


class Followed(msgspec.Struct, frozen=True):
    """What changed when findings were brought in agreement with verdicts, tickets and the clock: ids of findings."""

    opened: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    to_retest: tuple[int, ...] = ()
    reopened: tuple[int, ...] = ()
    expired: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return any((self.opened, self.closed, self.to_retest, self.reopened, self.expired))


class WaiverDraft(msgspec.Struct, frozen=True):
    """What is asked for. ``measure``: what is done instead; ``expires_at``: @timestamp text."""

    reason: str
    measure: str
    expires_at: str


class Waiver(msgspec.Struct, frozen=True):
    """A waiver. ``state``: asked, in_force, refused, ended, expired."""

    id: int
    finding_id: int
    system_id: int
    state: str
    reason: str
    measure: str
    expires_at: str
    asked_by: str
    asked_at: str
    decided_by: str
    decided_at: str
    note: str
    version: int


class WaiverPage(msgspec.Struct, frozen=True):
    """One page, newest first."""

    waivers: list[Waiver]
    cursor: str = ""


class Month(msgspec.Struct, frozen=True):
    """A month (``2026-11``, UTC). ``open`` and ``overdue``: as it ended, or as of now; overdue ones are among the open ones.

    due  that fall due in it, whether they are closed by now or not: the plan that ``closed`` is compared with
    """

    month: str
    opened: int
    closed: int
    open: int
    overdue: int
    due: int = 0


class PlanLine(msgspec.Struct, frozen=True):
    """What falls due in a month, by owner: ``month`` "" = without a date; ``bureau`` "" = the operator or nobody."""

    month: str
    bureau: str
    findings: int


class Progress(msgspec.Struct, frozen=True):
    """How mending goes on, and what is planned."""

    months: list[Month]
    plan: list[PlanLine]
    states: dict[str, int]
