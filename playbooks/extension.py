"""What Liandun adds to steps (docs/playbooks.md, "Our extension"): retries, idempotence, undo steps, outputs.

It stands where CACAO 2.0 puts such things, in ``step_extensions`` under the id of the definition, so other executors ignore it:

    "step_extensions": {"extension-definition--7b1e3f0a-6c1d-4f5e-9a3b-2d5c8e4f6a10": {
        "idempotent": true,
        "retry": {"attempts": 4, "wait": 500, "factor": 2, "most": 30000},
        "undo": "action--…",
        "outputs": {"__ticket__": "/result/0/number"},
        "parameters": {"elastic": {"index": "logs-*"}},
        "rounds": 50,
        "approval": {"number": 2, "roles": ["duty", "leader"], "minutes": 30}}}
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import msgspec

from kernel.errors import LiandunError
from playbooks.model import StepBase

EXTENSION = "extension-definition--7b1e3f0a-6c1d-4f5e-9a3b-2d5c8e4f6a10"

MOST_ATTEMPTS = 20
MOST_ROUNDS = 10_000
LONGEST_WAIT = 86_400_000


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a failed command is tried in all, and how long to wait between: ``wait`` milliseconds, each time ``factor`` times
    as long, never above ``most``."""

    attempts: Annotated[int, msgspec.Meta(ge=1, le=MOST_ATTEMPTS)] = 1
    wait: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_WAIT)] = 1000
    factor: Annotated[float, msgspec.Meta(ge=1, le=10)] = 2.0
    most: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_WAIT)] = 60_000

    def pause(self, attempt: int) -> int:
        """Milliseconds to wait after ``attempt`` (1, 2, …) failed."""
        return int(min(self.wait * self.factor ** (attempt - 1), self.most))


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``number`` people have to agree within ``minutes`` before the commands of the step begin. ``roles``: who may, none = all who
    may approve. At a step that people carry out: who may answer, and not the one who started the run. ``apart``: ids of steps;
    whoever answered one of them in this run may not answer here, so that two people agree where two have to."""

    number: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    roles: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=32)], ...], msgspec.Meta(max_length=10)] = ()
    minutes: Annotated[int, msgspec.Meta(ge=1, le=7 * 1440)] = 60
    apart: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=200)], ...], msgspec.Meta(max_length=10)] = ()


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Our additions of one step.

    idempotent  its commands may run again when a crash left it unknown whether they ran
    undo        id of the action step that takes back what this one did (run on request only)
    outputs     variable → JSON pointer (RFC 6901) into the answer of an HTTP command, or into what was found
    parameters  kind of command → what commands of this kind are told beside their text (playbooks.actions.query_parameters)
    rounds      ceiling of a while step, in place of the executor's own
    approval    people who have to agree first
    """

    idempotent: bool = False
    retry: Retry = Retry()
    undo: str = ""
    outputs: dict[str, str] = {}
    parameters: dict[str, dict[str, Any]] = {}
    rounds: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROUNDS)] | None = None
    approval: Approval | None = None


class ExtensionError(LiandunError):
    """Our extension of a step cannot be understood."""


NONE = Options()


def options_of(step: StepBase) -> Options:
    """Our additions of ``step``. Raises ExtensionError."""
    given = step.step_extensions.get(EXTENSION)
    if given is None:
        return NONE
    return _read(msgspec.json.encode(given))


def parameters_for(step: StepBase, kind: str) -> dict[str, Any]:
    """What our extension tells commands of this kind; nothing where it cannot be read."""
    try:
        return options_of(step).parameters.get(kind, {})
    except ExtensionError:
        return {}


@lru_cache(maxsize=4096)
def _read(text: bytes) -> Options:
    try:
        return msgspec.json.decode(text, type=Options)
    except msgspec.ValidationError as error:
        raise ExtensionError(f"the step extension {EXTENSION} cannot be read: {error}") from error
