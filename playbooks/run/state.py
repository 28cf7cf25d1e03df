"""What a run consists of while it runs: frames (playbooks), branches, visits of steps, and calls (commands against targets)."""

from __future__ import annotations

import hashlib

import msgspec

from playbooks.actions.contract import Failure, Request
from playbooks.actions.parameters import LOOKING
from playbooks.model import Playbook, Step
from playbooks.run.events import Entry
from playbooks.variables import Scope
from playbooks.vocabulary import is_by_hand


class Frame:
    """One playbook of the run: its own one, or one that a playbook-action called."""

    __slots__ = ("depth", "failure", "handling", "opened_by", "playbook", "scope", "varying")

    def __init__(self, playbook: Playbook, scope: Scope, opened_by: Visit | None, depth: int) -> None:
        self.playbook = playbook
        self.scope = scope
        self.opened_by = opened_by
        self.depth = depth
        self.varying: dict[int, bool] = {}
        self.handling = False  # its workflow_exception step has been taken
        self.failure: Failure | None = None


class Branch:
    """One line of steps that runs to an end of its own. ``undo``: single steps that take something back."""

    __slots__ = ("frame", "label", "opened_by", "scope", "undo")

    def __init__(self, frame: Frame, label: str, scope: Scope, opened_by: Visit | None, *, undo: bool = False) -> None:
        self.frame = frame
        self.label = label
        self.scope = scope
        self.opened_by = opened_by
        self.undo = undo


class Visit:
    """A step that is being carried out. ``phase``: delay, action, branches, playbook, done."""

    __slots__ = (
        "branch", "call", "cause", "due", "failure", "number", "open_branches", "phase", "places", "rounds", "scope", "step",
        "step_id", "timer",
    )  # fmt: skip

    def __init__(self, number: int, branch: Branch, step_id: str, step: Step, cause: Failure | None) -> None:
        self.number = number
        self.branch = branch
        self.step_id = step_id
        self.step = step
        self.scope = branch.scope.within(step.step_variables)
        self.cause = cause
        self.phase = "new"
        self.rounds = 0
        self.open_branches = 0
        self.failure: Failure | None = None  # of the first branch that failed
        self.places: list[tuple[int, str]] = []  # command and target of the calls that are still to come
        self.call: Call | None = None
        self.timer = self.due = 0  # number of the timer that ends it, and when it does

    def entry(self, event: str, **more: object) -> Entry:
        """A line of the trace about this visit."""
        return Entry(event=event, step=self.step_id, branch=self.branch.label, **more)  # type: ignore[arg-type]


class Consent:
    """What people have to agree to before a command begins, and who has. ``timer``: number of the timer that ends the asking."""

    __slots__ = ("digest", "given", "number", "roles", "timer", "until", "why")

    def __init__(self, digest: str, number: int, roles: tuple[str, ...], until: int, why: str) -> None:
        self.digest = digest
        self.number = number
        self.roles = roles
        self.until = until
        self.why = why
        self.given: list[str] = []
        self.timer = 0

    @property
    def granted(self) -> bool:
        """Enough people have agreed."""
        return len(self.given) >= self.number


class Call:
    """One command against one target.

    phase  ready, approval (people have to agree), begun, retry (waits), unknown (a person has to say what happened), over
    since  when it last became ready, in milliseconds
    """

    __slots__ = ("attempt", "consent", "key", "phase", "place", "request", "since", "visit")

    def __init__(self, key: str, visit: Visit, place: tuple[int, str], request: Request) -> None:
        self.key = key
        self.visit = visit
        self.place = place
        self.request = request
        self.attempt = 1
        self.phase = "ready"
        self.since = 0
        self.consent: Consent | None = None

    @property
    def by_hand(self) -> bool:
        """A person carries it out."""
        return is_by_hand(self.request.command.type, self.request.agent.type if self.request.agent else "")

    @property
    def asks(self) -> bool:
        """It waits for people."""
        return self.phase in ("approval", "unknown") or (self.phase == "begun" and self.by_hand)

    @property
    def digest(self) -> str:
        """Names the request with all its values: SHA-256, hexadecimal."""
        return hashlib.sha256(msgspec.json.encode(self.request)).hexdigest()

    @property
    def repeatable(self) -> bool:
        """Whether it may be carried out again when nobody knows whether it was: it only looks, is declared so, or is sent with an
        idempotency key."""
        command = self.request.command
        looks = command.type in LOOKING or self.request.options.idempotent
        return looks or any(name.lower() == "idempotency-key" for name in command.headers)

    def entry(self, event: str, **more: object) -> Entry:
        """A line of the trace about this call."""
        number, target = self.place
        return self.visit.entry(event, command=number, target=target, **more)
