"""Phases of an incident and the ways between them. Pure.

preparation → detection → containment → eradication → recovery → review → closed (after GB/T 20985.1 and NIST SP 800-61). One goes
forward by any number of steps, except that only a review is closed; back to any working phase with a reason; a closed incident is
opened again with a reason. An incident begins in ``detection``, a drill that is planned in ``preparation``.
"""

from __future__ import annotations

from operations.errors import Invalid

PHASES: tuple[str, ...] = ("preparation", "detection", "containment", "eradication", "recovery", "review", "closed")
OPEN: tuple[str, ...] = PHASES[:-1]
CAUSES: tuple[str, ...] = ("resolved", "false_alarm", "duplicate", "accepted", "exercise")
"""Why an incident was closed. ``duplicate``: merged into another, set by merging only."""

REASONED = "a reason is needed"


def ways(phase: str) -> tuple[str, ...]:
    """Phases that an incident in ``phase`` may go to."""
    if phase == "closed":
        return ("detection", "containment", "eradication", "recovery", "review")
    return tuple(other for other in PHASES if other != phase and (other != "closed" or phase == "review"))


def early_close(phase: str, cause: str) -> bool:
    """True where a false alarm or the end of a drill may be closed without a review."""
    return phase != "closed" and cause in ("false_alarm", "exercise")


def check(phase: str, wanted: str, reason: str, cause: str, *, drill: bool) -> None:
    """Raises Invalid where the step is none: its order, a missing reason (back, opening again, closing) or cause (closing)."""
    if wanted not in PHASES:
        raise Invalid(f"there is no phase {wanted[:32]!r}", f"one of {', '.join(PHASES)}", field="phase")
    if wanted == "closed":
        if cause not in CAUSES or cause == "duplicate":
            raise Invalid("closing needs a cause", f"one of {', '.join(CAUSES)}", field="cause")
        if cause == "exercise" and not drill:
            raise Invalid("only a drill ends as an exercise", field="cause")
        if phase == "closed" or not (phase == "review" or early_close(phase, cause)):
            raise Invalid("only an incident in review is closed", "go through the review first", field="phase")
    elif wanted not in ways(phase):
        raise Invalid(f"an incident in {phase} cannot go to {wanted}", field="phase")
    back = PHASES.index(wanted) < PHASES.index(phase)
    if (back or wanted == "closed") and not reason.strip():
        raise Invalid(REASONED, "say why", field="reason")
